"""Uploads: a large file, sent from behind what the server has of it. The server speaks tus, the protocol for that."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from urllib.request import Request, urlopen

from backburner import current_job, job

PART = 1024 * 1024

TUS = {"Tus-Resumable": "1.0.0"}


@job(queue="transfers", max_attempts=20, max_run_time=timedelta(hours=2))
def upload(path: str, url: str) -> None:
    """Send a file to the address that the server has made for it; what is there already is not sent again."""
    total = Path(path).stat().st_size
    done = offset_after(Request(url, headers=TUS, method="HEAD"))
    with open(path, "rb") as file:
        while done < total:
            file.seek(done)
            done = offset_after(part_from(done, file.read(PART), url))
            current_job().report_progress(done, total)


def part_from(offset: int, data: bytes, url: str) -> Request:
    headers = {**TUS, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
    return Request(url, data, headers, method="PATCH")


def offset_after(request: Request) -> int:
    """Return how much the server has. An answer that is lost, or a conflict, is an attempt that asks again."""
    with urlopen(request, timeout=30) as answer:
        return int(answer.headers["Upload-Offset"])


if __name__ == "__main__":
    from .app import app

    with app:
        print(upload.delay(*sys.argv[1:3]).handler)
