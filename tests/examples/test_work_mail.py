"""`examples/work/mail.py`, with a real mail server that is out of order, refuses, and is not heard to the end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from backburner import State, enqueue
from examples.work.database import database
from examples.work.mail import SendReceipt
from tests.examples.work import Work, kill_worker
from tests.mail.servers import MailServer, running
from tests.worker.supervision.support import SOON


@dataclass
class Moody(MailServer):
    """A mail server that may say something else first, and may take a mail without saying so."""

    moods: list[str] = field(default_factory=list)
    """What it says to its next recipients."""
    says_so: threading.Event = field(default_factory=threading.Event)
    has_taken: threading.Event = field(default_factory=threading.Event)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802  # aiosmtpd looks for this name
        if self.moods:
            return self.moods.pop(0)
        return await super().handle_RCPT(server, session, envelope, address, options)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  # and for this one
        answer = await super().handle_DATA(server, session, envelope)
        self.has_taken.set()
        await asyncio.to_thread(self.says_so.wait, SOON)
        return answer


@pytest.fixture
def server(work: Work, monkeypatch: pytest.MonkeyPatch) -> Iterator[Moody]:
    with database() as db:
        db.execute("INSERT INTO orders (id, email, cents) VALUES (7, 'ann@example.com', 1250)")
    with running(Moody()) as server:
        server.says_so.set()
        monkeypatch.setenv("WORK_MAIL", f"smtp://{server.address}?timeout=20")
        yield server


def test_a_receipt_is_sent_once_and_marked(work: Work, server: Moody) -> None:
    first, second = enqueue(SendReceipt(7)), enqueue(SendReceipt(7))
    with work.worker():
        assert {work.ended(first).state, work.ended(second).state} == {State.SUCCEEDED}
    [mail] = server.received
    assert (mail.recipients, mail.email["Subject"]) == (["ann@example.com"], "Receipt for order 7")
    assert mail.email.get_content().strip() == "Paid: 12.50 EUR"
    assert work.rows("SELECT receipt_sent_at IS NOT NULL FROM orders") == [(1,)]


def test_a_server_that_is_busy_is_asked_again(work: Work, server: Moody) -> None:
    server.moods = ["451 busy, later please"]
    job = enqueue(SendReceipt(7))
    with work.worker():
        failed = work.try_again_now(job)
        assert work.ended(job).state is State.SUCCEEDED
    assert "busy, later please" in str(failed.last_error)
    assert len(server.received) == 1


def test_an_address_that_does_not_exist_is_not_tried_again(work: Work, server: Moody) -> None:
    server.moods = ["550 nobody of this name here"]
    job = enqueue(SendReceipt(7))
    with work.worker():
        failed = work.ended(job)
    assert (failed.state, failed.attempts) == (State.FAILED, 1)
    assert "there is no such address: ann@example.com" in str(failed.last_error)
    assert server.received == []


def test_an_order_that_is_gone_needs_no_receipt(work: Work, server: Moody) -> None:
    job = enqueue(SendReceipt(8))
    with work.worker():
        assert work.ended(job).state is State.CANCELLED
    assert server.received == []


def test_a_worker_that_is_killed_before_it_hears_the_answer_sends_what_a_receiver_can_tell(
    work: Work, server: Moody
) -> None:
    server.says_so.clear()
    job = enqueue(SendReceipt(7))
    with work.worker() as supervisor:
        assert server.has_taken.wait(SOON)
        kill_worker(supervisor)
        server.says_so.set()
        done = work.ended(job)
    assert (done.state, done.crashes, done.attempts) == (State.SUCCEEDED, 1, 0)
    assert [mail.email["Message-ID"] for mail in server.received] == [f"<{job.id}@shop.example>"] * 2
