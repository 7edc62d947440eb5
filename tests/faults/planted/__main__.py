"""Plant each bug and see whether the tests find it: `python -m tests.faults.planted [part of a name …]`.

The source is copied, and the copy is what is tested. A test that fails counts only if it passes without the bug.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.faults.planted.bugs import BUGS, SOURCE, Bug
from tests.servers.keeping import ROOT

CONTRACTS = {
    "sqlite": "tests/stores/test_contract.py",
    "postgres": "tests/stores/test_postgres_contract.py",
    "mariadb": "tests/stores/test_mysql_contract.py",
}
FENCE = "tests/worker/test_fence.py::test_no_job_is_started_when_the_lease_is_about_to_end"
INTERLEAVINGS = "tests/faults/test_interleavings.py"
OTHERS = tuple(
    f"tests/faults/test_{name}.py"
    for name in ("failing_store", "every_statement", "pauses", "crash_points", "lost_messages")
)


def suite_of(store: str) -> list[str]:
    """Return the files of tests for a store: what finds something in the least time comes first."""
    if store == "sqlite":
        return [FENCE, OTHERS[0], CONTRACTS[store], *OTHERS[1:], INTERLEAVINGS]
    return [INTERLEAVINGS, *OTHERS, CONTRACTS[store]]


CHOSEN = {
    "sqlite": "SQLite or sqlite",
    "postgres": "TestPostgres or postgres",
    "mariadb": "TestMySQL or mariadb",
}
AT_MOST = 60.0
"""Seconds until a bug must have been found."""

TIMEOUT = 180.0


class Found(NamedTuple):
    """How a bug was found."""

    bug: Bug
    seconds: float
    test: str | None
    """None: it was not."""
    passes_without: bool

    @property
    def is_good(self) -> bool:
        """Whether it was found in time, by a test that passes without it."""
        return self.test is not None and self.passes_without and self.seconds <= AT_MOST

    def __str__(self) -> str:
        if self.test is None:
            return f"NOT FOUND  {self.seconds:5.1f} s  {self.bug.name} [{self.bug.store}]"
        said = "found" if self.is_good else "TOO LATE" if self.passes_without else "FAILS ANYHOW"
        return f"{said:10} {self.seconds:5.1f} s  {self.bug.name} [{self.bug.store}]: {self.test}"


def main(wanted: Sequence[str]) -> int:
    """Try the bugs whose names have one of these parts, or all; return how many were not found as they must be."""
    bugs = [bug for bug in BUGS if not wanted or any(part in bug.name for part in wanted)]
    missed = 0
    for bug in bugs:
        found = hunt(bug)
        missed += not found.is_good
        print(found, flush=True)
    print(f"{len(bugs) - missed} of {len(bugs)} planted bugs were found within {AT_MOST:.0f} s each")
    return missed


def hunt(bug: Bug) -> Found:
    """Plant a bug in a copy of the source, and run the tests on it until one fails."""
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        source = Path(folder) / "src"
        shutil.copytree(SOURCE, source, ignore=shutil.ignore_patterns("__pycache__"))
        bug.plant(source)
        expect_used(source)
        began = time.monotonic()
        test = first_failure(source, [*suite_of(bug.store), "-k", CHOSEN[bug.store]])
        seconds = time.monotonic() - began
    return Found(bug, seconds, test, test is not None and first_failure(SOURCE, [test]) is None)


def first_failure(source: Path, arguments: Sequence[str]) -> str | None:
    """Run tests on a source until one fails; return which."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "-p", "no:cacheprovider", "--tb=no"]
    done = subprocess.run(
        [*command, *arguments],
        check=False,
        cwd=ROOT,
        env=environment(source),
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    found = re.search(r"^(?:FAILED|ERROR) (\S+(?:\[.*?\])?)(?: - .*)?$", done.stdout, re.MULTILINE)
    if done.returncode != 0 and found is None:
        raise RuntimeError(f"the tests did not run:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return found[1] if found else None


def expect_used(source: Path) -> None:
    """Make sure that it is the copy which is going to be tested."""
    code = "import backburner; print(backburner.__file__)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=True, env=environment(source), capture_output=True, text=True, cwd=ROOT)
    if not Path(done.stdout.strip()).is_relative_to(source):
        raise RuntimeError(f"expected the tests to use the copy in {source}, got {done.stdout.strip()}")


def environment(source: Path) -> dict[str, str]:
    """Return the environment in which a source is used."""
    return {**os.environ, "PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
