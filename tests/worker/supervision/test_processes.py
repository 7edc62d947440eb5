"""Several processes, and one that dies: its jobs are back at once, and so is another process."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from backburner import Backburner, State
from backburner.core.ports import MAX_CRASHES
from tests.worker.supervision import jobs
from tests.worker.supervision.conftest import Supervise
from tests.worker.supervision.support import (
    SOON,
    Hold,
    is_alive,
    kill,
    logged_pids,
    pids_in,
    until,
    worker_pids,
)


@pytest.fixture(params=["sqlite", "postgres", "mysql"])
def every_url(request: pytest.FixtureRequest, url: str) -> str:
    return url if request.param == "sqlite" else str(request.getfixturevalue(f"{request.param}_url"))


def state(app: Backburner, job: object) -> State:
    return app.jobs.get(job.id).state  # type: ignore[attr-defined]


def test_processes_perform_at_the_same_time(app: Backburner, supervise: Supervise, tmp_path: Path) -> None:
    holds = [Hold(tmp_path, str(number)) for number in range(2)]
    held = [jobs.hold.delay(hold.started, hold.release) for hold in holds]
    with supervise("--processes", "2") as supervisor:
        pids = [hold.pid() for hold in holds]
        assert sorted(pids) == sorted(worker_pids(supervisor, 2))
        for hold in holds:
            hold.let_go()
        until(lambda: {state(app, job) for job in held} == {State.SUCCEEDED}, "both succeed")
        supervisor.send(signal.SIGTERM)
        assert supervisor.end().code == 0
    assert app.workers() == []
    for hold in holds:
        hold.close()


def test_pools_serve_their_queues(app: Backburner, supervise: Supervise, tmp_path: Path) -> None:
    notes = {queue: tmp_path / queue for queue in ("mail", "images", "rest")}
    with supervise("--pool", "mail:1", "--pool", "images,rest:2") as supervisor:
        worker_pids(supervisor, 3)
        lines = [line for line in supervisor.lines if "process started" in line]
        mail = logged_pids(lines, "pool=mail:1")
        others = logged_pids(lines, "pool=images,rest:2")
        for queue, path in notes.items():
            jobs.note.options(queue=queue).delay(str(path))
        until(lambda: all(pids_in(path) for path in notes.values()), "all are performed")
        assert pids_in(notes["mail"]) == mail
        assert {*pids_in(notes["images"]), *pids_in(notes["rest"])} <= set(others)
        assert (len(mail), len(others)) == (1, 2)


class TestADeadProcess:
    """On every store."""

    @pytest.fixture
    def url(self, every_url: str) -> str:
        return every_url

    def test_its_job_is_performed_by_another_at_once(
        self, app: Backburner, run: Supervise, hold: Hold, record_property: pytest.Function
    ) -> None:
        job = jobs.hold.delay(hold.started, hold.release)
        with run("--processes", "2") as supervisor:
            victim = hold.pid()
            worker_pids(supervisor, 2)
            kill(victim)
            back_after = until(lambda: app.jobs.get(job.id).crashes == 1, "the job is given back")
            heir = hold.pid()
            assert heir != victim
            supervisor.wait_for(f'process crashed pid={victim} pool=*:2 how="signal 9, SIGKILL"')
            supervisor.wait_for("process started")
            hold.let_go()
            until(lambda: state(app, job) is State.SUCCEEDED, "it succeeds")
            supervisor.send(signal.SIGTERM)
            assert supervisor.end().code == 0
        print(f"given back after {back_after * 1000:.0f} ms")
        assert back_after < SOON / 3
        assert app.workers() == []

    def test_a_job_that_crashes_its_process_fails_and_all_others_succeed(
        self, app: Backburner, run: Supervise, tmp_path: Path
    ) -> None:
        notes = tmp_path / "notes"
        others = [jobs.note.delay(str(notes), str(number)) for number in range(50)]
        culprit = jobs.crash.delay()
        others += [jobs.note.delay(str(notes), str(number)) for number in range(50, 99)]
        with run("--processes", "2") as supervisor:
            until(lambda: state(app, culprit) is State.FAILED, "the culprit has failed")
            until(lambda: {state(app, job) for job in others} == {State.SUCCEEDED}, "all others succeed")
            crashes = [line for line in supervisor.lines if 'how="signal 11, SIGSEGV"' in line]
            supervisor.send(signal.SIGTERM)
            assert supervisor.end().code == 0
        failed = app.jobs.get(culprit.id)
        assert (failed.crashes, failed.attempts) == (MAX_CRASHES, 0)
        assert "workers were lost" in (failed.last_error or "")
        assert len(crashes) == MAX_CRASHES
        assert {line.split()[1] for line in notes.read_text().splitlines()} == {str(number) for number in range(99)}


def test_a_process_that_somebody_stops_is_replaced(app: Backburner, supervise: Supervise, hold: Hold) -> None:
    job = jobs.hold.delay(hold.started, hold.release)
    with supervise("--processes", "1") as supervisor:
        first = hold.pid()
        kill(first, signal.SIGTERM)
        kill(first, signal.SIGTERM)  # which aborts nothing: it is the supervisor that would
        supervisor.wait_for("worker stopping reason=SIGTERM")
        hold.let_go()
        supervisor.wait_for(f"process ended pid={first} ")
        assert len(worker_pids(supervisor, 2)) == 2
        assert state(app, job) is State.SUCCEEDED


def test_processes_end_with_a_supervisor_that_is_killed(app: Backburner, supervise: Supervise, hold: Hold) -> None:
    job = jobs.hold.delay(hold.started, hold.release)
    with supervise("--processes", "2", "--grace", "0.2") as supervisor:
        busy = hold.pid()
        pids = worker_pids(supervisor, 2)
        assert busy in pids
        until(lambda: len(app.workers()) == 2, "both are registered")
        supervisor.send(signal.SIGKILL)
        until(lambda: not any(map(is_alive, pids)), "both end")
    given_back = app.jobs.get(job.id)
    assert (given_back.state, given_back.attempts, given_back.crashes) == (State.QUEUED, 0, 0)
    assert app.workers() == []


def test_a_job_that_listens_to_nothing_ends_with_a_killed_supervisor(
    app: Backburner, supervise: Supervise, hold: Hold
) -> None:
    job = jobs.sleep_on.delay(hold.started)
    with supervise("--processes", "1", "--grace", "0.2") as supervisor:
        pid = hold.pid()
        supervisor.send(signal.SIGKILL)
        until(lambda: not is_alive(pid), "it ends")
    assert (state(app, job), app.jobs.get(job.id).attempts) == (State.QUEUED, 0)


def test_a_process_makes_way_after_so_many_jobs(app: Backburner, supervise: Supervise, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    for number in range(10):
        jobs.note.delay(str(notes), str(number))
    with supervise("--max-jobs", "4") as supervisor:
        until(lambda: len(pids_in(notes)) == 10, "all are performed")
        pids = pids_in(notes)
        supervisor.wait_for('worker stopping reason="it has performed 4 jobs"')
        supervisor.send(signal.SIGTERM)
        ended = supervisor.end()
    assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [4, 4, 2]
    assert "crashed" not in ended.err


def test_a_process_makes_way_when_it_takes_too_much_memory_and_what_runs_may_end(
    app: Backburner, supervise: Supervise, tmp_path: Path, hold: Hold
) -> None:
    notes = tmp_path / "notes"
    big = jobs.grow.delay(str(notes), 300)
    with supervise("--processes", "1", "--concurrency", "2", "--max-memory", "250", "--grace", "0") as supervisor:
        until(lambda: state(app, big) is State.SUCCEEDED, "it has grown")
        held = jobs.hold.delay(hold.started, hold.release)
        first = hold.pid()
        supervisor.wait_for("MB of memory, which is more than 250 MB")
        hold.let_go()
        supervisor.wait_for(f"process ended pid={first} ")
        assert worker_pids(supervisor, 2)[0] == first == pids_in(notes)[0]
        assert state(app, held) is State.SUCCEEDED


def test_with_nothing_left_to_do_all_end(app: Backburner, supervise: Supervise, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    for number in range(20):
        jobs.note.delay(str(notes), str(number))
    with supervise("--processes", "2", "--exit-on-complete", "--max-jobs", "7") as supervisor:
        assert supervisor.end().code == 0
    assert len(pids_in(notes)) == 20


def test_each_worker_has_a_name_of_its_own(app: Backburner, supervise: Supervise) -> None:
    with supervise("--processes", "2", "--name", "mail"):
        until(lambda: sorted(worker.name for worker in app.workers()) == ["mail.1", "mail.2"], "both are registered")
