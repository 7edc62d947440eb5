"""Jobs that the tests of the worker perform; they write down what is called in `trace`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from backburner import Cancel, Fail, Job, JobHooks, Retry, Snooze, current_job, job

trace: list[str] = []


class Boom(Exception):
    """What the jobs raise."""


@job
def note(text: str) -> str:
    """Write down the text."""
    trace.append(text)
    return text


@job
async def note_async(text: str) -> str:
    """Write down the text, in a coroutine."""
    trace.append(text)
    return text


@job
def fail_with(message: str) -> None:
    """Raise Boom."""
    trace.append("fail_with")
    raise Boom(message)


@job
def steer(how: str, seconds: float = 60) -> None:
    """End the attempt in the way that is asked for."""
    trace.append(how)
    ways = {
        "retry": lambda: Retry(timedelta(seconds=seconds)),
        "snooze": lambda: Snooze(timedelta(seconds=seconds)),
        "cancel": lambda: Cancel("not needed any more"),
        "fail": lambda: Fail("cannot be done"),
    }
    raise ways[how]()


@job
def report(total: int) -> None:
    """Report progress as far as the half."""
    current_job().report_progress(total / 2, total, "half-way")


@dataclass
class Hooked(JobHooks):
    """Writes down each hook; raises in those that are named."""

    raising: list[str] = field(default_factory=list)

    def _note(self, name: str) -> None:
        trace.append(name)
        if name in self.raising:
            raise Boom(name)

    def enqueue(self, job: Job[Any]) -> None:
        self._note("enqueue")

    def before(self, job: Job[Any]) -> None:
        self._note("before")

    def perform(self) -> None:
        self._note("perform")

    def success(self) -> None:
        self._note("success")

    def error(self, job: Job[Any], exception: BaseException) -> None:
        self._note("error")

    def after(self, job: Job[Any]) -> None:
        self._note("after")

    def failure(self, job: Job[Any]) -> None:
        self._note("failure")


@dataclass
class Steered(Hooked):
    """Writes down each hook, and raises a steering exception in `perform`."""

    how: str = "snooze"

    def perform(self) -> None:
        super().perform()
        steer(self.how)


@dataclass
class Rescheduled:
    """Fails, and says itself when it is tried again."""

    at: datetime

    def perform(self) -> None:
        raise Boom("later")

    def reschedule_at(self, now: datetime, attempts: int) -> datetime:
        return self.at + timedelta(hours=attempts)
