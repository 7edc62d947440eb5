"""A disk that is so small that a test can fill it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

FILLER = "filler"


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """Mount a disk of this size within the block; without the right to do so, skip the test."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("NOT TESTED: a full disk takes a small one to be mounted, which takes Linux and root")
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(folder)]
    mounted = subprocess.run(command, check=False, capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"NOT TESTED: a full disk takes a small one to be mounted: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path, *, but: int) -> None:
    """Fill a disk, but for so many bytes."""
    state = os.statvfs(disk)
    size = state.f_bavail * state.f_frsize - but
    with (disk / FILLER).open("wb") as file:
        file.write(b"\0" * size)


def fill_up(disk: Path) -> None:
    """Fill what is left."""
    with (disk / FILLER).open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * 4096)


def make_room(disk: Path) -> None:
    """Take away what it was filled with."""
    (disk / FILLER).unlink()
