"""`backburner work` and `backburner workoff`, as processes of their own."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from backburner import Backburner, Job, State
from tests.cli.support import Result, Running, run

LINE = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z "


def state(app: Backburner, job: Job) -> State:
    return app.jobs.get(job.id).state


@contextmanager
def performing(gate: str) -> Iterator[None]:
    """Wait until a job waits at the gate, and let it go on when the block ends."""
    with open(gate, "w"):
        yield


def log_of(ended: Result) -> list[str]:
    """Return the lines of a log but for that which names the database."""
    return [line for line in ended.err.splitlines() if "BACKBURNER_URL" not in line]


def test_work_performs_a_job_that_another_process_enqueues(app: Backburner, here: Path) -> None:
    import shop  # type: ignore[import-not-found]  # made by a fixture

    with Running("work", "shop", cwd=here) as worker:
        worker.wait_for("INFO    worker started queues=all concurrency=1 worker=")
        job = shop.send_welcome.delay(1)
        line = worker.wait_for("INFO    job succeeded ")
        worker.send(signal.SIGTERM)
        assert worker.end().code == 0
    assert re.search(rf" name=send_welcome id={job.id} queue=mail attempt=1 seconds=\d+\.\d+ worker=\S+$", line)
    assert state(app, job) is State.SUCCEEDED


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("options", [["work"], ["work", "--concurrency", "2"], ["workoff"]])
def test_a_signal_lets_the_running_job_finish(
    app: Backburner, here: Path, gate: str, options: list[str], number: signal.Signals
) -> None:
    import shop

    running = shop.wait.delay(gate)
    with Running(*options, "shop", cwd=here) as worker:
        with performing(gate):
            waiting = shop.send_welcome.delay(1)
            worker.send(number)
            worker.wait_for(f"worker stopping reason={number.name}")
        ended = worker.end()
    assert ended.code == 0
    assert state(app, running) is State.SUCCEEDED
    assert state(app, waiting) is State.QUEUED or "--concurrency" in options
    assert app.workers() == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.parametrize("command", ["work", "workoff"])
def test_a_second_signal_aborts_and_gives_the_job_back(
    app: Backburner, here: Path, gate: str, command: str, number: signal.Signals, code: int
) -> None:
    import shop

    job = shop.wait.delay(gate)
    with Running(command, "shop", cwd=here) as worker, performing(gate):
        worker.send(number)
        worker.wait_for("worker stopping")
        worker.send(number)
        worker.wait_for("WARNING job given back name=wait")
        ended = worker.end()
    assert ended.code == code
    given_back = app.jobs.get(job.id)
    assert (given_back.state, given_back.attempts, given_back.locked_by) == (State.QUEUED, 0, None)
    assert app.workers() == []


def test_after_the_grace_a_running_job_is_given_back(app: Backburner, here: Path, gate: str) -> None:
    import shop

    job = shop.wait.delay(gate)
    with Running("work", "shop", "--grace", "0", cwd=here) as worker, performing(gate):
        worker.send(signal.SIGTERM)
        worker.wait_for("job given back")
        ended = worker.end()
    assert ended.code == 0
    assert (app.jobs.get(job.id).state, app.jobs.get(job.id).attempts) == (State.QUEUED, 0)


def test_usr1_writes_the_stacks_and_the_worker_goes_on(app: Backburner, here: Path, gate: str) -> None:
    import shop

    job = shop.wait.delay(gate)
    with Running("work", "shop", "--exit-on-complete", cwd=here) as worker:
        with performing(gate):
            worker.send(signal.SIGUSR1)
            worker.wait_for("shop.py")
            worker.wait_for("worker.py")
        ended = worker.end()
    assert ended.code == 0
    assert " in wait\n" in ended.err
    assert state(app, job) is State.SUCCEEDED


def test_exit_on_complete_ends_when_nothing_is_ready(app: Backburner, here: Path) -> None:
    import shop

    jobs = [shop.send_welcome.delay(1), shop.fail.options(max_attempts=1).delay("no")]
    later = shop.send_welcome.options(run_at=3600).delay(2)
    ended = run("work", "shop", "--exit-on-complete", "--name", "cron", cwd=here)
    assert (ended.code, ended.out) == (0, "")
    assert [state(app, job) for job in [*jobs, later]] == [State.SUCCEEDED, State.FAILED, State.QUEUED]
    assert " INFO    worker stopped succeeded=1 failed=1 worker=cron\n" in ended.err


def test_the_options_choose_the_jobs(app: Backburner, here: Path) -> None:
    import shop

    def made(queue: str, priority: int) -> Job:
        job: Job = shop.send_welcome.options(queue=queue, priority=priority).delay(1)
        return job

    jobs = [made("a", 0), made("b", 5), made("c", 0), made("b", 50), made("b", -50), made("d", 0)]
    options = ["--queues", "a,b", "--queues", "c", "--exclude", "c", "--min-priority", "-10", "--max-priority", "10"]
    ended = run("workoff", "shop", *options, "--json", cwd=here)
    assert ended.json == {"succeeded": 2, "failed": 0}
    assert [job.priority for job in jobs if state(app, job) is State.SUCCEEDED] == [0, 5]


def test_workoff_performs_what_is_ready(app: Backburner, here: Path) -> None:
    import shop

    jobs = [shop.send_welcome.delay(number) for number in range(3)]
    shop.fail.delay("no")
    assert run("workoff", "shop", "--limit", "2", "--quiet", cwd=here).out == "2 succeeded, 0 failed\n"
    assert [state(app, job) for job in jobs] == [State.SUCCEEDED, State.SUCCEEDED, State.QUEUED]
    rest = run("workoff", "shop", "--quiet", cwd=here)
    assert (rest.code, rest.out) == (0, "1 succeeded, 1 failed\n")
    (line,) = log_of(rest)
    assert "WARNING job will be retried name=fail" in line


def test_each_line_of_the_log_has_a_time_and_no_control_characters(app: Backburner, here: Path) -> None:
    import shop

    shop.fail.delay("\x1b[31mred\nalert\r")
    ended = run("workoff", "shop", cwd=here)
    (line,) = log_of(ended)
    assert all(re.match(LINE, each) for each in ended.err.splitlines())
    assert 'error="ValueError: \ufffd[31mred alert"' in line
    assert "attempt=1/25" in line


def test_the_traceback_of_a_failed_job_is_logged_from_its_own_code_on(app: Backburner, here: Path) -> None:
    import shop

    shop.fail.options(max_attempts=1).delay("\x1b[31mred")
    first, *traceback = log_of(run("workoff", "shop", cwd=here))
    assert " ERROR   job failed name=fail " in first
    assert traceback[0] == "Traceback (most recent call last):"
    assert 'shop.py", line ' in traceback[1]
    assert traceback[-1] == "ValueError: \ufffd[31mred"


def test_the_traceback_of_a_retried_job_is_for_debugging(app: Backburner, here: Path) -> None:
    import shop

    shop.fail.delay("no")
    assert "Traceback" not in run("workoff", "shop", cwd=here).err
    app.jobs.retry(app.jobs.first().id)  # type: ignore[union-attr]  # there is one
    assert "Traceback" in run("workoff", "shop", "--log-level", "debug", cwd=here).err


def test_what_the_app_configured_of_logging_stays(app: Backburner, here: Path) -> None:
    import shop

    (here / "logged.py").write_text(
        "import logging, shop\nlogging.basicConfig(format='OWN %(message)s', level='INFO')\n"
    )
    shop.send_welcome.delay(1)
    lines = run("workoff", "logged", cwd=here).err.splitlines()
    assert lines[-1].startswith("OWN job succeeded name=send_welcome ")
    assert all(line.startswith("OWN ") for line in lines)


def test_a_log_level_is_one_of_four(app: Backburner, here: Path) -> None:
    ended = run("work", "--log-level", "loud", cwd=here)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "argument --log-level: invalid choice: 'loud'" in ended.err


def test_only_the_named_packages_are_allowed(app: Backburner, here: Path) -> None:
    import shop

    job = app.delay(shop.unmarked)()
    (here / "other.py").write_text("import shop\n")
    refused = run("workoff", "other", cwd=here)
    assert refused.out == "0 succeeded, 1 failed\n"
    assert "NotAllowed" in refused.err
    app.jobs.retry(job)
    assert run("workoff", "shop", cwd=here).out == "1 succeeded, 0 failed\n"


def test_a_job_whose_module_is_not_named_is_put_back(app: Backburner, here: Path) -> None:
    import shop

    job = shop.send_welcome.delay(1)
    ended = run("workoff", cwd=here)
    assert (ended.code, ended.out) == (0, "0 succeeded, 0 failed\n")
    assert "WARNING job put back name=send_welcome" in ended.err
    assert "backburner work shop" in ended.err
    assert (state(app, job), app.jobs.get(job.id).attempts) == (State.QUEUED, 0)
