"""Wrong uses, each with what the type checkers have to find in its line: `# E: mypy | pyright | pyrefly`."""

from __future__ import annotations

from backburner import (
    Backburner,
    Retry,
    adelay,
    bulk,
    configure,
    current_job,
    delay,
    enqueue,
    enqueue_all,
    handle_asynchronously,
    job,
    jobs,
)
from backburner.mail import Message
from backburner.testing import harness
from tests.typing.right import Device, HelloEmailJob, Report, User, Welcome, add, fetch, send_welcome


def names_and_arguments(user: User) -> None:
    delay(user).activat("code")  # E: attr-defined | reportAttributeAccessIssue | missing-attribute
    delay(user).activate(1)  # E: arg-type | reportArgumentType | bad-argument-type
    delay(user).activate()  # E: call-arg | reportCallIssue | missing-argument
    delay(user).activate("code", notfy=True)  # E: call-arg | reportCallIssue | unexpected-keyword
    delay(user.activate)(1)  # E: arg-type | reportArgumentType | bad-argument-type
    user.delay.activat("code")  # E: attr-defined | reportAttributeAccessIssue | missing-attribute
    user.delay.activate("code", True)  # E: call-arg | reportCallIssue | bad-argument-count
    user.delay(priority=5).activate(1)  # E: arg-type | reportArgumentType | bad-argument-type
    User.delay.import_all(1)  # E: arg-type | reportArgumentType | bad-argument-type
    User.delay(queue="mail").import_al("users.csv")  # E: attr-defined | reportAttributeAccessIssue | missing-attribute


def options(user: User) -> None:
    delay(user, prio=5).activate("code")  # E: call-arg | reportCallIssue | unexpected-keyword
    delay(user, priority="high").activate("code")  # E: arg-type | reportArgumentType | bad-argument-type
    delay(user, run_at="tomorrow").activate("code")  # E: arg-type | reportArgumentType | bad-argument-type
    delay(user, missing_record="ignore").activate("code")  # E: arg-type | reportArgumentType | bad-argument-type
    user.delay(prio=5).activate("code")  # E: call-arg | reportCallIssue | unexpected-keyword
    user.delay(priority="high").activate("code")  # E: arg-type | reportArgumentType | bad-argument-type
    User.delay(prio=5).import_all("users.csv")  # E: call-arg | reportCallIssue | unexpected-keyword
    enqueue(HelloEmailJob(user), prio=5)  # E: call-arg | reportCallIssue | unexpected-keyword
    enqueue_all([HelloEmailJob(user)], queue=5)  # E: arg-type | reportArgumentType | bad-argument-type
    send_welcome.options(prio=5).delay(1)  # E: call-arg | reportCallIssue | unexpected-keyword
    adelay(user, prio=5).activate("code")  # E: call-arg | reportCallIssue | unexpected-keyword


def functions() -> None:
    send_welcome.delay("1")  # E: arg-type | reportArgumentType | bad-argument-type
    send_welcome.delay(1, land="de")  # E: call-arg | reportCallIssue | unexpected-keyword
    send_welcome.options(priority=1).delay("1")  # E: arg-type | reportArgumentType | bad-argument-type
    send_welcome.delay()  # E: call-arg | reportCallIssue | missing-argument
    send_welcome.delay(1, "de")  # E: call-arg | reportCallIssue | bad-argument-count
    fetch.delay(1)  # E: arg-type | reportArgumentType | bad-argument-type
    fetch.delay()  # E: call-arg | reportCallIssue | missing-argument
    fetch.options(queue="slow").delay("http://example.com", 3)  # E: call-arg | reportCallIssue | bad-argument-count
    send_welcome(1, lang=2)  # E: arg-type | reportArgumentType | bad-argument-type
    _number: str | None = add.delay(1, 2).result  # E: assignment | reportAssignmentType | bad-assignment
    _body: str = fetch.delay("http://example.com").result  # E: assignment | reportAssignmentType | bad-assignment


def methods(device: Device) -> None:
    device.deliver(1)  # E: arg-type | reportArgumentType | bad-argument-type
    device.deliver("book", fragle=True)  # E: call-arg | reportCallIssue | unexpected-keyword
    device.deliver.now()  # E: call-arg | reportCallIssue | missing-argument
    device.locate("here")  # E: call-arg | reportCallIssue | bad-argument-count
    device.import_all(1)  # E: arg-type | reportArgumentType | bad-argument-type
    device.import_all()  # E: call-arg | reportCallIssue | missing-argument
    _place: str = device.locate().result  # E: assignment | reportAssignmentType | bad-assignment
    _parcels: int = device.deliver("book")  # E: assignment | reportAssignmentType | bad-assignment


def mailers(user: User) -> None:
    Welcome.delay.helo(user)  # E: attr-defined | reportAttributeAccessIssue | missing-attribute
    Welcome.delay.hello()  # E: call-arg | reportCallIssue | missing-argument
    Welcome.delay(queue="mail").hello(user, langg="de")  # E: call-arg | reportCallIssue | unexpected-keyword
    Welcome.hello(user).deliver_later(prio=3)  # E: call-arg | reportCallIssue | unexpected-keyword
    Message(too="ann@example.com")  # E: call-arg | reportCallIssue | unexpected-keyword


def within_jobs() -> None:
    Retry("soon")  # E: arg-type | reportArgumentType | bad-argument-type
    current_job().report_progress("half")  # E: arg-type | reportArgumentType | bad-argument-type
    Report("2026")  # E: arg-type | reportArgumentType | bad-argument-type
    enqueue(Report())  # E: call-arg | reportCallIssue | missing-argument


@job(prio=3)  # E: call-overload | reportCallIssue | unexpected-keyword
def misspelt() -> None:
    pass


@job(queue=3)  # E: call-overload | reportArgumentType | bad-argument-type
def mistyped() -> None:
    pass


class Gadget:
    @handle_asynchronously(prio=3)  # E: call-overload | reportCallIssue | unexpected-keyword
    def deliver(self) -> None:
        pass


def apps(app: Backburner) -> None:
    configure("memory://", max_attempt=3)  # E: call-arg | reportCallIssue | unexpected-keyword
    Backburner("memory://", max_attempts="3")  # E: arg-type | reportArgumentType | bad-argument-type
    app.delay_jobs = 3  # E: assignment | reportAttributeAccessIssue | bad-argument-type
    jobs.count(stat="failed")  # E: call-arg | reportCallIssue | unexpected-keyword
    jobs.last(priority="high")  # E: arg-type | reportArgumentType | bad-argument-type
    app.worker("mail", concurency=3)  # E: call-arg | reportCallIssue | unexpected-keyword
    with harness(app, mode="inlined"):  # E: arg-type | reportArgumentType | bad-argument-type
        pass
    with bulk(queue="mail"):  # E: call-arg | reportCallIssue | unexpected-keyword
        pass
