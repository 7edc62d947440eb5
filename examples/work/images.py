"""Image manipulation: thumbnails, whole or not at all, made where a broken image can do no harm."""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from backburner import Fail, current_job, job

SIZES = (640, 160)


@job(queue="images", isolation="process", max_run_time=60, max_attempts=3)
def make_thumbnails(path: str) -> None:
    """Make those that are missing, so that a second attempt goes on where the first one ended."""
    original = Path(path)
    for done, size in enumerate(SIZES, start=1):
        thumbnail = thumbnail_of(original, size)
        if not thumbnail.exists():
            shrink(original, thumbnail, size)
        current_job().report_progress(done, len(SIZES), note=thumbnail.name)


def thumbnail_of(original: Path, size: int) -> Path:
    return original.with_name(f"{original.stem}-{size}.jpg")


def shrink(original: Path, thumbnail: Path, size: int) -> None:
    unfinished = thumbnail.with_suffix(f".{current_job().id}")  # the next attempt overwrites it
    try:
        with Image.open(original) as image:
            image.draft("RGB", (size, size))  # a large JPEG is not read in full
            upright = ImageOps.exif_transpose(image).convert("RGB")
            upright.thumbnail((size, size))
            upright.save(unfinished, "JPEG", quality=85)
    except (UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise Fail(f"{original.name} is no image, or a trap: {error}") from error
    unfinished.replace(thumbnail)  # who looks at it never sees half of it


if __name__ == "__main__":
    from .app import app

    with app:
        print(make_thumbnails.delay(sys.argv[1]).handler)
