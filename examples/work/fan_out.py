"""Jobs that enqueue jobs: an issue of a newsletter, of which each subscriber gets one mail, whatever is killed when."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from backburner import Cancel, bulk, current_job, job
from backburner.mail import Mailer, Message

from .database import database

MANY = 50

NEW = "INSERT INTO deliveries SELECT ?, id FROM subscribers WHERE id BETWEEN ? AND ? ON CONFLICT DO NOTHING RETURNING *"


class Newsletter(Mailer):
    sender = "News <news@shop.example>"

    @classmethod
    def copy(cls, issue: int, subscriber: int) -> Message:
        with database() as db:
            found = db.execute("SELECT email FROM subscribers WHERE id = ?", (subscriber,)).fetchone()
        if found is None:
            raise Cancel("has left since")
        return Message(to=found[0], subject=f"Issue {issue}", body="What is new")


@job(max_attempts=5, max_run_time=600)
def send_issue(issue: int) -> None:
    """Make a job for each subscriber: one of its own, so that each is retried alone."""
    for first, last in current_job().steps(spans, cursor=lambda span: span[1]):
        # The mark that it is to be delivered and the job that delivers it are one transaction. So a span that is
        # done again, since this worker died behind the commit, finds all marked and makes no job.
        with database() as db:
            marked = db.execute(NEW, (issue, first, last)).fetchall()
            with bulk():
                for _, subscriber in marked:
                    Newsletter.delay(connection=db, queue="mail", priority=10).copy(issue, subscriber)


def spans(last: int | None) -> Iterator[tuple[int, int]]:
    """Yield the first and the last key of some subscribers at a time."""
    asked = "SELECT min(id), max(id) FROM (SELECT id FROM subscribers WHERE id > ? ORDER BY id LIMIT ?)"
    while True:
        with database() as db:
            [(first, last)] = db.execute(asked, (last or 0, MANY))
        if first is None:
            return
        yield first, last


if __name__ == "__main__":
    from .app import app

    with app:
        print(send_issue.delay(int(sys.argv[1])).handler)
