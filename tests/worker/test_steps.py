"""Loops that keep their place: what one attempt has done is not done again by the next."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from backburner import Backburner, InvalidState, Job, JobInterrupted, Snooze, State, StoreUnavailable, current_job, job
from backburner.app import use
from backburner.core.telemetry import recorded
from backburner.worker import handle
from tests.worker.jobs import trace

SOON = 30.0

ROWS = [{"id": number, "key": f"k{number}"} for number in (2, 3, 5, 7, 11, 13)]


def nothing(item: object) -> None:
    """Let an item be as it is."""


at_item: Callable[[object], None] = nothing
"""What happens in the middle of an item; set by tests."""


@pytest.fixture(autouse=True)
def _nothing_happens() -> Iterator[None]:
    happen(nothing)
    trace.clear()
    yield
    happen(nothing)


def happen(what: Callable[[object], None]) -> None:
    global at_item
    at_item = what


def once_at(item: object, raised: BaseException) -> None:
    """Raise something in the middle of this item, once."""
    left = [raised]

    def raise_there(now: object) -> None:
        if now == item and left:
            raise left.pop()

    happen(raise_there)


def do(item: object) -> None:
    """Begin an item, and end it."""
    trace.append(f"begin {item}")
    at_item(item)
    trace.append(f"end {item}")


def done() -> list[str]:
    return [line.removeprefix("end ") for line in trace if line.startswith("end ")]


def begun() -> list[str]:
    return [line.removeprefix("begin ") for line in trace if line.startswith("begin ")]


class Boom(Exception):
    """What goes wrong in an item."""


@job
def count() -> None:
    for number in current_job().steps(range(6)):
        do(number)


@job
def count_from() -> None:
    def numbers_from(number: int | None) -> range:
        trace.append(f"from {number}")
        return range(number or 0, 6)

    for number in current_job().steps(numbers_from):
        do(number)


@job
def go_through_rows() -> None:
    def rows_behind(last: int | None) -> list[dict[str, Any]]:
        trace.append(f"behind {last}")
        return [row for row in ROWS if last is None or row["id"] > last]

    for row in current_job().steps(rows_behind, cursor=lambda row: row["id"]):
        do(row["id"])


@job
def go_through_all_rows() -> None:
    for row in current_job().steps(ROWS, cursor=lambda row: [row["key"], row["id"]]):
        do(row["id"])


@job
def two_loops() -> None:
    for number in current_job().steps(range(3)):
        do(f"a{number}")
    do("between")
    for number in current_job().steps(range(3)):
        do(f"b{number}")
    do("behind")


@job
def loop_in_a_loop() -> None:
    for letter in current_job().steps("ab"):
        for number in current_job().steps(range(3)):
            do(f"{letter}{number}")
        for number in current_job().steps(range(2), name="second"):
            do(f"{letter}{number}second")


@job
async def count_async(kind: str) -> None:
    async def numbers() -> AsyncIterator[int]:
        for number in range(6):
            await asyncio.sleep(0)
            yield number

    def numbers_behind(last: int | None) -> AsyncIterator[int]:
        return (number async for number in numbers() if last is None or number > last)

    wanted: Any = {"sync": range(6), "async": numbers(), "behind": numbers_behind}[kind]
    cursor = (lambda number: number) if kind == "behind" else None
    async for number in current_job().asteps(wanted, cursor=cursor):
        await asyncio.sleep(0)
        do(number)


def try_again(app: Backburner, job: Job[Any], **options: Any) -> bool:
    """Perform a job that waits for its next attempt."""
    assert app.jobs.get(job.id).state is State.QUEUED
    return app.worker(**options).perform(job)


NUMBERS = [str(number) for number in range(6)]


def test_all_items_come_in_order(app: Backburner) -> None:
    job = app.delay(count)()
    assert app.worker().perform(job)
    assert begun() == done() == NUMBERS


@pytest.mark.parametrize("raised", [Boom(), Snooze(60), JobInterrupted()])
def test_the_next_attempt_goes_on_with_the_item_that_was_not_done(app: Backburner, raised: BaseException) -> None:
    once_at(3, raised)
    job = app.delay(count)()
    assert not app.worker().perform(job)
    assert (begun(), done()) == (NUMBERS[:4], NUMBERS[:3])
    assert app.jobs.get(job.id).place == {"0": {"behind": 3}}
    assert try_again(app, job)
    assert done() == NUMBERS
    assert begun() == ["0", "1", "2", "3", "3", "4", "5"]


def test_what_is_done_twice_is_only_what_went_wrong(app: Backburner) -> None:
    failing = [0, 0, 2, 5]

    def fail_in_turn(item: object) -> None:
        if failing and item == failing[0]:
            failing.pop(0)
            raise Boom

    happen(fail_in_turn)
    job = app.delay(count)()
    attempts = [app.worker().perform(job) for _ in range(5)]
    assert attempts == [False] * 4 + [True]
    assert done() == NUMBERS


def test_a_callable_is_given_how_many_items_are_done(app: Backburner) -> None:
    once_at(3, Boom())
    job = app.delay(count_from)()
    app.worker().perform(job)
    assert try_again(app, job)
    assert [line for line in trace if line.startswith("from")] == ["from None", "from 3"]
    assert done() == NUMBERS


def test_a_callable_is_given_the_cursor_of_the_last_item_that_is_done(app: Backburner) -> None:
    once_at(7, Boom())
    job = app.delay(go_through_rows)()
    app.worker().perform(job)
    assert app.jobs.get(job.id).place == {"0": {"behind": 5}}
    assert try_again(app, job)
    assert [line for line in trace if line.startswith("behind")] == ["behind None", "behind 5"]
    assert done() == ["2", "3", "5", "7", "11", "13"]


def test_a_cursor_finds_its_item_in_what_comes_as_a_whole(app: Backburner, monkeypatch: pytest.MonkeyPatch) -> None:
    once_at(7, Boom())
    job = app.delay(go_through_all_rows)()
    app.worker().perform(job)
    monkeypatch.setitem(globals(), "ROWS", [{"id": 1, "key": "new"}, *ROWS])
    assert try_again(app, job)
    assert done() == ["2", "3", "5", "7", "11", "13"]


def test_an_item_that_is_gone_is_said_to_be(app: Backburner, monkeypatch: pytest.MonkeyPatch) -> None:
    once_at(7, Boom())
    job = app.delay(go_through_all_rows)()
    app.worker().perform(job)
    monkeypatch.setitem(globals(), "ROWS", [row for row in ROWS if row["id"] != 5])
    assert not try_again(app, job)
    error = app.jobs.get(job.id).last_error or ""
    assert error.startswith("InvalidState: no item has the cursor ['k5', 5] any more")
    assert done() == ["2", "3", "5"]


def test_a_loop_that_has_ended_is_not_begun_again(app: Backburner) -> None:
    once_at("b1", Boom())
    job = app.delay(two_loops)()
    app.worker().perform(job)
    assert app.jobs.get(job.id).place == {"0": {"ended": True}, "1": {"behind": 1}}
    assert try_again(app, job)
    assert done() == ["a0", "a1", "a2", "between", "b0", "between", "b1", "b2", "behind"]


def test_loops_within_an_item_go_on_too_and_begin_anew_with_the_next_item(app: Backburner) -> None:
    once_at("b1", Boom())
    job = app.delay(loop_in_a_loop)()
    app.worker().perform(job)
    assert app.jobs.get(job.id).place == {"0": {"behind": 1}, "1": {"behind": 1}}
    once_at("b1second", Boom())
    assert not try_again(app, job)
    assert app.jobs.get(job.id).place == {"0": {"behind": 1}, "1": {"ended": True}, "second": {"behind": 1}}
    assert try_again(app, job)
    both = [f"{letter}{rest}" for letter in "ab" for rest in ("0", "1", "2", "0second", "1second")]
    assert done() == both


@job
def same_name_twice() -> None:
    for _ in range(2):
        list(current_job().steps(range(2), name="mine"))


def test_two_loops_of_one_attempt_have_different_names(app: Backburner) -> None:
    job = app.delay(same_name_twice)()
    app.worker().perform(job)
    assert "a loop named 'mine' was begun before in this attempt" in (app.jobs.get(job.id).last_error or "")


def test_a_job_that_is_requeued_begins_anew(app: Backburner) -> None:
    once_at(3, Boom())
    job = app.delay(count, max_attempts=1)()
    app.worker().perform(job)
    assert app.jobs.get(job.id).state is State.FAILED
    app.jobs.retry(job.id)
    assert app.worker().perform(job)
    assert done() == ["0", "1", "2", *NUMBERS]


@pytest.mark.parametrize("concurrency", [1, 3])
@pytest.mark.parametrize("kind", ["sync", "async", "behind"])
def test_async_loops_keep_their_place(app: Backburner, kind: str, concurrency: int) -> None:
    once_at(3, Snooze(timedelta(0)))
    job = app.delay(count_async)(kind)
    assert app.worker(concurrency=concurrency).work_off() == (1, 0)
    assert app.jobs.get(job.id).state is State.SUCCEEDED
    assert begun() == ["0", "1", "2", "3", "3", "4", "5"]


@pytest.mark.parametrize("concurrency", [1, 3])
@pytest.mark.parametrize(("function", "arguments"), [(count, ()), (count_async, ("async",))])
def test_a_worker_that_stops_waits_for_the_end_of_an_item_and_no_longer(
    app: Backburner, function: Any, arguments: Any, concurrency: int
) -> None:
    """However long the grace is."""
    job = app.delay(function)(*arguments)
    worker = app.worker(concurrency=concurrency, grace=SOON * 2)
    happen(lambda item: worker.stop() if item == 2 else None)
    began = time.monotonic()
    worker.run()
    assert time.monotonic() - began < SOON
    after = app.jobs.get(job.id)
    assert (after.state, after.attempts, done()) == (State.QUEUED, 0, NUMBERS[:3])
    assert try_again(app, job)
    assert done() == begun() == NUMBERS


def test_in_a_process_of_its_own_too(file_app: Backburner, tmp_path: Path) -> None:
    path = tmp_path / "written"
    started = tmp_path / "started"
    os.mkfifo(started)
    with use(file_app):
        job = file_app.delay(write_slowly, isolation="process")(str(path), str(started))
        worker = file_app.worker(grace=SOON * 2)
        thread = threading.Thread(target=worker.run)
        thread.start()
        started.read_text()
        worker.stop()
        thread.join(SOON)
        assert not thread.is_alive()
        after = file_app.jobs.get(job.id)
        assert (after.state, after.attempts) == (State.QUEUED, 0)
        number = len(path.read_text().splitlines())
        assert 1 <= number < 10_000
        assert after.place == {"0": {"behind": number}}


@job
def write_slowly(path: str, started: str) -> None:
    for number in current_job().steps(range(10_000)):
        with open(path, "a") as file:
            file.write(f"{number}\n")
        if number == 0:
            Path(started).write_text("started\n")
        threading.Event().wait(0.005)


@job(isolation="process")
def write_and_crash(path: str) -> None:
    for number in current_job().steps(range(4)):
        with open(path, "a") as file:
            file.write(f"{number}\n")
        if number == 2 and current_job().crashes == 0:
            os._exit(1)


def test_after_a_crash_a_job_goes_on_from_the_place_that_was_stored_last(
    file_app: Backburner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handle, "KEEP_EVERY", 0.0)
    path = tmp_path / "written"
    file_app.delay(write_and_crash)(str(path))
    assert file_app.worker().work_off() == (1, 0)
    assert path.read_text().split() == ["0", "1", "2", "2", "3"]


def test_the_place_is_stored_now_and_then(app: Backburner, monkeypatch: pytest.MonkeyPatch) -> None:
    job = app.delay(count)()
    stored: list[Any] = []
    happen(lambda item: stored.append(app.jobs.get(job.id).place))
    monkeypatch.setattr(handle, "KEEP_EVERY", 0.0)
    app.worker().perform(job)
    assert stored == [None, *({"0": {"behind": number}} for number in range(1, 6))]


def test_a_loop_that_is_quick_stores_nothing(app: Backburner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handle, "KEEP_EVERY", SOON)
    stored: list[Any] = []
    happen(lambda item: stored.append(app.jobs.get(current_job().id).place))
    app.worker().perform(app.delay(count)())
    assert stored == [None] * 6


def test_a_store_that_cannot_be_used_does_not_disturb_the_job(app: Backburner, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any) -> Any:
        raise StoreUnavailable
        yield

    monkeypatch.setattr(handle, "KEEP_EVERY", 0.0)
    monkeypatch.setattr(app.store, "report_progress", refuse)
    job = app.delay(count)()
    once_at(4, Boom())
    assert not app.worker().perform(job)
    assert done() == NUMBERS[:4]
    assert (app.jobs.get(job.id).last_error or "").startswith("Boom")


@pytest.mark.parametrize("concurrency", [1, 3])
@pytest.mark.parametrize(("function", "arguments"), [(count, ()), (count_async, ("sync",))])
def test_a_job_that_is_cancelled_ends_between_two_items(
    app: Backburner, function: Any, arguments: Any, concurrency: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It learns of it without a question of its own."""
    asked: list[Any] = []
    job = app.delay(function)(*arguments)
    original = app.store.standing
    monkeypatch.setattr(app.store, "standing", lambda held: asked.append(held) or original(held))

    def cancel(item: object) -> None:
        if item == 2:
            app.jobs.cancel(job.id)
            deadline = time.monotonic() + SOON
            while not current_job().handle.is_to_stop and time.monotonic() < deadline:  # type: ignore[union-attr]
                threading.Event().wait(0.01)

    happen(cancel)
    assert app.worker(concurrency=concurrency).work_off() == (0, 0)
    after = app.jobs.get(job.id)
    assert (after.state, done()) == (State.CANCELLED, NUMBERS[:3])
    assert (after.last_error or "").startswith("JobCancelled: cancelled while it was running")
    assert 1 <= len(asked) <= 3


def test_performed_at_once_it_is_an_ordinary_loop(app: Backburner) -> None:
    app.delay_jobs = False
    app.delay(loop_in_a_loop)()
    assert len(done()) == 10
    once_at("a1", Boom())
    with pytest.raises(Boom):
        app.delay(loop_in_a_loop)()


def test_only_a_running_job_has_steps(app: Backburner) -> None:
    job = app.delay(count)()
    with pytest.raises(InvalidState, match="only a running job has steps, this one is queued"):
        list(job.steps([1]))


@job
def bad_cursor(which: str) -> None:
    value: Any = {"none": None, "object": object(), "nan": float("nan")}[which]
    list(current_job().steps([1], cursor=lambda item: value))


@pytest.mark.parametrize("which", ["none", "object", "nan"])
def test_a_cursor_is_a_json_value(app: Backburner, which: str) -> None:
    job = app.delay(bad_cursor)(which)
    app.worker().perform(job)
    assert (app.jobs.get(job.id).last_error or "").startswith("TypeError: cursor: expected a value ")


def test_progress_and_place_do_not_disturb_each_other(app: Backburner) -> None:
    happen(lambda item: current_job().report_progress(item, 6) if isinstance(item, int) else None)
    job = app.delay(count)()
    app.worker().perform(job)
    assert app.jobs.get(job.id).progress == (5, 6, None)


@job
def save_and_go(how: str) -> None:
    try:
        do("work")
    except JobInterrupted:
        do("saved")
        if how == "raises":
            raise


@pytest.mark.parametrize(("how", "state"), [("raises", State.QUEUED), ("returns", State.SUCCEEDED)])
def test_a_job_may_catch_the_interrupt_to_save_its_place(app: Backburner, how: str, state: State) -> None:
    job = app.delay(save_and_go)(how)
    once_at("work", JobInterrupted())
    with recorded(app.telemetry):
        app.worker().perform(job)
    after = app.jobs.get(job.id)
    assert (after.state, after.attempts, done()) == (state, 0, ["saved"])
