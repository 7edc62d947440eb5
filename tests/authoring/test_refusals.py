"""What cannot become a job is refused at the enqueueing line, with the path of the value, and nothing is stored."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from functools import partial

import pytest

from backburner import (
    Backburner,
    Delayable,
    EnqueueError,
    NotAllowed,
    NotImportable,
    NotSerializable,
    UnsavedRecord,
    WrongArguments,
    adelay,
    delay,
    enqueue,
    jobs,
)
from tests.authoring import shop


@dataclass
class Order:
    items: list[object]

    def perform(self) -> None:
        pass

    def ship(self) -> None:
        pass


class Local:
    """Not under `allow`, and without a mixin."""

    def run(self) -> None:
        pass


def unmarked() -> None:
    pass


@pytest.fixture
def open_app(app):
    app.allow(__name__)
    return app


@pytest.mark.parametrize(
    ("enqueue_it", "error", "message"),
    [
        (lambda: delay(Order([1, 2, 3, threading.Lock()])).ship(), NotSerializable, r"items\[3\]"),
        (lambda: enqueue(Order([{"key": [object()]}])), NotSerializable, r"items\[0\]\['key'\]\[0\]"),
        (lambda: shop.send_welcome.delay(object()), NotSerializable, r"args\[0\]"),
        (lambda: shop.send_welcome.delay(1, lang=object()), NotSerializable, r"kwargs\['lang'\]"),
        (lambda: shop.send_welcome.delay(shop.User(None, "new")), UnsavedRecord, r"args\[0\]"),
        (lambda: delay(shop.User(None, "new")).activate("x"), UnsavedRecord, "User"),
        (lambda: shop.User(None, "new").delay.activate("x"), UnsavedRecord, "User"),
        (lambda: delay(lambda: 1)(), NotImportable, "is a lambda"),
        (lambda: shop.send_welcome.delay(lambda: 1), EnqueueError, r"args\[0\]"),
        (lambda: adelay(lambda: 1)().send(None), NotImportable, "is a lambda"),
    ],
)
def test_the_error_is_at_the_line(open_app, enqueue_it, error, message):
    with pytest.raises(error, match=message):
        enqueue_it()
    assert jobs.count() == 0


def test_local_classes_cannot_be_found_again(open_app):
    class Inner(Delayable):
        def run(self) -> None:
            pass

    for refused in (lambda: Inner().delay.run(), lambda: delay(Inner).run(), lambda: delay(Inner().run)()):
        with pytest.raises(EnqueueError):
            refused()
    assert jobs.count() == 0


@pytest.mark.parametrize(
    "refused",
    [
        lambda: delay(Local()).run(),
        lambda: delay(unmarked)(),
        lambda: delay(os).system("true"),
        lambda: delay(os.system)("true"),
        lambda: delay(print)("x"),
        lambda: delay("abc").upper(),
        lambda: enqueue(Local()),
    ],
)
def test_only_what_is_allowed_may_be_named(app, refused):
    with pytest.raises(EnqueueError):
        refused()
    assert jobs.count() == 0


def test_the_message_has_the_line_to_write(app):
    with pytest.raises(NotAllowed, match=r'configure\(url, allow=\["tests"\]\)'):
        delay(Local()).run()
    app.allow(__name__)
    delay(Local()).run()


def test_allow_is_of_one_app(app):
    with Backburner("memory://", allow=[__name__]) as other:
        other.delay(unmarked)()
        with pytest.raises(NotAllowed):
            app.delay(unmarked)()


def test_marked_code_needs_no_allowance():
    with Backburner("memory://") as app:
        app.delay(shop.send_welcome)(1)
        app.delay(shop.User(1, "Ann")).activate("x")
        app.delay(shop.User).import_all("x")
        assert app.jobs.count() == 3


def test_partials_are_no_functions(open_app):
    with pytest.raises(WrongArguments, match="__call__: expected the call of a method of partial"):
        delay(partial(shop.plain, 1))()


def test_a_method_that_is_not_what_its_name_means(open_app, user):
    bound = user.activate
    shadow = type(user).explode.__get__(user)
    shadow.__func__.__name__ = "activate"
    try:
        assert delay(bound)("x").name == "User.activate"
        with pytest.raises(NotImportable, match="is not what 'activate' means on User"):
            delay(shadow)()
    finally:
        shadow.__func__.__name__ = "explode"


def test_super_is_not_what_a_worker_would_call(open_app):
    class Child(shop.User):
        def activate(self, code: str, notify: bool = False) -> str:
            return str(delay(super().activate)(code))

    with pytest.raises(NotImportable, match="expected a method that a worker finds again by its name"):
        Child(9, "Eve").activate("x")


def test_secrets_of_records_stay_out_of_the_handler(app, user):
    order = shop.send_welcome.delay(user)
    assert "s3cret" not in order.handler
    assert "Ann" in order.handler


def test_records_may_be_shown_by_their_keys_only(user):
    with Backburner("memory://", record_attributes=False) as app:
        handler = app.delay(user).activate("x").handler
        assert "Ann" not in handler
        assert app.jobs.last().payload.target is user
