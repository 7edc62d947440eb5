"""The order of hooks and lifecycle events, scenario by scenario, as Delayed::Job has it.

`B:`, `A:` and `R>`/`R<` are the listeners before, after and around an event; plain words are the job's own hooks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from backburner import Backburner, Job, State
from backburner.core.events import EVENTS
from tests.worker.jobs import Boom, Hooked, Steered, trace

INVOKE_STARTS = ["B:perform", "R>perform", "B:invoke", "R>invoke"]
INVOKE_RETURNS = ["R<invoke", "A:invoke", "R<perform", "A:perform"]
ERROR = ["B:error", "R>error", "R<error", "A:error"]
PERFORM_ENDS = ["R<perform", "A:perform"]


def listen(app: Backburner) -> None:
    """Write down every listener of the events of a job."""

    def add(event: str) -> None:
        def before(*_: Any) -> None:
            trace.append(f"B:{event}")

        def after(*_: Any) -> None:
            trace.append(f"A:{event}")

        def around(*_: Any) -> Iterator[None]:
            trace.append(f"R>{event}")
            try:
                yield
            except BaseException:
                trace.append(f"R!{event}")
                raise
            trace.append(f"R<{event}")

        app.before(event)(before)
        app.after(event)(after)
        app.around(event)(around)

    for event in EVENTS:
        if event not in ("execute", "loop"):
            add(event)


def perform_once(app: Backburner, payload: Any, **options: Any) -> tuple[Job[Any], tuple[int, int]]:
    job = app.enqueue(payload, **options)
    listen(app)
    trace.clear()
    counts = app.worker().work_off()
    return app.jobs.get(job.id), counts


def test_enqueue(app: Backburner) -> None:
    listen(app)
    app.enqueue(Hooked())
    assert trace == ["B:enqueue", "R>enqueue", "enqueue", "R<enqueue", "A:enqueue"]


def test_success(app: Backburner) -> None:
    job, counts = perform_once(app, Hooked())
    assert trace == [*INVOKE_STARTS, "before", "perform", "success", "after", *INVOKE_RETURNS]
    assert (job.state, counts) == (State.SUCCEEDED, (1, 0))


def test_perform_raises_with_attempts_left(app: Backburner) -> None:
    job, counts = perform_once(app, Hooked(["perform"]))
    hooks = ["before", "perform", "error", "after"]
    assert trace == [*INVOKE_STARTS, *hooks, "R!invoke", *ERROR, *PERFORM_ENDS]
    assert (job.state, job.attempts, counts) == (State.QUEUED, 1, (0, 1))
    assert 5.9 < (job.run_at - job.created_at).total_seconds() < 20
    assert job.last_error is not None
    assert job.last_error.startswith("Boom: perform\n")
    assert (job.locked_by, job.locked_at) == (None, None)


def test_perform_raises_at_the_last_attempt(app: Backburner) -> None:
    job, counts = perform_once(app, Hooked(["perform"]), max_attempts=1)
    failure = [
        "B:error",
        "R>error",
        "B:failure",
        "R>failure",
        "failure",
        "R<failure",
        "A:failure",
        "R<error",
        "A:error",
    ]
    assert trace == [*INVOKE_STARTS, "before", "perform", "error", "after", "R!invoke", *failure, *PERFORM_ENDS]
    assert (job.state, job.attempts, counts) == (State.FAILED, 1, (0, 1))
    assert job.failed_at is not None
    assert (job.locked_by, job.locked_at) == (None, None)


def test_before_hook_raises(app: Backburner) -> None:
    job, counts = perform_once(app, Hooked(["before"]))
    assert trace == [*INVOKE_STARTS, "before", "error", "after", "R!invoke", *ERROR, *PERFORM_ENDS]
    assert (job.attempts, counts) == (1, (0, 1))


def test_success_hook_raises_and_the_attempt_counts_as_failed(app: Backburner) -> None:
    job, counts = perform_once(app, Hooked(["success"]))
    hooks = ["before", "perform", "success", "error", "after"]
    assert trace == [*INVOKE_STARTS, *hooks, "R!invoke", *ERROR, *PERFORM_ENDS]
    assert (job.state, job.attempts, counts) == (State.QUEUED, 1, (0, 1))
    assert job.last_error is not None
    assert "raised by the hook 'success'" in job.last_error


def test_after_hook_raises_and_the_attempt_counts_as_failed(app: Backburner) -> None:
    job, counts = perform_once(app, Hooked(["after"]))
    assert trace == [*INVOKE_STARTS, "before", "perform", "success", "after", "R!invoke", *ERROR, *PERFORM_ENDS]
    assert (job.attempts, counts) == (1, (0, 1))
    assert job.last_error is not None
    assert "raised by the hook 'after'" in job.last_error


def test_error_hook_raises_and_its_exception_replaces_the_first(app: Backburner) -> None:
    job, _ = perform_once(app, Hooked(["perform", "error"]))
    assert trace == [*INVOKE_STARTS, "before", "perform", "error", "after", "R!invoke", *ERROR, *PERFORM_ENDS]
    assert job.last_error is not None
    assert job.last_error.startswith("Boom: error\n")


def test_failure_hook_raises_and_the_job_has_failed_all_the_same(app: Backburner) -> None:
    job, counts = perform_once(app, Hooked(["perform", "failure"]), max_attempts=1)
    assert trace.count("failure") == 1
    assert trace[-2:] == PERFORM_ENDS
    assert (job.state, counts) == (State.FAILED, (0, 1))


def test_enqueue_hook_raises_and_nothing_is_stored(app: Backburner) -> None:
    listen(app)
    with pytest.raises(Boom, match="enqueue"):
        app.enqueue(Hooked(["enqueue"]))
    assert trace == ["B:enqueue", "R>enqueue", "enqueue", "R!enqueue"]
    assert app.jobs.count() == 0


@pytest.mark.parametrize(("how", "state"), [("snooze", State.QUEUED), ("cancel", State.CANCELLED)])
def test_steering_that_is_no_failure_runs_only_the_after_hook(app: Backburner, how: str, state: State) -> None:
    job, counts = perform_once(app, Steered(how=how))
    hooks = ["before", "perform", how, "after"]
    assert trace == [*INVOKE_STARTS, *hooks, "R!invoke", *PERFORM_ENDS]
    assert (job.state, job.attempts, counts) == (state, 0, (0, 0))


@pytest.mark.parametrize(("how", "state"), [("retry", State.QUEUED), ("fail", State.FAILED)])
def test_steering_that_is_a_failure_runs_the_error_hook(app: Backburner, how: str, state: State) -> None:
    job, counts = perform_once(app, Steered(how=how))
    assert trace[:9] == [*INVOKE_STARTS, "before", "perform", how, "error", "after"]
    assert (job.state, job.attempts, counts) == (state, 1, (0, 1))


def test_a_payload_that_cannot_be_loaded_runs_no_hooks(app: Backburner) -> None:
    job = app.enqueue(Hooked())
    broken = app.enqueue(Hooked())
    app.before("perform")(lambda worker, job: setattr(job, "handler", "{") if job.id == broken.id else None)
    listen(app)
    trace.clear()
    assert app.worker().work_off() == (1, 1)
    failure = ["B:failure", "R>failure", "R<failure", "A:failure"]
    assert trace[-8:] == ["B:perform", "R>perform", *failure, *PERFORM_ENDS]
    assert app.jobs.get(job.id).state is State.SUCCEEDED
    failed = app.jobs.get(broken.id)
    assert (failed.state, failed.attempts) == (State.FAILED, 0)


def test_inline_success(app: Backburner) -> None:
    app.delay_jobs = False
    listen(app)
    job = app.enqueue(Hooked())
    inside = ["B:invoke", "R>invoke", "before", "perform", "success", "after", "R<invoke", "A:invoke"]
    assert trace == ["B:enqueue", "R>enqueue", "enqueue", *inside, "R<enqueue", "A:enqueue"]
    assert job.state is State.SUCCEEDED
    assert app.jobs.count(state="succeeded") == app.jobs.count() == 0


def test_inline_error(app: Backburner) -> None:
    app.delay_jobs = False
    listen(app)
    with pytest.raises(Boom, match="perform"):
        app.enqueue(Hooked(["perform"]), max_attempts=1)
    inside = ["B:invoke", "R>invoke", "before", "perform", "error", "after", "R!invoke"]
    assert trace == ["B:enqueue", "R>enqueue", "enqueue", *inside, "R!enqueue"]
    assert app.jobs.count() == 0
