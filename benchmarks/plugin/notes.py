"""What tests measure, brought out of pytest."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from benchmarks.plugin.in_a_child import run_pytest
from benchmarks.results import Result

TESTS = Path(__file__).with_name("in_a_test.py")


class Notes:
    """A plugin whose fixture says how much is to be measured, and takes the lines of the table."""

    def __init__(self, count: int, turns: int) -> None:
        self.count = count
        self.turns = turns
        self.lines: list[Result] = []

    @pytest.fixture
    def notes(self) -> Notes:
        """Return the notes themselves."""
        return self


def measured_in_tests(count: int, turns: int) -> list[Result]:
    """Run the tests that measure, and return their lines."""
    import backburner_pytest

    notes = Notes(count, turns)
    with redirect_stdout(sys.stderr):  # stdout is for the table
        run_pytest(str(TESTS), plugins=[backburner_pytest, notes])
    return notes.lines
