"""Jobs in processes of their own: what is the same there, and what they cannot do to their worker."""

from __future__ import annotations

import gc
import io
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from backburner import Backburner, ConfigurationError, State
from backburner.app import use
from backburner.core.ports import MAX_CRASHES
from backburner.core.telemetry import (
    JobCancelledRecord,
    JobCrashed,
    JobFailed,
    JobPutBack,
    JobReleased,
    JobRetried,
    JobSnoozed,
    JobStarted,
    JobSucceeded,
    ListenerFailed,
    recorded,
)
from backburner.worker.executors import minding
from backburner.worker.executors.forking import Forks
from backburner.worker.worker import Worker
from tests.worker import isolated
from tests.worker.jobs import note, trace
from tests.worker.processes import pipe, wait_for_log, worker_process

SOON = 30.0


@pytest.fixture
def app(file_app: Backburner) -> Iterator[Backburner]:
    with use(file_app):
        yield file_app


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "written"


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


@contextmanager
def working(app: Backburner, **options: Any) -> Iterator[Worker]:
    """Run a worker within the block; it is stopped at its end."""
    worker = app.worker(sleep_delay=0.05, **options)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join(SOON)
        assert not thread.is_alive()


def wait_until_state(app: Backburner, job: Any, state: State) -> None:
    deadline = time.monotonic() + SOON
    while app.jobs.get(job.id).state is not state:
        assert time.monotonic() < deadline, app.jobs.get(job.id)
        threading.Event().wait(0.01)


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + SOON
    while Path(f"/proc/{pid}/stat").exists() and Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z":
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


@pytest.mark.parametrize("concurrency", [1, 3])
@pytest.mark.parametrize("function", [isolated.tell_process, isolated.tell_process_async])
def test_each_job_has_a_process_of_its_own(app: Backburner, path: Path, function: Any, concurrency: int) -> None:
    jobs = [function.delay(str(path)) for _ in range(6)]
    assert app.worker(concurrency=concurrency).work_off() == (6, 0)
    pids = [line.split() for line in lines(path)]
    assert len({pid for pid, _ in pids} | {str(os.getpid())}) == 7
    assert {parent for _, parent in pids} == {str(os.getpid())}
    assert {app.jobs.get(job.id).state for job in jobs} == {State.SUCCEEDED}


@pytest.mark.parametrize("concurrency", [1, 3])
def test_a_worker_performs_all_kinds_of_jobs(app: Backburner, path: Path, concurrency: int) -> None:
    isolated.tell_process.delay(str(path))
    isolated.tell_process_as_you_like.delay(str(path))
    note.delay("here")
    assert app.worker(concurrency=concurrency).work_off() == (3, 0)
    assert sorted(line.split()[0] == str(os.getpid()) for line in lines(path)) == [False, True]
    assert trace == ["here"]


@pytest.mark.parametrize("concurrency", [1, 3])
def test_a_worker_may_isolate_all_jobs_that_do_not_say_otherwise(app: Backburner, path: Path, concurrency: int) -> None:
    isolated.tell_process_as_you_like.delay(str(path))
    worker = app.worker(isolation="process", concurrency=concurrency)
    assert worker.work_off() == (1, 0)
    isolated.tell_process_as_you_like.options(isolation="none").delay(str(path))
    assert worker.work_off() == (1, 0)
    assert [line.split()[0] == str(os.getpid()) for line in lines(path)] == [False, True]


def test_a_worker_knows_no_other_isolation(app: Backburner) -> None:
    with pytest.raises(ConfigurationError, match="isolation: expected 'process' or 'none', got 'thread'"):
        app.worker(isolation="thread")  # type: ignore[arg-type]


def test_where_processes_cannot_share_the_store_the_job_stays_in_that_of_the_worker(path: Path) -> None:
    with Backburner("memory://", allow=["tests"]) as app, use(app):
        isolated.tell_process.delay(str(path))
        assert app.worker().work_off() == (1, 0)
    assert lines(path)[0].split()[0] == str(os.getpid())


def test_it_has_nothing_of_the_worker_but_what_it_needs(app: Backburner, path: Path) -> None:
    isolated.tell_surroundings.delay(str(path))
    assert app.worker(concurrency=3).work_off() == (1, 0)
    stdin, more, threads, is_main, has_group, name = lines(path)
    assert (stdin, more) == ("", "b''")
    assert len(threads.split(",")) == 2
    assert "backburner-channel" in threads
    assert (is_main, has_group, name) == ("True", "True", "tell_surroundings")


def test_what_it_reports_and_enqueues_is_stored(app: Backburner) -> None:
    job = isolated.report.delay(8)
    assert app.worker().perform(job)
    assert app.jobs.get(job.id).progress == (4.0, 8, "half-way")
    assert app.jobs.count(name="tell_process_as_you_like") == 1


def test_hooks_run_there_and_are_told_of_once(app: Backburner, path: Path) -> None:
    from backburner import enqueue

    enqueue(isolated.Hooked(str(path)))
    assert app.worker().work_off() == (1, 0)
    assert [line.split()[0] for line in lines(path)] == ["before", "perform", "success", "after"]
    path.unlink()
    job = enqueue(isolated.Hooked(str(path), raises=True))
    with recorded(app.telemetry) as records:
        assert app.worker().work_off() == (0, 1)
    assert [line.split()[0] for line in lines(path)] == ["before", "perform", "error", "after", "failure"]
    assert {line.split()[1] for line in lines(path)} != {str(os.getpid())}
    assert app.jobs.get(job.id).state is State.FAILED
    (failed,) = [record for record in records if isinstance(record, ListenerFailed)]
    assert (failed.event, type(failed.error).__name__, str(failed.error)) == ("failure", "Boom", "in a hook")


def test_an_error_is_kept_and_told_of_as_if_it_had_been_raised_here(app: Backburner) -> None:
    job = isolated.fail_with.delay("no\nway")
    with recorded(app.telemetry) as records:
        assert app.worker().work_off() == (0, 1)
    after = app.jobs.get(job.id)
    assert (after.state, after.attempts) == (State.QUEUED, 1)
    assert (after.last_error or "").splitlines()[0] == "Boom: no way"
    assert "raise Boom(message)" in (after.last_error or "")
    started, retried = records
    assert isinstance(started, JobStarted)
    assert isinstance(retried, JobRetried)
    assert (type(retried.error).__name__, type(retried.error).__module__) == ("Boom", "tests.worker.isolated")
    assert (str(retried.error), retried.job.attempts, retried.run_at) == ("no\nway", 1, after.run_at)
    assert "raise Boom(message)" in "".join(retried.error.__notes__)


def test_success_is_told_of_once(app: Backburner) -> None:
    isolated.report.delay(8)
    with recorded(app.telemetry) as records:
        app.worker().work_off(limit=1)
    assert list(map(type, records)) == [JobStarted, JobSucceeded]


@pytest.mark.parametrize(
    ("how", "kind", "state", "attempts"),
    [
        ("retry", JobRetried, State.QUEUED, 1),
        ("snooze", JobSnoozed, State.QUEUED, 0),
        ("cancel", JobCancelledRecord, State.CANCELLED, 0),
        ("fail", JobFailed, State.FAILED, 1),
    ],
)
def test_it_may_be_steered(app: Backburner, how: str, kind: type[Any], state: State, attempts: int) -> None:
    job = isolated.steer.delay(how)
    with recorded(app.telemetry) as records:
        app.worker().work_off()
    after = app.jobs.get(job.id)
    assert (after.state, after.attempts) == (state, attempts)
    assert [type(record) for record in records] == [JobStarted, kind]
    assert (after.run_at > after.created_at) is (how in ("retry", "snooze"))


CRASHES = {
    "exit": "JobCrashed: the process of this job ended before the job did, with the exit code 7",
    "exit in silence": "JobCrashed: the process of this job ended before the job did, with the exit code 0",
    "segmentation fault": "JobCrashed: the process of this job was killed by SIGSEGV",
    "killed": "JobCrashed: the process of this job was killed by SIGKILL: by somebody, or by the system, which was",
    # It finds that it can say nothing any more and exits, or kills itself, as it hears nothing of its worker any more.
    "everything closed": "JobCrashed: the process of this job ",
}


@pytest.mark.parametrize("concurrency", [1, 3])
@pytest.mark.parametrize("how", CRASHES)
def test_a_job_that_crashes_is_tried_three_times(app: Backburner, how: str, concurrency: int) -> None:
    job = isolated.crash.delay(how)
    with recorded(app.telemetry) as records:
        assert app.worker(concurrency=concurrency).work_off() == (0, 1)
    after = app.jobs.get(job.id)
    assert (after.state, after.crashes, after.attempts) == (State.FAILED, MAX_CRASHES, 0)
    assert (after.last_error or "").startswith(CRASHES[how])
    ends = [record for record in records if not isinstance(record, JobStarted)]
    assert list(map(type, ends)) == [JobCrashed] * (MAX_CRASHES - 1) + [JobFailed]


def test_a_crash_spends_no_attempt_and_the_job_keeps_its_place_in_the_line(app: Backburner) -> None:
    job = isolated.crash.options(max_attempts=1).delay("exit")
    app.worker().perform(job)
    after = app.jobs.get(job.id)
    assert (after.state, after.crashes, after.attempts, after.run_at) == (State.QUEUED, 1, 0, job.run_at)
    assert (after.last_error or "").startswith("JobCrashed: ")


@pytest.mark.parametrize("concurrency", [1, 3])
def test_a_job_that_crashes_takes_no_other_with_it(app: Backburner, concurrency: int) -> None:
    bad = isolated.crash.delay("segmentation fault")
    for number in range(99):
        note.delay(str(number))
    worker = app.worker(concurrency=concurrency)
    assert worker.work_off(limit=200) == (99, 1)
    assert len(trace) == 99
    assert app.jobs.get(bad.id).state is State.FAILED


def test_the_listeners_in_the_worker_hear_of_a_job_that_crashed_for_good(app: Backburner) -> None:
    heard: list[str] = []
    app.before("error")(lambda worker, job, exception: heard.append(f"error {exception}"))
    app.before("failure")(lambda worker, job: heard.append("failure"))
    isolated.crash.delay("exit")
    app.worker().work_off()
    assert heard == ["error the process of this job ended before the job did, with the exit code 7", "failure"]


def test_a_timeout_is_raised_there(app: Backburner, tmp_path: Path, path: Path) -> None:
    job = isolated.sleep.options(max_run_time=0.2).delay("/dev/null", str(path))
    app.worker().work_off()
    assert lines(path) == ["JobTimeout False"]
    after = app.jobs.get(job.id)
    assert (after.state, after.attempts) == (State.QUEUED, 1)
    assert (after.last_error or "").startswith("JobTimeout: ran longer than its max_run_time of 0.2 s")


@pytest.mark.parametrize("concurrency", [1, 3])
def test_a_job_that_ignores_its_timeout_is_killed_with_all_that_it_has_started(
    app: Backburner, path: Path, concurrency: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(minding, "SLACK", 0.3)
    job = isolated.sleep_through_everything.options(max_run_time=0.2, max_attempts=1).delay("/dev/null", str(path))
    assert app.worker(concurrency=concurrency).work_off() == (0, 1)
    after = app.jobs.get(job.id)
    assert (after.state, after.attempts, after.crashes) == (State.FAILED, 1, 0)
    assert "did not end when it was told to: its process was killed" in (after.last_error or "")
    started, *ignored = lines(path)
    assert ignored == ["ignored"]
    wait_until_gone(int(started))


@pytest.mark.parametrize("concurrency", [1, 3])
def test_a_running_job_is_cancelled_at_once(app: Backburner, tmp_path: Path, path: Path, concurrency: int) -> None:
    started = pipe(tmp_path, "started")
    job = isolated.sleep.delay(started, str(path))
    with working(app, concurrency=concurrency):
        Path(started).read_text()
        began = time.monotonic()
        app.jobs.cancel(job.id)
        wait_until_state(app, job, State.CANCELLED)
        assert time.monotonic() - began < 2.0
    assert lines(path) == ["JobCancelled True"]
    assert (app.jobs.get(job.id).last_error or "").startswith("JobCancelled: cancelled while it was running")


@pytest.mark.parametrize("concurrency", [1, 3])
def test_a_job_that_ignores_its_cancelling_is_killed(
    app: Backburner, tmp_path: Path, path: Path, concurrency: int
) -> None:
    started = pipe(tmp_path, "started")
    job = isolated.sleep_through_everything.delay(started, str(path))
    with working(app, concurrency=concurrency):
        Path(started).read_text()
        began = time.monotonic()
        app.jobs.cancel(job.id)
        wait_until_state(app, job, State.CANCELLED)
        assert time.monotonic() - began < 2.0
    assert lines(path)[1:] == ["ignored"]
    assert app.jobs.get(job.id).crashes == 0
    wait_until_gone(int(lines(path)[0]))


def test_a_job_that_returns_when_it_is_cancelled_is_cancelled(app: Backburner, tmp_path: Path, path: Path) -> None:
    started = pipe(tmp_path, "started")
    job = isolated.return_when_cancelled.delay(started, str(path))
    with working(app):
        Path(started).read_text()
        app.jobs.cancel(job.id)
        wait_until_state(app, job, State.CANCELLED)
    assert lines(path) == ["True"]


@pytest.mark.parametrize("function", [isolated.sleep, isolated.sleep_through_everything])
@pytest.mark.parametrize("concurrency", [1, 3])
def test_a_worker_that_stops_gives_the_job_back(
    app: Backburner, tmp_path: Path, path: Path, concurrency: int, function: Any
) -> None:
    started = pipe(tmp_path, "started")
    job = function.delay(started, str(path))
    with recorded(app.telemetry) as records, working(app, concurrency=concurrency, grace=0.1):
        Path(started).read_text()
    after = app.jobs.get(job.id)
    assert (after.state, after.attempts, after.crashes) == (State.QUEUED, 0, 0)
    assert any(isinstance(record, JobReleased) for record in records)


def test_a_job_is_not_begun_once_it_is_to_be_interrupted(app: Backburner, path: Path) -> None:
    job = isolated.tell_process.delay(str(path))
    app.before("perform")(lambda worker, job: None)
    app.telemetry.subscribe(lambda record: isinstance(record, JobStarted) and worker.abort(signal.SIGTERM))
    worker = app.worker()
    worker.run()
    assert lines(path) == []
    assert app.jobs.get(job.id).state is State.QUEUED


def test_signals_to_all_processes_of_a_service_are_for_the_worker(app: Backburner, path: Path) -> None:
    job = isolated.survive_signals.delay(str(path))
    assert app.worker().perform(job)
    assert lines(path) == ["survived", str(-signal.SIGTERM)]


def test_it_dies_with_its_worker(app: Backburner, tmp_path: Path, path: Path) -> None:
    started = pipe(tmp_path, "started")
    isolated.sleep_through_everything.delay(started, str(path))
    with worker_process(f"sqlite:///{tmp_path}/jobs.db") as process:
        wait_for_log(process, "worker started")
        Path(started).read_text()
        (child,) = children_of(process.pid)
        process.send_signal(signal.SIGKILL)
        process.wait(SOON)
    wait_until_gone(child)


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_process_that_cannot_begin_is_replaced(app: Backburner, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread was just writing to stderr, and the lock of its buffer is locked in the child for ever."""
    monkeypatch.setattr(minding, "BEGINS_WITHIN", 0.5)
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    stream = io.TextIOWrapper(io.BufferedWriter(io.FileIO(writing, "w")), write_through=True)
    thread = threading.Thread(target=stream.write, args=("x" * (1 << 18),))
    forks: list[int] = []
    fork = Forks._fork

    def count_and_fork(self: Forks, *args: Any) -> int:
        while forks and thread.is_alive():  # let it come to its end
            select.select([reading], [], [], 0.01)
            with suppress(BlockingIOError):
                os.read(reading, 1 << 16)
        forks.append(fork(self, *args))
        return forks[-1]

    monkeypatch.setattr(Forks, "_fork", count_and_fork)
    isolated.tell_process.delay(str(path))
    worker = app.worker()
    thread.start()
    # What the parent does before it forks would wait for the thread as well.
    monkeypatch.setattr("backburner.worker.executors.forking._flush", lambda: None)
    monkeypatch.setattr(sys, "stderr", stream)
    assert worker.work_off() == (1, 0)
    monkeypatch.undo()
    assert len(forks) == 2
    assert len(lines(path)) == 1
    wait_until_gone(forks[0])
    thread.join(SOON)
    stream.close()
    os.close(reading)


def test_a_job_waits_where_no_process_can_be_had(app: Backburner, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    job = isolated.tell_process.delay(str(path))
    with monkeypatch.context() as patch, recorded(app.telemetry) as records:
        patch.setattr(os, "fork", refuse)
        assert app.worker().work_off() == (0, 0)
    after = app.jobs.get(job.id)
    assert (after.state, after.attempts, after.crashes) == (State.QUEUED, 0, 0)
    assert 50 < (after.run_at - after.created_at).total_seconds() < 120
    assert "Resource temporarily unavailable" in (after.last_error or "")
    assert any(isinstance(record, JobPutBack) for record in records)


def test_no_descriptors_or_processes_are_left_behind(app: Backburner) -> None:
    for _ in range(5):
        isolated.report.delay(1)
    isolated.crash.delay("exit")
    worker = app.worker(queues=["default"])
    worker.work_off(limit=1)
    gc.collect()  # what earlier tests have left open is not ours
    descriptors, children = sorted(os.listdir("/proc/self/fd")), children_of(os.getpid())
    worker.work_off()
    assert sorted(os.listdir("/proc/self/fd")) == descriptors
    assert children_of(os.getpid()) == children
