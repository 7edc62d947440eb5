"""`examples/work/images.py`, with images that are large, turned, broken or no images at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from backburner import State
from examples.work.images import SIZES, make_thumbnails
from tests.examples.work import Work

TURNED = {0x0112: 6}
"""EXIF's orientation: the camera was held upright."""


@pytest.fixture
def photo(work: Work) -> Path:
    """A wide photo; red on the left, blue on the right."""
    path = work.home / "photo.jpg"
    image = Image.new("RGB", (2400, 1200), "red")
    image.paste("blue", (1200, 0, 2400, 1200))
    image.save(path)
    return path


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def files(work: Work) -> set[str]:
    return {path.name for path in work.home.iterdir() if not path.name.startswith("work.db")}


def test_thumbnails_of_each_size(work: Work, photo: Path) -> None:
    job = make_thumbnails.delay(str(photo))
    with work.worker():
        done = work.ended(job)
    assert (done.state, done.progress) == (State.SUCCEEDED, (len(SIZES), len(SIZES), "photo-160.jpg"))
    assert files(work) == {"photo.jpg", "photo-640.jpg", "photo-160.jpg"}
    assert [size_of(photo.with_name(f"photo-{size}.jpg")) for size in SIZES] == [(640, 320), (160, 80)]


def test_they_are_upright(work: Work, photo: Path) -> None:
    with Image.open(photo) as image:
        exif = image.getexif()
        exif.update(TURNED)
        image.save(photo, exif=exif)
    job = make_thumbnails.delay(str(photo))
    with work.worker():
        assert work.ended(job).state is State.SUCCEEDED
    with Image.open(photo.with_name("photo-160.jpg")) as thumbnail:
        assert thumbnail.size == (80, 160)
        red, _, blue = thumbnail.getpixel((40, 10))
    assert red > blue


def test_what_is_there_is_not_made_again(work: Work, photo: Path) -> None:
    there = photo.with_name("photo-640.jpg")
    there.write_text("made by an earlier attempt")
    job = make_thumbnails.delay(str(photo))
    with work.worker():
        assert work.ended(job).state is State.SUCCEEDED
    assert there.read_text() == "made by an earlier attempt"
    assert size_of(photo.with_name("photo-160.jpg")) == (160, 80)


def test_what_is_no_image_is_not_tried_again(work: Work) -> None:
    path = work.home / "photo.jpg"
    path.write_text("<html>no photo</html>")
    job = make_thumbnails.delay(str(path))
    with work.worker():
        failed = work.ended(job)
    assert (failed.state, failed.attempts) == (State.FAILED, 1)
    assert "photo.jpg is no image, or a trap" in str(failed.last_error)
    assert files(work) == {"photo.jpg"}


def test_an_image_that_would_fill_the_memory_is_refused(work: Work) -> None:
    path = work.home / "bomb.png"
    Image.new("1", (20_000, 20_000)).save(path)
    job = make_thumbnails.delay(str(path))
    with work.worker():
        failed = work.ended(job)
    assert (failed.state, failed.attempts) == (State.FAILED, 1)
    assert "decompression bomb" in str(failed.last_error)


def test_an_image_that_is_still_arriving_is_tried_again_and_leaves_nothing_behind(work: Work, photo: Path) -> None:
    whole = photo.read_bytes()
    photo.write_bytes(whole[: len(whole) // 2])
    job = make_thumbnails.delay(str(photo))
    with work.worker():
        failed = work.again_after_failure(job)
        assert files(work) == {"photo.jpg"}
        photo.write_bytes(whole)
        work.app.jobs.retry(job.id)
        assert work.ended(job).state is State.SUCCEEDED
    assert "truncated" in str(failed.last_error)
    assert files(work) == {"photo.jpg", "photo-640.jpg", "photo-160.jpg"}
