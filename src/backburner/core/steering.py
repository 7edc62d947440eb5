"""What a job may raise to say how its attempt ends."""

from __future__ import annotations

from datetime import datetime, timedelta

from backburner.core.times import is_naive, to_duration

When = datetime | timedelta | float


class Steering(Exception):
    """Base of the exceptions that steer a job; not an error of the job."""


class _Later(Steering):
    """A steering exception that names the time of the next attempt."""

    def __init__(self, after: When, reason: str | None = None) -> None:
        self.after: datetime | timedelta = _checked(after)
        super().__init__(reason or f"again {_phrase(self.after)}")

    def moment(self, now: datetime) -> datetime:
        """Return the time of the next attempt."""
        return self.after if isinstance(self.after, datetime) else now + self.after


class Retry(_Later):
    """End this attempt as failed and try again at `after`.

    `after` is an aware datetime, a timedelta from now or a number of seconds; a naive datetime is a ValueError. When no
    attempt is left, the job fails.
    """


class Snooze(_Later):
    """Put the job back until `after`, as in `Retry`; not a failure, and not counted as an attempt."""


class Cancel(Steering):
    """End the job as cancelled; the reason is in its `last_error`."""

    def __init__(self, reason: str | None = None) -> None:
        super().__init__(reason or "cancelled by the job itself")


class Fail(Steering):
    """End the job as failed, without further attempts; the reason is in its `last_error`."""

    def __init__(self, reason: str | None = None) -> None:
        super().__init__(reason or "failed by the job itself")


def _checked(after: When) -> datetime | timedelta:
    if isinstance(after, datetime):
        if is_naive(after):
            raise ValueError(f"expected an aware datetime or a timedelta, got the naive {after!r}")
        return after
    return to_duration(after)


def _phrase(after: datetime | timedelta) -> str:
    return f"at {after.isoformat()}" if isinstance(after, datetime) else f"in {after}"
