"""The kinds of work as a person tries them: one command makes a job, another one performs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from backburner import State
from examples.work.database import database
from tests.cli import support
from tests.examples.work import ROOT, Work

EXAMPLES = {
    "api": "examples.work.api:charge",
    "calculations": "examples.work.calculations:count_primes",
    "downloads": "examples.work.downloads:download",
    "fan_out": "examples.work.fan_out:send_issue",
    "images": "examples.work.images:make_thumbnails",
    "mail": "examples.work.mail:SendReceipt",
    "uploads": "examples.work.uploads:upload",
    "writes": "examples.work.writes:import_prices",
}
MOST_LINES = 60


def make(example: str, *arguments: str) -> str:
    command = [sys.executable, "-m", f"examples.work.{example}", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def perform_all() -> support.Result:
    return support.run("work", "--app", "examples.work.app:app", "--exit-on-complete", "--quiet", cwd=ROOT)


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_makes_a_job_from_the_command_line(work: Work, example: str) -> None:
    arguments = ("http://127.0.0.1/film", "film") if example in ("downloads", "uploads") else ("7",)
    printed = make(example, *arguments)
    job = work.app.jobs.last()
    assert job is not None
    assert printed == f"{job.handler}\n"
    assert f'"{EXAMPLES[example]}"' in job.handler


def test_a_job_that_was_made_is_performed(work: Work) -> None:
    make("calculations", "100")
    assert perform_all().code == 0
    assert work.rows("SELECT primes FROM counts") == [(25,)]


def test_mail_is_shown_where_there_is_no_server(work: Work) -> None:
    with database() as db:
        db.execute("INSERT INTO orders (id, email, cents) VALUES (7, 'ann@example.com', 1250)")
    make("mail", "7")
    shown = perform_all()
    assert (shown.code, shown.out.count("Subject: Receipt for order 7")) == (0, 1)
    assert work.app.jobs.count(state=State.SUCCEEDED) == 1


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_is_short(example: str) -> None:
    text = Path(ROOT / "examples" / "work" / f"{example}.py").read_text()
    assert len(text.splitlines()) < MOST_LINES
