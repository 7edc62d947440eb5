"""What listeners to a worker's events may do, and what they cannot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from backburner import Backburner, State
from backburner.core.errors import ConfigurationError
from backburner.core.telemetry import ListenerFailed, recorded
from tests.worker.jobs import note, trace

Register = Callable[[Backburner, str], None]


def refuse(*_: object) -> None:
    raise RuntimeError("listener")


def refuse_to_surround(*_: object) -> Iterator[None]:
    yield
    raise RuntimeError("listener")


WAYS: dict[str, Register] = {
    "before": lambda app, event: app.before(event)(refuse) and None,
    "around": lambda app, event: app.around(event)(refuse_to_surround) and None,
    "after": lambda app, event: app.after(event)(refuse) and None,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("event", ["execute", "loop"])
def test_one_that_raises_is_told_of_and_does_not_keep_the_worker_from_its_jobs(
    app: Backburner, event: str, way: str
) -> None:
    WAYS[way](app, event)
    app.delay(note)("once")
    with recorded(app.telemetry) as records:
        app.worker().run(exit_on_complete=True)
    assert trace == ["once"]
    failures = [record for record in records if isinstance(record, ListenerFailed)]
    assert {(failure.event, str(failure.error)) for failure in failures} == {(event, "listener")}


def test_one_around_an_event_may_give_a_context_manager(app: Backburner) -> None:
    @app.around("invoke")
    @contextmanager
    def surround(job: Any) -> Iterator[None]:
        trace.append("begin")
        yield
        trace.append("end")

    app.delay(note)("job")
    assert app.worker().work_off() == (1, 0)
    assert trace == ["begin", "job", "end"]


def test_its_context_manager_cannot_hide_what_the_job_raises(app: Backburner) -> None:
    class Hiding(AbstractContextManager[None]):
        def __exit__(self, *_: object) -> bool:
            return True

    app.around("invoke")(lambda job: Hiding())
    failing = app.delay(refuse, max_attempts=1)()
    assert app.worker().work_off() == (0, 1)
    assert app.jobs.get(failing.id).state is State.FAILED


def twice(job: Any) -> Iterator[None]:
    yield
    yield


@pytest.mark.parametrize(
    ("listener", "complaint"),
    [
        (lambda job: "nothing", "to be a generator or to return a context manager, got 'nothing'"),
        (twice, "expected twice(job: 'Any') -> 'Iterator[None]' to yield once, it yielded again"),
    ],
)
def test_one_around_an_event_that_does_not_surround_it_fails_the_attempt(
    app: Backburner, listener: Callable[..., Any], complaint: str
) -> None:
    app.around("invoke")(listener)
    job = app.delay(note)("x")
    assert app.worker().work_off() == (0, 1)
    assert complaint in (app.jobs.get(job.id).last_error or "")


def test_what_one_around_raises_in_the_place_of_the_jobs_error_is_the_error(app: Backburner) -> None:
    @app.around("invoke")
    def translate(job: Any) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            raise ValueError("in other words") from error

    failing = app.delay(refuse, max_attempts=1)()
    assert app.worker().work_off() == (0, 1)
    assert (app.jobs.get(failing.id).last_error or "").startswith("ValueError: in other words")


def test_only_what_can_be_called_listens(app: Backburner) -> None:
    with pytest.raises(ConfigurationError, match="enqueue: expected a callable, got 3"):
        app.before("enqueue")(3)  # type: ignore[type-var]  # the mistake that is tested
