"""Wrong uses, each with what the type checkers have to find in its line: `# E: code of mypy | rule of pyright`."""

from __future__ import annotations

from backburner import (
    Backburner,
    adelay,
    bulk,
    configure,
    delay,
    enqueue,
    enqueue_all,
    handle_asynchronously,
    job,
    jobs,
)
from tests.typing.right import Device, HelloEmailJob, User, add, fetch, send_welcome


def names_and_arguments(user: User) -> None:
    delay(user).activat("code")  # E: attr-defined | reportAttributeAccessIssue
    delay(user).activate(1)  # E: arg-type | reportArgumentType
    delay(user).activate()  # E: call-arg | reportCallIssue
    delay(user).activate("code", notfy=True)  # E: call-arg | reportCallIssue
    delay(user.activate)(1)  # E: arg-type | reportArgumentType
    user.delay.activat("code")  # E: attr-defined | reportAttributeAccessIssue
    user.delay.activate("code", True)  # E: call-arg | reportCallIssue
    user.delay(priority=5).activate(1)  # E: arg-type | reportArgumentType
    User.delay.import_all(1)  # E: arg-type | reportArgumentType
    User.delay(queue="mail").import_al("users.csv")  # E: attr-defined | reportAttributeAccessIssue


def options(user: User) -> None:
    delay(user, prio=5).activate("code")  # E: call-arg | reportCallIssue
    delay(user, priority="high").activate("code")  # E: arg-type | reportArgumentType
    delay(user, run_at="tomorrow").activate("code")  # E: arg-type | reportArgumentType
    delay(user, missing_record="ignore").activate("code")  # E: arg-type | reportArgumentType
    user.delay(prio=5).activate("code")  # E: call-arg | reportCallIssue
    user.delay(priority="high").activate("code")  # E: arg-type | reportArgumentType
    User.delay(prio=5).import_all("users.csv")  # E: call-arg | reportCallIssue
    enqueue(HelloEmailJob(user), prio=5)  # E: call-arg | reportCallIssue
    enqueue_all([HelloEmailJob(user)], queue=5)  # E: arg-type | reportArgumentType
    send_welcome.options(prio=5).delay(1)  # E: call-arg | reportCallIssue
    adelay(user, prio=5).activate("code")  # E: call-arg | reportCallIssue


def functions() -> None:
    send_welcome.delay("1")  # E: arg-type | reportArgumentType
    send_welcome.delay(1, land="de")  # E: call-arg | reportCallIssue
    send_welcome.options(priority=1).delay("1")  # E: arg-type | reportArgumentType
    send_welcome(1, lang=2)  # E: arg-type | reportArgumentType
    _number: str | None = add.delay(1, 2).result  # E: assignment | reportAssignmentType
    _body: str = fetch.delay("http://example.com").result  # E: assignment | reportAssignmentType


def methods(device: Device) -> None:
    device.deliver(1)  # E: arg-type | reportArgumentType
    device.deliver("book", fragle=True)  # E: call-arg | reportCallIssue
    device.deliver.now()  # E: call-arg | reportCallIssue
    _parcels: int = device.deliver("book")  # E: assignment | reportAssignmentType


@job(prio=3)  # E: call-overload | reportCallIssue
def misspelt() -> None:
    pass


@job(queue=3)  # E: call-overload | reportArgumentType
def mistyped() -> None:
    pass


class Gadget:
    @handle_asynchronously(prio=3)  # E: call-overload | reportCallIssue
    def deliver(self) -> None:
        pass


def apps(app: Backburner) -> None:
    configure("memory://", max_attempt=3)  # E: call-arg | reportCallIssue
    Backburner("memory://", max_attempts="3")  # E: arg-type | reportArgumentType
    app.delay_jobs = 3  # E: assignment | reportAttributeAccessIssue
    jobs.count(stat="failed")  # E: call-arg | reportCallIssue
    jobs.last(priority="high")  # E: arg-type | reportArgumentType
    with bulk(queue="mail"):  # E: call-arg | reportCallIssue
        pass
