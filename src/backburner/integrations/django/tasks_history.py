"""The attempts at a task: kept with its job, in its place while it is tried again, in its result in the end."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from backburner.core.job import Job
from backburner.core.lifecycle import State

KEY = "django.tasks"
"""Under which name the place of a job has its attempts; loops of a job are called otherwise."""

MOST_TRACEBACK = 16_000
"""Characters of the newest traceback that are kept, half of them from its beginning."""

MOST_OF_OLDER = 1_000


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt, as it is kept."""

    worker: str
    begun_at: str
    """In ISO 8601."""
    error: str | None = None
    """The class of what it raised, as a dotted path."""
    traceback: str | None = None

    @property
    def begun(self) -> datetime:
        """When it began."""
        return datetime.fromisoformat(self.begun_at)

    def shortened(self, most: int) -> Attempt:
        """Return it with a traceback of at most so many characters."""
        text = self.traceback
        if text is None or len(text) <= most:
            return self
        half = most // 2
        return replace(self, traceback=f"{text[:half]}\n… cut …\n{text[-half:]}")


def attempts_of(job: Job[Any]) -> list[Attempt]:
    """Return the attempts at a job of a task, oldest first; the one that is going on is the last."""
    ended = (_result_of(job) or job.place or {}).get(KEY, [])
    attempts = [Attempt(**each) for each in ended]
    if job.state is State.RUNNING and job.locked_at is not None:
        attempts.append(Attempt(job.locked_by or "", job.locked_at.isoformat()))
    return attempts


def value_of(job: Job[Any]) -> Any:
    """Return what a task that succeeded has returned."""
    return (_result_of(job) or {}).get("value")


def note_failed(job: Job[Any], attempts: Sequence[Attempt]) -> None:
    """Keep attempts in the place of a running job, which is stored when the job is tried again."""
    job.place = {**(job.place or {}), KEY: _written(attempts)}


def note_succeeded(job: Job[Any], attempts: Sequence[Attempt], value: Any) -> dict[str, Any]:
    """Keep attempts and what the last one returned in the result of a running job; return that."""
    job.result = {KEY: _written(attempts), "value": value}
    return job.result


def _written(attempts: Sequence[Attempt]) -> list[dict[str, Any]]:
    *older, newest = attempts
    return [asdict(each.shortened(MOST_OF_OLDER)) for each in older] + [asdict(newest.shortened(MOST_TRACEBACK))]


def _result_of(job: Job[Any]) -> dict[str, Any] | None:
    result = json.loads(job.result) if isinstance(job.result, str) else job.result
    return result if isinstance(result, dict) and KEY in result else None
