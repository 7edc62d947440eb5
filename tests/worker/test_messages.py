"""What the process of a job tells its worker, and what a worker makes of nonsense."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backburner import Cancel, Fail, JobInterrupted, Retry, Snooze
from backburner.core.job import Job
from backburner.core.lifecycle import Move
from backburner.core.settings import Settings
from backburner.testing.contract.driving import new_job
from backburner.worker.executors.messages import Begun, Ended, Troubled, decoded, encoded
from backburner.worker.outcome import Judge, Outcome

NOW = datetime(2030, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def running() -> Job[Any]:
    return new_job(NOW, lease=7, max_attempts=3)


def raised(error: BaseException) -> BaseException:
    """Return an exception with a traceback."""
    try:
        raise error
    except BaseException as caught:
        return caught


def outcomes() -> list[Outcome]:
    judge = Judge(Settings(keep_finished=timedelta(0)), lambda event, error: None)
    errors = [Retry(60), Snooze(60), Cancel("why"), Fail("so"), ValueError("é\n\x00\ud800"), JobInterrupted()]
    return [judge.success(running()), *(judge.raised(running(), raised(error), NOW) for error in errors)]


@pytest.mark.parametrize("outcome", outcomes(), ids=lambda outcome: outcome.settlement.move.value)
def test_an_outcome_is_the_same_on_the_other_side(outcome: Outcome) -> None:
    job = running()
    job.id = outcome.job.id
    line = encoded(Ended(outcome))
    assert line.count(b"\n") == 1
    message = decoded(line.strip(), job)
    assert isinstance(message, Ended)
    assert message.outcome.settlement == outcome.settlement
    assert message.outcome.count is outcome.count
    assert (job.attempts, job.last_error) == (outcome.job.attempts, outcome.job.last_error)
    assert type(message.outcome.error).__name__ == type(outcome.error).__name__


def test_an_exception_that_cannot_be_shown_is_shown_as_such() -> None:
    class Odd(Exception):
        def __str__(self) -> str:
            raise ValueError

    message = decoded(encoded(Troubled("error", raised(Odd()))).strip(), running())
    assert isinstance(message, Troubled)
    assert message.event == "error"
    assert "its message cannot be shown" in str(message.error)
    assert type(message.error).__name__ == "Odd"


def test_the_beginning_is_told() -> None:
    assert decoded(encoded(Begun()).strip(), running()) == Begun()


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\xff\x00",
        b"null",
        b"[]",
        b"{}",
        b'"ended"',
        b'{"ended": {}}',
        b'{"ended": {"move": "explode"}}',
        b'{"begun": 1, "more": 2}',
        b'{"troubled": "error"}',
        b"[" * 100_000,
    ],
)
def test_nonsense_means_nothing(line: bytes) -> None:
    job = running()
    before = (job.attempts, job.last_error)
    assert decoded(line, job) is None
    assert (job.attempts, job.last_error) == before


def test_an_outcome_that_is_not_whole_changes_nothing_about_the_job() -> None:
    (outcome,) = [outcome for outcome in outcomes() if outcome.settlement.move is Move.RETRY][:1]
    job = running()
    whole = encoded(Ended(outcome)).strip()
    assert decoded(whole[:-20], job) is None
    assert decoded(whole.replace(b'"attempts"', b'"other"'), job) is None
    assert (job.attempts, job.last_error) == (0, None)
