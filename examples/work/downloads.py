"""Downloads: a large file, fetched from where it was broken off, by whatever that was."""

from __future__ import annotations

import sys
from datetime import timedelta
from http.client import HTTPResponse
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from backburner import Retry, current_job, job

BLOCK = 1024 * 1024


@job(queue="transfers", max_attempts=20, max_run_time=timedelta(hours=2))
def download(url: str, path: str) -> None:
    """Collect a file beside its place, and move it there when it is whole."""
    target, part, tag = Path(path), Path(f"{path}.part"), Path(f"{path}.etag")
    if target.exists():
        return
    try:
        with urlopen(request_for(url, part, tag), timeout=30) as answer:
            fetch(answer, part, tag)
    except HTTPError as error:
        if error.code != 416:  # nothing is missing: the attempt before this one died at the very end
            raise
    part.replace(target)
    tag.unlink(missing_ok=True)


def request_for(url: str, part: Path, tag: Path) -> Request:
    """Ask for what is missing; for all of it when the file there is not the one that was begun."""
    if not (part.exists() and tag.exists()):
        return Request(url)
    return Request(url, headers={"Range": f"bytes={part.stat().st_size}-", "If-Range": tag.read_text()})


def fetch(answer: HTTPResponse, part: Path, tag: Path) -> None:
    done = part.stat().st_size if answer.status == 206 else 0
    total = done + int(answer.headers["Content-Length"])
    with part.open("ab", buffering=0) as file:  # what is written is in the file, also when this process is killed
        file.truncate(done)
        tag.write_text(answer.headers["ETag"])
        while block := answer.read(BLOCK):
            done += file.write(block)
            current_job().report_progress(done, total)
    if done < total:
        raise Retry(timedelta(seconds=5))


if __name__ == "__main__":
    from .app import app

    with app:
        print(download.delay(*sys.argv[1:3]).handler)
