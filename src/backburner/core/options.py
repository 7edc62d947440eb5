"""The options of a job: their names, what they may be, and which of several wins."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypedDict

from backburner.core.errors import InvalidOption, UnknownOption
from backburner.core.isolation import Isolation, check_isolation
from backburner.core.times import is_naive, to_duration


class Options(TypedDict, total=False):
    """What may be said about a job where it is enqueued."""

    queue: str
    """The name of a queue: 1 to 200 printable characters."""
    priority: int
    """Lower numbers run first."""
    run_at: datetime | timedelta | float
    """Not before this aware datetime, or this timedelta or number of seconds from now."""
    max_attempts: int
    """Attempts in total; 0 and 1 both mean one."""
    max_run_time: timedelta | float
    """How long one attempt may take, a timedelta or seconds; cut to the app's `max_run_time`."""
    keep_failed: bool
    """Whether the job is kept when it has failed for good."""
    missing_record: Literal["fail", "discard"]
    """What becomes of the job when a record that it names is gone: failed for good, or cancelled."""
    isolation: Isolation
    """Whether each attempt gets a process of its own."""
    tags: Sequence[str]
    """Words to find the job by."""
    connection: object
    """The caller's own connection, in whose transaction the job is written."""


class DecoratorOptions(TypedDict, total=False):
    """What may be said about every job of a function or method; callables are asked at each call."""

    queue: str | Callable[..., str]
    priority: int | Callable[..., int]
    run_at: datetime | timedelta | float | Callable[..., datetime | timedelta | float]
    max_attempts: int | Callable[..., int]
    max_run_time: timedelta | float | Callable[..., timedelta | float]
    keep_failed: bool | Callable[..., bool]
    missing_record: Literal["fail", "discard"]
    isolation: Isolation | Callable[..., Isolation]
    tags: Sequence[str] | Callable[..., Sequence[str]]


PAYLOAD_OPTIONS = ("queue", "priority", "max_attempts", "max_run_time", "keep_failed", "isolation")
"""Options that a job object's class may answer by an attribute or method of the same name."""

QUEUE_OPTIONS = frozenset({"priority", "max_attempts", "max_run_time", "keep_failed", "isolation"})
"""Options that `queue_attributes` may set for a queue."""

MIN_PRIORITY, MAX_PRIORITY = -(2**31), 2**31 - 1
MAX_QUEUE_LENGTH = 200


def check_queue(value: Any) -> str:
    """Return the name of a queue; raise ValueError when it cannot be one."""
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_QUEUE_LENGTH or not value.isprintable():
        raise ValueError(f"expected a name of 1 to {MAX_QUEUE_LENGTH} printable characters, got {value!r}")
    return value


def check_priority(value: Any) -> int:
    """Return a priority; raise ValueError when it is not an integer of 32 bits."""
    if isinstance(value, bool) or not isinstance(value, int) or not MIN_PRIORITY <= value <= MAX_PRIORITY:
        raise ValueError(f"expected an integer from {MIN_PRIORITY} to {MAX_PRIORITY}, got {value!r}")
    return int(value)


def _check_run_at(value: Any) -> datetime | timedelta:
    if isinstance(value, datetime):
        if is_naive(value):
            raise ValueError(f"expected an aware datetime or a timedelta from now, got the naive {value!r}")
        return value.astimezone(UTC)
    return to_duration(value)


def check_max_attempts(value: Any) -> int:
    """Return a number of attempts; raise ValueError when it is not a whole number from 0 on."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_PRIORITY:
        raise ValueError(f"expected a number of attempts of 0 or more, got {value!r}")
    return int(value)


def _check_max_run_time(value: Any) -> timedelta:
    duration = to_duration(value)
    if duration <= timedelta(0):
        raise ValueError(f"expected more than zero seconds, got {value!r}")
    return duration


def _check_flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"expected True or False, got {value!r}")
    return value


def _check_missing_record(value: Any) -> str:
    if value not in ("fail", "discard"):
        raise ValueError(f"expected 'fail' or 'discard', got {value!r}")
    return str(value)


def _check_tags(value: Any) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(tag, str) for tag in value):
        raise TypeError(f"expected a list of texts, got {value!r}")
    return tuple(value)


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "queue": check_queue,
    "priority": check_priority,
    "run_at": _check_run_at,
    "max_attempts": check_max_attempts,
    "max_run_time": _check_max_run_time,
    "keep_failed": _check_flag,
    "missing_record": _check_missing_record,
    "isolation": check_isolation,
    "tags": _check_tags,
    "connection": lambda value: value,
}

KNOWN_OPTIONS = tuple(_CHECKS)


def check_option(name: str, value: Any) -> Any:
    """Return the value of one option in its normal form; raise UnknownOption or InvalidOption."""
    check = _CHECKS.get(name)
    if check is None:
        raise UnknownOption(f"unknown option {name!r}: expected one of {', '.join(KNOWN_OPTIONS)}")
    try:
        return check(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidOption(f"{name}: {error}") from None


def check_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options in their normal form; a value of None means that the option is not given."""
    given = {name: value for name, value in options.items() if value is not None or name not in _CHECKS}
    return {name: check_option(name, value) for name, value in given.items()}


def check_decorator_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Check the options of a decorator; callables are left for each call."""
    if "connection" in options:
        raise InvalidOption("connection: expected at the call, got it in a decorator")
    return {name: _check_unless_callable(name, value) for name, value in options.items()}


def _check_unless_callable(name: str, value: Any) -> Any:
    return value if callable(value) and name in _CHECKS else check_option(name, value)


def moment_of(run_at: datetime | timedelta | None, now: datetime) -> datetime:
    """Return the time that a `run_at` in normal form means."""
    if run_at is None:
        return now
    return run_at if isinstance(run_at, datetime) else now + run_at
