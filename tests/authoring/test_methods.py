"""`@handle_asynchronously`: methods that always run in the background."""

from __future__ import annotations

import asyncio
import copy
import inspect
import pickle
from datetime import timedelta

import pytest

from backburner import (
    Delayable,
    InvalidOption,
    Job,
    NotImportable,
    UnknownMethod,
    UnknownOption,
    WrongArguments,
    adelay,
    delay,
    handle_asynchronously,
)
from tests.authoring import shop


@pytest.fixture
def device() -> shop.Device:
    return shop.Device("Lorry", urgency=-3)


def test_a_call_enqueues_and_now_runs(app, device, done):
    job = device.deliver("book", fragile=True)
    assert isinstance(job, Job)
    assert done == []
    assert device.deliver.now("vase") == "vase delivered"
    assert done == [("deliver", "Lorry", "vase", False)]
    assert app.worker().perform(job)
    assert done[1:] == [("deliver", "Lorry", "book", True)]
    assert app.jobs.count() == 0, "performing it must not enqueue it again"


def test_options_are_asked_at_each_call(app, device):
    job = device.deliver("book")
    assert (job.queue, job.priority, job.tags) == ("devices", -3, ("device",))
    assert job.run_at - job.created_at == timedelta(minutes=5)
    device.urgency = 8
    assert device.deliver("book").priority == 8


def test_options_at_the_call_win(app, device):
    assert delay(device, priority=1).deliver("book").priority == 1
    assert delay(device.deliver, priority=1)("book").priority == 1
    assert device.delay(priority=1).deliver("book").priority == 1
    assert delay(shop.Device.deliver)(device, "book").priority == -3
    assert {job.queue for job in app.jobs.where()} == {"devices"}


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda device: device.locate(), ("locate", "Lorry")),
        (lambda device: device.bare(), ("bare", "Lorry")),
        (lambda device: device.later(), ("plain", "Lorry")),
        (lambda device: shop.Device.bare(device), ("bare", "Lorry")),
        (lambda device: device.above("a"), ("above", "Device", "a")),
        (lambda device: shop.Drone.above("a"), ("above", "Drone", "a")),
        (lambda device: device.below("a"), ("below", "Device", "a")),
        (lambda device: shop.Drone.below("a"), ("below", "Drone", "a")),
        (lambda device: device.static_above("a"), ("static_above", "a")),
        (lambda device: shop.Device.static_above("a"), ("static_above", "a")),
        (lambda device: device.static_below("a"), ("static_below", "a")),
        (lambda device: shop.Device.static_below("a"), ("static_below", "a")),
        (lambda device: delay(device).bare(), ("bare", "Lorry")),
        (lambda device: delay(shop.Device).above("a"), ("above", "Device", "a")),
        (lambda device: delay(device.locate)(), ("locate", "Lorry")),
        (lambda device: asyncio.run(_awaited(adelay(device).bare())), ("bare", "Lorry")),
    ],
)
def test_each_kind_of_method(app, device, done, call, expected):
    job = call(device)
    assert isinstance(job, Job)
    assert done == []
    assert app.worker().perform(job)
    assert done == [expected]
    assert app.jobs.count() == 0


async def _awaited(awaitable):
    return await awaitable


def test_now_of_each_kind_of_method(app, device, done):
    assert asyncio.run(device.locate.now()) == "here"
    assert shop.Device.bare.now(device) is None
    assert shop.Drone.above.now("a") == "a"
    assert device.static_above.now("a") == "a"
    assert shop.Device.static_below.now("a") == "a"
    assert done == [
        ("locate", "Lorry"),
        ("bare", "Lorry"),
        ("above", "Drone", "a"),
        ("static_above", "a"),
        ("static_below", "a"),
    ]
    assert app.jobs.count() == 0


def test_names_and_queues(app, device):
    assert device.above("a").name == "Device.above"
    assert device.later().name == "Device.later"
    assert {job.queue for job in (device.below("a"), device.static_below("a"), device.static_above("a"))} == {"inner"}


def test_an_overridden_method_is_not_enqueued_under_the_name_of_its_override(app):
    drone = shop.Drone("Bee")
    with pytest.raises(NotImportable, match=r"Drone overrides Device\.bare, and a worker would run the override"):
        drone.bare()
    assert app.jobs.count() == 0
    assert drone.deliver("book").name == "Drone.deliver"


def test_other_decorators_may_stand_on_both_sides(app, done):
    robot = shop.Robot()
    job = robot.wave()
    assert (job.queue, done) == ("outer", [("called", "wave")])
    assert app.worker().perform(job)
    assert done == [("called", "wave"), ("wave",)]
    done.clear()
    assert app.worker().perform(robot.nod())
    assert done == [("called", "nod"), ("nod",)]


def test_it_still_looks_like_the_method(device):
    method, bound = shop.Device.deliver, device.deliver
    for deliver in (method, bound):
        assert deliver.__name__ == "deliver"
        assert deliver.__qualname__ == "Device.deliver"
        assert deliver.__doc__ == "Carry a parcel."
    assert str(inspect.signature(method)) == "(self, parcel: 'str', *, fragile: 'bool' = False) -> 'str'"
    assert str(inspect.signature(bound)) == "(parcel: 'str', *, fragile: 'bool' = False) -> 'str'"
    assert str(inspect.signature(shop.Device.above)) == "(path: 'str') -> 'str'"
    assert inspect.unwrap(method) is method.__wrapped__
    assert bound.__self__ is device
    assert repr(method) == "<background method Device.deliver>"
    assert repr(bound).startswith("<background method Device.deliver of <")
    assert copy.deepcopy(method) is method
    assert pickle.loads(pickle.dumps(method)) is method  # noqa: S301  # made in this line


def test_arguments_are_checked_where_the_job_is_enqueued(app, device):
    with pytest.raises(WrongArguments, match=r"Device\.deliver\(parcel.*\).*: missing a required argument: 'parcel'"):
        device.deliver()
    with pytest.raises(WrongArguments, match=r"Device\.deliver: expected its receiver as the first argument"):
        shop.Device.deliver()
    with pytest.raises(UnknownMethod):
        shop.Device.deliver(3)
    assert app.jobs.count() == 0


def test_a_function_of_a_module_may_be_one_too(app, done):
    job = module_function(3)
    assert job.name == "module_function"
    assert module_function.now(4) == 4
    assert app.worker().perform(job)
    assert done == [("module_function", 4), ("module_function", 3)]


@handle_asynchronously
def module_function(number: int) -> int:
    shop.DONE.append(("module_function", number))
    return number


def test_a_method_of_a_class_that_is_not_ours_to_edit(app, device, monkeypatch):
    monkeypatch.setattr(shop.Note, "print", handle_asynchronously(shop.Note.print, queue="printer"))
    job = shop.Note("hi").print(2)
    assert job.queue == "printer"
    assert app.worker().perform(job)
    assert shop.DONE == [("print", "hi", 2)]


def test_wrong_options_are_errors_at_the_decorator():
    with pytest.raises(UnknownOption, match="unknown option 'prio'"):
        handle_asynchronously(prio=3)
    with pytest.raises(InvalidOption, match=r"priority: expected a callable that takes no parameter, or one for the"):
        handle_asynchronously(priority=lambda device, parcel: 1)


def test_a_callable_that_raises_leaves_the_call(app, device):
    class Broken(Delayable):
        @handle_asynchronously(priority=lambda broken: broken.missing)
        def run(self) -> None:
            pass

    with pytest.raises(AttributeError, match="missing"):
        Broken().run()
    assert app.jobs.count() == 0


@pytest.mark.parametrize("value", [3, shop.User, property(shop.plain)])
def test_only_methods_are_decorated(value):
    with pytest.raises(WrongArguments, match="@handle_asynchronously: expected a function, got"):
        handle_asynchronously(value)


def test_a_method_is_not_marked_twice():
    with pytest.raises(WrongArguments, match="marked already"):
        handle_asynchronously(shop.Device.deliver)
