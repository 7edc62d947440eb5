"""Suites of tests that are made up, in a temporary folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

TESTS_IN_A_FILE = 50


@contextmanager
def suite(count: int, head: str, body: str, conftest: str = "") -> Iterator[Path]:
    """Write so many tests, with this head in each file and this body in each test; give the folder."""
    with TemporaryDirectory(prefix="backburner-tests-") as name:
        folder = Path(name)
        (folder / "conftest.py").write_text(conftest)
        for first in range(0, count, TESTS_IN_A_FILE):
            numbers = range(first, min(first + TESTS_IN_A_FILE, count))
            tests = "".join(f"\n\ndef test_{number}():\n    {body}\n" for number in numbers)
            (folder / f"test_from_{first}.py").write_text(head + tests)
        yield folder
