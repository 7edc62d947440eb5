"""`examples/work/downloads.py`, with a real server: broken off, killed, changed in between, or done already."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from backburner import State
from examples.work.downloads import BLOCK, download
from tests.examples.web import Handler, serving
from tests.examples.work import Work, kill_worker, noise
from tests.worker.supervision.support import SOON, until

SIZE = 6 * BLOCK + 7
HALF = 3 * BLOCK


@dataclass
class Files:
    """A server of one file, which may stop in the middle."""

    content: bytes
    etag: str = '"first"'
    breaks_off: bool = False
    """Whether it hangs up after one half; once."""
    goes_on: threading.Event = field(default_factory=threading.Event)
    ranges: list[str | None] = field(default_factory=list)
    """What was asked for."""

    def starts_at(self, asked: str | None, condition: str | None) -> int:
        return int(asked.removeprefix("bytes=").rstrip("-")) if asked and condition == self.etag else 0


@pytest.fixture
def files() -> Files:
    files = Files(noise(7, SIZE))
    files.goes_on.set()
    return files


@pytest.fixture
def url(files: Files) -> Iterator[str]:
    class Server(Handler):
        def do_GET(self) -> None:  # noqa: N802  # http.server looks for this name
            files.ranges.append(asked := self.headers["Range"])
            start = files.starts_at(asked, self.headers["If-Range"])
            if start >= SIZE:
                self.answer(416, Content_Range=f"bytes */{SIZE}")
            else:
                self.send_from(start)

        def send_from(self, start: int) -> None:
            self.send_response(206 if start else 200)
            self.send_header("ETag", files.etag)
            self.send_header("Content-Length", str(SIZE - start))
            self.end_headers()
            self.wfile.write(files.content[start:HALF])
            if files.breaks_off:
                files.breaks_off, self.close_connection = False, True
                return
            assert files.goes_on.wait(SOON)
            self.wfile.write(files.content[max(start, HALF) :])

    with serving(Server) as url:
        yield f"{url}/film"


@pytest.fixture
def target(work: Work) -> Path:
    return work.home / "film"


def left_over(target: Path) -> list[str]:
    return [path.name for path in target.parent.glob("film.*")]


def test_a_file_is_fetched_once_with_progress(work: Work, files: Files, url: str, target: Path) -> None:
    jobs = [download.delay(url, str(target)), download.delay(url, str(target))]
    with work.worker():
        first, second = (work.ended(job) for job in jobs)
    assert (first.state, second.state, files.ranges) == (State.SUCCEEDED, State.SUCCEEDED, [None])
    assert first.progress == (SIZE, SIZE, None)
    assert target.read_bytes() == files.content
    assert left_over(target) == []


def test_a_worker_that_is_killed_loses_nothing_that_was_fetched(
    work: Work, files: Files, url: str, target: Path
) -> None:
    files.goes_on.clear()
    part = Path(f"{target}.part")
    job = download.delay(url, str(target))
    with work.worker() as supervisor:
        until(lambda: part.exists() and part.stat().st_size == HALF, "one half is there")
        kill_worker(supervisor)
        assert not target.exists()
        files.goes_on.set()
        done = work.ended(job)
    assert (done.state, done.crashes, done.attempts) == (State.SUCCEEDED, 1, 0)
    assert files.ranges == [None, f"bytes={HALF}-"]
    assert target.read_bytes() == files.content
    assert left_over(target) == []


def test_a_connection_that_breaks_off_is_a_failed_attempt(work: Work, files: Files, url: str, target: Path) -> None:
    files.breaks_off = True
    job = download.delay(url, str(target))
    with work.worker():
        failed = work.try_again_now(job)
        assert work.ended(job).state is State.SUCCEEDED
    assert str(failed.last_error).startswith("Retry")
    assert files.ranges == [None, f"bytes={HALF}-"]
    assert target.read_bytes() == files.content


def test_a_file_that_has_changed_meanwhile_is_fetched_anew(work: Work, files: Files, url: str, target: Path) -> None:
    files.breaks_off = True
    job = download.delay(url, str(target))
    with work.worker():
        work.again_after_failure(job)
        files.etag, files.content = '"second"', noise(8, SIZE)
        work.app.jobs.retry(job.id)
        assert work.ended(job).state is State.SUCCEEDED
    assert target.read_bytes() == files.content


def test_an_attempt_that_died_at_the_very_end_left_nothing_to_fetch(
    work: Work, files: Files, url: str, target: Path
) -> None:
    Path(f"{target}.part").write_bytes(files.content)
    Path(f"{target}.etag").write_text(files.etag)
    job = download.delay(url, str(target))
    with work.worker():
        assert work.ended(job).state is State.SUCCEEDED
    assert files.ranges == [f"bytes={SIZE}-"]
    assert target.read_bytes() == files.content
    assert left_over(target) == []
