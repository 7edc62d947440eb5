"""`examples/work/fan_out.py`: one mail for each subscriber, also when those who make the jobs are killed."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator

import pytest

from backburner import State
from examples.work.database import database
from examples.work.fan_out import MANY, send_issue
from tests.examples.work import Work, kill_worker
from tests.mail.servers import MailServer, running
from tests.worker.supervision.support import until

FEW = 5 * MANY
A_LOT = 300 * MANY
"""They take so long that somebody can interfere."""


def subscribe(count: int) -> list[str]:
    emails = [f"{number}@example.com" for number in range(count)]
    with database() as db:
        db.executemany("INSERT INTO subscribers (email) VALUES (?)", [(email,) for email in emails])
    return emails


@pytest.fixture
def server(work: Work, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    with running(MailServer()) as server:
        monkeypatch.setenv("WORK_MAIL", f"smtp://{server.address}?timeout=20")
        yield server


def copies(db: sqlite3.Connection) -> int:
    [(count,)] = db.execute("SELECT count(*) FROM backburner_jobs WHERE name = 'Newsletter.copy'")
    return int(count)


def marked(db: sqlite3.Connection) -> int:
    [(count,)] = db.execute("SELECT count(*) FROM deliveries")
    return int(count)


def receivers(server: MailServer) -> Counter[str]:
    return Counter(address for mail in server.received for address in mail.recipients)


def test_each_subscriber_gets_one_mail(work: Work, server: MailServer) -> None:
    subscribers = subscribe(FEW)
    issue = send_issue.delay(1)
    with work.worker("--concurrency", "4"):
        assert work.ended(issue).state is State.SUCCEEDED
        until(lambda: len(server.received) >= FEW, "all mails are there")
        until(lambda: work.app.jobs.count() == 0, "all jobs are done")
    assert receivers(server) == Counter(subscribers)
    assert {mail.email["Subject"] for mail in server.received} == {"Issue 1"}


def test_a_worker_that_is_killed_makes_no_job_twice_and_forgets_none(work: Work) -> None:
    subscribe(A_LOT)
    issue = send_issue.delay(1)
    with work.worker("--queues", "default") as supervisor:
        with work.halted(lambda db: copies(db) >= FEW) as db:
            kill_worker(supervisor)
            assert FEW <= copies(db) == marked(db) < A_LOT  # never the one without the other
        done = work.ended(issue)
    assert (done.state, done.crashes) == (State.SUCCEEDED, 1)
    told = Counter(job.payload.args for job in work.app.jobs.where(name="Newsletter.copy"))
    assert told == Counter((1, number) for number in range(1, A_LOT + 1))


def test_an_issue_that_is_sent_again_makes_no_job(work: Work) -> None:
    subscribe(FEW)
    jobs = [send_issue.delay(1), send_issue.delay(1)]
    with work.worker("--queues", "default"):
        assert [work.ended(job).state for job in jobs] == [State.SUCCEEDED] * 2
    assert work.app.jobs.count(name="Newsletter.copy") == FEW


def test_who_has_left_since_gets_no_mail(work: Work, server: MailServer) -> None:
    subscribe(2)
    issue = send_issue.delay(1)
    with work.worker("--queues", "default"):
        assert work.ended(issue).state is State.SUCCEEDED
    with database() as db:
        db.execute("DELETE FROM subscribers WHERE id = 1")
    first, second = work.app.jobs.where(name="Newsletter.copy")
    with work.worker("--queues", "mail"):
        assert [work.ended(first).state, work.ended(second).state] == [State.CANCELLED, State.SUCCEEDED]
    assert receivers(server) == Counter(["1@example.com"])
