"""`backburner work --isolation`, and what others say about jobs that have a process of their own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backburner import Backburner
from backburner.cli.main import main
from tests.worker import isolated


def test_a_worker_may_isolate_its_jobs(tmp_path: Path) -> None:
    url, path = f"sqlite:///{tmp_path}/jobs.db", tmp_path / "written"
    with Backburner(url, allow=["tests"]) as app:
        app.delay(isolated.tell_process_as_you_like)(str(path))
    arguments = ["work", "tests", "--url", url, "--exit-on-complete", "--quiet", "--isolation", "process"]
    assert main(arguments) == 0
    pid, parent = path.read_text().split()
    assert (pid != str(os.getpid()), parent) == (True, str(os.getpid()))


def test_there_is_no_other_isolation(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["work", "--isolation", "thread"]) == 2
    assert "--isolation" in capsys.readouterr().err
