"""Async jobs of a worker with `concurrency`: tasks of one event loop, beside sync jobs in threads."""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest

from backburner import Backburner, Cancel, Delayable, Job, JobHooks, Retry, Snooze, State, current_job, job
from backburner.worker.upkeep.rounds import Rounds
from tests.worker.jobs import note, note_async, trace

SOON = 30.0
LOOP = "backburner-loop"


class Meeting:
    """Where the jobs of one test meet."""

    def __init__(self, parties: int) -> None:
        self.of_tasks = asyncio.Barrier(parties)
        self.of_threads = threading.Barrier(parties)
        self.rooms: set[str] = set()

    async def meet(self) -> None:
        """Wait until all tasks are here."""
        self.rooms.add(threading.current_thread().name)
        async with asyncio.timeout(SOON):
            await self.of_tasks.wait()


meeting = Meeting(1)


def prepare(parties: int) -> Meeting:
    global meeting
    meeting = Meeting(parties)
    return meeting


@job
async def meet() -> None:
    await meeting.meet()


@job
async def meet_threads() -> None:
    meeting.rooms.add(threading.current_thread().name)
    await asyncio.to_thread(meeting.of_threads.wait, SOON)


@job
def meet_tasks() -> None:
    meeting.rooms.add(threading.current_thread().name)
    meeting.of_threads.wait(SOON)


def add(app: Backburner, function: Any, number: int, **options: Any) -> list[Job[Any]]:
    with app.bulk():
        return [app.delay(function, **options)() for _ in range(number)]


@pytest.mark.parametrize("number", [2, 25])
def test_as_many_as_there_are_seats_run_at_the_same_time_in_one_loop(app: Backburner, number: int) -> None:
    prepare(number)
    add(app, meet, number)
    assert app.worker(concurrency=number).work_off() == (number, 0)
    assert meeting.rooms == {LOOP}


def test_sync_and_async_jobs_run_beside_each_other(app: Backburner) -> None:
    prepare(4)
    for function in (meet_threads, meet_tasks, meet_tasks, meet_threads):
        app.delay(function)()
    assert app.worker(concurrency=4).work_off() == (4, 0)
    assert LOOP in meeting.rooms
    assert len(meeting.rooms) == 3


def test_no_more_run_at_once_than_there_are_seats(app: Backburner) -> None:
    crowd.now = crowd.most = 0
    with app.bulk():
        for number in range(60):
            app.delay(crowd_in if number % 2 else crowd_in_async)()
    assert app.worker(concurrency=3).work_off() == (60, 0)
    assert crowd.most == 3


class Crowd:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.now = self.most = 0

    def enter(self) -> None:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)

    def leave(self) -> None:
        with self.lock:
            self.now -= 1


crowd = Crowd()


@job
async def crowd_in_async() -> None:
    crowd.enter()
    await asyncio.sleep(0.005)
    crowd.leave()


@job
def crowd_in() -> None:
    crowd.enter()
    threading.Event().wait(0.005)
    crowd.leave()


def test_work_off_keeps_to_its_limit(app: Backburner) -> None:
    with app.bulk():
        for number in range(20):
            app.delay(note if number % 2 else note_async)(str(number))
    assert app.worker(concurrency=3).work_off(limit=7) == (7, 0)
    assert len(trace) == 7
    assert app.jobs.count() == app.jobs.count(state="queued") == 13


def test_jobs_that_a_job_enqueues_are_taken_while_it_runs(app: Backburner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Rounds, "make", lambda rounds: None)  # which would hear of them too, later
    enqueued[:] = [app]
    app.delay(enqueue_and_wait)()
    assert app.worker(concurrency=2, sleep_delay=SOON).work_off() == (2, 0)


enqueued: list[Backburner] = []
woken = threading.Event()


@job
async def enqueue_and_wait() -> None:
    woken.clear()
    enqueued[0].delay(wake)()
    assert await asyncio.to_thread(woken.wait, SOON / 2)


@job
async def wake() -> None:
    woken.set()


def test_a_worker_with_one_seat_runs_async_jobs_in_its_own_thread(app: Backburner) -> None:
    prepare(1)
    (one,) = add(app, meet, 1)
    assert app.worker().work_off() == (1, 0)
    assert meeting.rooms == {threading.current_thread().name}
    assert app.jobs.get(one.id).state is State.SUCCEEDED


mark: ContextVar[UUID | None] = ContextVar("mark", default=None)


@job
async def leave_a_mark(rounds: int) -> None:
    """See that neither the jobs before, nor those beside, are to be seen here."""
    assert mark.get() is None
    mark.set(current_job().id)
    for _ in range(rounds):
        await asyncio.sleep(0)
        assert mark.get() == current_job().id
    trace.append(str(current_job().id))


def test_each_task_has_a_context_and_a_current_job_of_its_own(app: Backburner) -> None:
    with app.bulk():
        jobs = [app.delay(leave_a_mark)(number % 7) for number in range(50)]
    assert app.worker(concurrency=5).work_off() == (50, 0)
    assert sorted(trace) == sorted(str(job.id) for job in jobs)


@dataclass
class Awaiting(JobHooks):
    """Has hooks that await; raises in those that are named."""

    raising: list[str] = field(default_factory=list)

    async def _note(self, name: str) -> None:
        await asyncio.sleep(0)
        trace.append(f"{name} in {threading.current_thread().name} of {current_job().name}")
        if name in self.raising:
            raise ValueError(name)

    async def before(self) -> None:
        await self._note("before")

    async def perform(self) -> None:
        await self._note("perform")

    async def success(self) -> None:
        await self._note("success")

    async def error(self, job: Job[Any], exception: BaseException) -> None:
        await self._note(f"error {exception}")

    async def after(self) -> None:
        await self._note("after")

    async def failure(self) -> None:
        await asyncio.sleep(0)
        trace.append(f"failure in {threading.current_thread().name} of Awaiting")


@pytest.mark.parametrize(
    ("raising", "hooks"),
    [
        ([], ["before", "perform", "success", "after"]),
        (["before"], ["before", "error before", "after", "failure"]),
        (["perform"], ["before", "perform", "error perform", "after", "failure"]),
        (["success"], ["before", "perform", "success", "error success", "after", "failure"]),
        (["after"], ["before", "perform", "success", "after", "failure"]),
    ],
)
def test_async_hooks_run_in_the_same_loop(app: Backburner, raising: list[str], hooks: list[str]) -> None:
    app.enqueue(Awaiting(raising), max_attempts=1)
    assert app.worker(concurrency=2).work_off() == ((0, 1) if raising else (1, 0))
    assert trace == [f"{name} in {LOOP} of Awaiting" for name in hooks]


def test_listeners_surround_async_jobs(app: Backburner) -> None:
    @app.around("perform")
    def around(worker: Any, job: Job[Any]) -> Any:
        mark.set(job.id)
        trace.append("around")
        yield
        trace.append("around again")

    @app.before("invoke")
    def before(job: Job[Any]) -> None:
        assert mark.get() == job.id

    app.delay(note_async)("performed")
    assert app.worker(concurrency=2).work_off() == (1, 0)
    assert trace == ["around", "performed", "around again"]


@job
async def steer_async(how: str) -> None:
    await asyncio.sleep(0)
    raise {"retry": Retry(60), "snooze": Snooze(60), "cancel": Cancel("no need")}[how]


def test_async_jobs_may_be_steered(app: Backburner) -> None:
    jobs = {how: app.delay(steer_async)(how) for how in ("retry", "snooze", "cancel")}
    assert app.worker(concurrency=2).work_off() == (0, 1)
    found = {how: app.jobs.get(job.id) for how, job in jobs.items()}
    assert {how: (job.state, job.attempts) for how, job in found.items()} == {
        "retry": (State.QUEUED, 1),
        "snooze": (State.QUEUED, 0),
        "cancel": (State.CANCELLED, 0),
    }


@job
async def report_async() -> None:
    current_job().report_progress(1, 2, "half-way")
    await asyncio.sleep(0)
    while not current_job().is_cancelled:
        enqueued[0].jobs.cancel(current_job().id)
        await asyncio.sleep(0.06)


def test_an_async_job_reports_progress_and_sees_that_it_was_cancelled(app: Backburner) -> None:
    enqueued[:] = [app]
    one = app.delay(report_async)()
    assert app.worker(concurrency=2).work_off() == (0, 0)
    found = app.jobs.get(one.id)
    assert found.state is State.CANCELLED
    assert found.progress == (1, 2, "half-way")


table: dict[int, Account] = {}
rooms: list[str] = []


class Account(Delayable):
    """A record; notes where it is read and where its method runs."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __job_key__(self) -> int:
        return self.number

    @classmethod
    def __job_load__(cls, key: int) -> Account | None:
        rooms.append("read in the loop" if threading.current_thread().name == LOOP else "read in a thread")
        return table.get(key)

    async def close(self) -> None:
        await asyncio.sleep(0)
        assert self is table[self.number]
        rooms.append(f"closed in {threading.current_thread().name}")


def test_records_are_read_in_a_thread_and_their_async_methods_run_in_the_loop(app: Backburner) -> None:
    rooms.clear()
    table.update({number: Account(number) for number in range(3)})
    for account in table.values():
        app.delay(account).close()
    gone = app.delay(Account(99)).close()
    assert app.worker(concurrency=2).work_off() == (3, 1)
    assert set(rooms) == {f"closed in {LOOP}", "read in a thread"}
    assert rooms.count(f"closed in {LOOP}") == 3
    assert (app.jobs.get(gone.id).last_error or "").startswith("RecordMissing")


def test_threads_are_no_more_than_there_are_seats_and_are_used_again(app: Backburner) -> None:
    rooms.clear()
    add(app, note_room, 300)
    assert app.worker(concurrency=3).work_off(limit=300) == (300, 0)
    assert set(rooms) <= {"backburner-0", "backburner-1", "backburner-2"}
    assert not [thread.name for thread in threading.enumerate() if thread.name in rooms]


@job
def note_room() -> None:
    rooms.append(threading.current_thread().name)
