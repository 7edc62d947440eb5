"""The bugs that are planted can be planted. Whether the tests find them takes minutes: `make planted`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.faults.planted.bugs import BUGS, SOURCE, Bug


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_it_can_be_planted(bug: Bug, tmp_path: Path) -> None:
    copy = tmp_path / "backburner" / bug.file
    copy.parent.mkdir(parents=True)
    shutil.copy(SOURCE / "backburner" / bug.file, copy)
    bug.plant(tmp_path)
    assert copy.read_text() != (SOURCE / "backburner" / bug.file).read_text()


def test_there_are_enough_and_each_has_a_name_of_its_own() -> None:
    assert len({bug.name for bug in BUGS}) == len(BUGS) >= 12
