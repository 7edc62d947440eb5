"""Mailers: messages that are built and sent now, or in a worker."""

from __future__ import annotations

import inspect
import json
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest

from backburner import Backburner, Job, UnknownMethod, WrongArguments
from backburner.mail import Attachment, InvalidMessage, Mailer, Message, deliver
from tests.mail.mailers import RESULTS, Letters, ShopMailer, User


@pytest.fixture(autouse=True)
def _app(app: Backburner) -> Backburner:
    return app


def delivered() -> Any:
    """Return what was delivered, which must be one mail."""
    (mail,) = Mailer.deliveries
    return mail


def call_in(job: Job[Any]) -> Any:
    return json.loads(job.handler)["call"]


def test_a_message_is_delivered_at_once(app: Backburner, user: User) -> None:
    ShopMailer.hello(user).deliver()
    assert delivered() == Message(
        to="ann@example.com", subject="Welcome", body="Dear Ann", sender="Shop <shop@example.com>"
    )
    assert app.jobs.count() == 0


def test_a_delayed_mailer_builds_and_delivers_in_the_worker(app: Backburner, user: User) -> None:
    job: Any = ShopMailer.delay.hello(user, lang="de")
    assert (job.name, job.queue) == ("ShopMailer.hello", "default")
    assert Mailer.deliveries == []
    user.name = "Anna"
    assert app.worker().work_off() == (1, 0)
    assert delivered() == Message("anna@example.com", "Willkommen", "Dear Anna", sender=ShopMailer.sender)


def test_options_of_a_delayed_mailer(app: Backburner, user: User) -> None:
    job: Any = ShopMailer.delay(queue="mail", priority=5).hello(user)
    assert (job.queue, job.priority) == ("mail", 5)
    assert app.delay(ShopMailer, queue="mail").hello(user).queue == "mail"  # type: ignore[attr-defined]  # it is a Job


def test_the_method_and_its_arguments_are_checked_where_the_mail_is_delayed(app: Backburner, user: User) -> None:
    with pytest.raises(UnknownMethod, match=r"ShopMailer has no method helo; did you mean hello\?"):
        ShopMailer.delay.helo(user)  # type: ignore[attr-defined]
    with pytest.raises(WrongArguments, match=r"ShopMailer.hello\(user: 'User', \*, lang: 'str' = 'en'\) .*missing"):
        ShopMailer.delay.hello()  # type: ignore[call-arg]
    assert app.jobs.count() == 0


def test_a_method_keeps_its_name_signature_and_docstring() -> None:
    assert ShopMailer.hello.__qualname__ == "ShopMailer.hello"
    assert ShopMailer.hello.__doc__ == "Welcome a user."
    assert list(inspect.signature(ShopMailer.hello).parameters) == ["user", "lang"]


def test_deliver_later_enqueues_the_call_that_built_the_message(app: Backburner, user: User) -> None:
    later = ShopMailer.hello(user, lang="de").deliver_later(queue="mail", run_at=timedelta(0))
    delayed: Any = ShopMailer.delay(queue="mail").hello(user, lang="de")
    assert (later.name, later.queue, later.handler) == (delayed.name, delayed.queue, delayed.handler)
    assert app.worker().work_off() == (2, 0)
    assert Mailer.deliveries[0] == Mailer.deliveries[1] == ShopMailer.hello(user, lang="de")


async def deliver_later_awaiting(user: User) -> None:
    await ShopMailer.hello(user).adeliver_later(queue="mail")
    await replace(ShopMailer.hello(user), subject="Changed").adeliver_later(queue="mail")


def test_deliver_later_awaiting(app: Backburner, user: User) -> None:
    import asyncio

    asyncio.run(deliver_later_awaiting(user))
    assert [job.name for job in app.jobs.where(queue="mail")] == ["ShopMailer.hello", "Message"]
    assert app.worker().work_off() == (2, 0)
    assert [mail.subject for mail in Mailer.deliveries] == ["Welcome", "Changed"]


def change_subject(message: Message) -> Message:
    message.subject = "Changed"
    return message


def change_recipients(message: Message) -> Message:
    message.to.append("bob@example.com")
    return message


def change_headers(message: Message) -> Message:
    message.headers["X-A"] = "1"
    return message


def change_copy(message: Message) -> Message:
    return replace(message, attachments=[("a.bin", b"\x00\xff")])  # type: ignore[list-item]  # it becomes an Attachment


@pytest.mark.parametrize("change", [change_subject, change_recipients, change_headers, change_copy])
def test_deliver_later_enqueues_a_changed_message_as_it_is(app: Backburner, user: User, change: Any) -> None:
    message = change(ShopMailer.hello(user))
    job = message.deliver_later(queue="mail")
    assert (job.name, job.queue) == ("Message", "mail")
    user.name = "Anna"
    assert app.worker().work_off() == (1, 0)
    assert delivered() == message


def test_a_message_that_no_mailer_built_is_enqueued_as_it_is(app: Backburner) -> None:
    message = Message(
        to=["Ann <ann@example.com>"],
        subject="Hello",
        body="text",
        html="<p>",
        sender="shop@example.com",
        cc="bob@example.com",
        bcc="cy@example.com",
        reply_to="dee@example.com",
        headers={"X-A": "1"},
        attachments=[Attachment("a.bin", b"\x00\xff", "application/x-a")],
    )
    message.deliver_later()
    assert app.worker().work_off() == (1, 0)
    assert delivered() == message


def test_a_message_of_an_earlier_release_is_still_read(app: Backburner) -> None:
    job = Message("ann@example.com", "Hello", sender="shop@example.com").deliver_later()
    handler = json.loads(job.handler)
    for name in ("html", "cc", "reply_to", "headers", "attachments"):
        del handler["object"]["fields"][name]
    message: Any = app.codec.load(json.dumps(handler))
    assert message == Message("ann@example.com", "Hello", sender="shop@example.com")
    message.deliver()
    assert delivered() == message


def test_the_sender_of_a_message_goes_before_that_of_the_class(app: Backburner, user: User) -> None:
    assert ShopMailer.from_support(user).sender == "help@example.com"
    ShopMailer.delay.from_support(user)
    app.worker().work_off()
    assert delivered().sender == "help@example.com"


def test_a_mailer_that_extends_another(app: Backburner, user: User) -> None:
    assert Letters.hello(user).sender == Letters.sender
    job = Letters.hello(user, lang="de").deliver_later()
    assert job.name == "Letters.hello"
    assert call_in(job)["on"] == {"$class": "tests.mail.mailers:Letters"}
    assert Letters.from_support(user).deliver_later().name == "Letters.from_support"
    app.worker().work_off()
    assert [mail.subject for mail in Mailer.deliveries] == ["Willkommen!", ""]


def test_a_static_method(app: Backburner, user: User) -> None:
    message = ShopMailer.static(user)
    assert message.sender == ShopMailer.sender
    message.deliver_later()
    ShopMailer.delay.static(user)
    assert {job.name for job in app.jobs.where()} == {"ShopMailer.static"}
    assert app.worker().work_off() == (2, 0)
    assert Mailer.deliveries == [message, message]


def test_an_async_method(app: Backburner, user: User) -> None:
    import asyncio

    message = asyncio.run(ShopMailer.slowly(user))
    assert message.sender == ShopMailer.sender
    message.deliver_later()
    job: Any = ShopMailer.delay.slowly(user)
    assert job.name == "ShopMailer.slowly"
    assert app.worker().work_off() == (2, 0)
    assert Mailer.deliveries == [message, message]


def test_a_method_that_always_runs_in_the_background(app: Backburner, user: User) -> None:
    job = ShopMailer.always_later(user)
    assert (job.name, job.queue) == ("ShopMailer.always_later", "mail")
    app.worker().work_off()
    assert delivered() == Message("ann@example.com", "later", sender=ShopMailer.sender)


def test_a_standard_email_is_delivered(app: Backburner, user: User) -> None:
    ShopMailer.delay.standard(user)
    assert app.worker().work_off() == (1, 0)
    assert delivered()["To"] == "ann@example.com"
    assert delivered()["Date"] is not None
    assert delivered()["Message-ID"].endswith("@example.com>")
    deliver(ShopMailer.standard(user))
    assert len(Mailer.deliveries) == 2


class Sends:
    def __init__(self) -> None:
        self.sent: list[str] = []


class HasDeliver(Sends):
    def deliver(self) -> None:
        self.sent.append("deliver")


class HasSend(Sends):
    def send(self) -> int:
        self.sent.append("send")
        return 1


class HasBoth(HasDeliver, HasSend):
    pass


class HasAsyncDeliver(Sends):
    async def deliver(self) -> None:
        self.sent.append("deliver")


@pytest.mark.parametrize(
    ("mail", "sent"),
    [(HasDeliver(), "deliver"), (HasSend(), "send"), (HasBoth(), "deliver"), (HasAsyncDeliver(), "deliver")],
)
def test_what_can_be_sent_is_sent(app: Backburner, monkeypatch: pytest.MonkeyPatch, mail: Sends, sent: str) -> None:
    monkeypatch.setitem(RESULTS, "mail", mail)
    job: Any = ShopMailer.delay.anything("mail")
    assert app.worker().work_off() == (1, 0)
    assert mail.sent == [sent]
    assert app.jobs.get(job.id).result is None


@pytest.mark.parametrize("result", [None, "text", b"bytes", 7, EmailMessage])
def test_anything_else_is_an_error_of_the_job(app: Backburner, monkeypatch: pytest.MonkeyPatch, result: Any) -> None:
    monkeypatch.setitem(RESULTS, "mail", result)
    job: Any = ShopMailer.delay.anything("mail")
    assert app.worker().work_off() == (0, 1)
    assert (app.jobs.get(job.id).last_error or "").splitlines()[0] == (
        "InvalidMessage: expected the mailer's method to return a Message, an EmailMessage "
        f"or anything with deliver() or send(), got {result!r}"
    )


def test_anything_else_cannot_be_delivered_at_once() -> None:
    with pytest.raises(InvalidMessage) as raised:
        deliver(None)
    assert str(raised.value) == (
        "expected the mailer's method to return a Message, an EmailMessage "
        "or anything with deliver() or send(), got None"
    )


def test_each_attempt_of_a_job_sends_the_same_message_id(app: Backburner, user: User) -> None:
    job: Any = ShopMailer.delay.hello(user)
    by_value = Message("ann@example.com", sender="shop@example.com").deliver_later()
    app.worker().work_off()
    ids = [mail.to_email()["Message-ID"] for mail in Mailer.deliveries]
    assert ids == [f"<{job.id}@example.com>", f"<{by_value.id}@example.com>"]


def test_a_delayed_call_that_is_performed_by_hand_is_delivered(user: User) -> None:
    job: Any = ShopMailer.delay.hello(user)
    job.payload.perform()
    assert delivered() == ShopMailer.hello(user)


def test_delay_on_a_message_tells_the_right_form(user: User) -> None:
    with pytest.raises(UnknownMethod) as raised:
        ShopMailer.hello(user).delay  # noqa: B018  # reading it raises
    assert str(raised.value) == (
        "expected ShopMailer.delay.hello(…), which builds and sends the message in the worker, "
        "or .deliver_later() on the message; got .delay on a message that is built already"
    )
    with pytest.raises(UnknownMethod, match=r"^expected Mailer.delay.hello\(user\), which builds"):
        Message().delay()


def test_a_message_that_cannot_be_sent_fails_its_job(app: Backburner) -> None:
    job = Message("ann@example.com").deliver_later()
    assert app.worker().work_off() == (0, 1)
    assert (app.jobs.get(job.id).last_error or "").startswith("InvalidMessage: sender: expected sender=")
    assert app.jobs.get(job.id).state == "failed"


def test_mail_is_performed_inline_too(app: Backburner, user: User) -> None:
    app.delay_jobs = False
    ShopMailer.delay.hello(user)
    ShopMailer.hello(user).deliver_later()
    assert Mailer.deliveries == [ShopMailer.hello(user)] * 2
