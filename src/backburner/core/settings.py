"""The settings of an app: one frozen value, checked in one place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any

from backburner.core.errors import ConfigurationError
from backburner.core.options import QUEUE_OPTIONS, check_max_attempts, check_option, check_priority, check_queue
from backburner.core.times import to_duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an app was told; durations are given as a timedelta or seconds. The reference is made of these texts."""

    default_queue: str = "default"
    """The queue of jobs that name none."""
    default_priority: int = 0
    """The priority of jobs that name none; lower numbers run first."""
    queue_attributes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Options by queue, for jobs that do not say otherwise: `{"mail": {"priority": -10}}`."""
    max_attempts: int = 25
    """How many attempts a job has in total."""
    max_run_time: timedelta = timedelta(hours=4)
    """How long an attempt may take; a job may ask for less, and more is cut to this."""
    lease: timedelta = timedelta(seconds=30)
    """A worker that is not heard of for so long has lost its jobs; they are rescued within 5 s more."""
    heartbeat: timedelta = timedelta(seconds=10)
    """How often a worker says that it is alive; less than `lease`."""
    sleep_delay: timedelta = timedelta(seconds=5)
    """The longest idle wait between two looks; a wake-up or a due time ends it sooner."""
    keep_failed: bool = True
    """Whether jobs that failed for good stay until somebody deletes them."""
    keep_finished: timedelta = timedelta(days=1)
    """How long jobs that succeeded or were cancelled stay; `0` deletes them at once."""
    retry_jitter: float = 0.0
    """Lengthens each wait for a retry by a random share of up to this much, from 0 to 1, so that jobs that failed
    together do not come back together."""
    delay_jobs: bool | Callable[..., bool] = True
    """`False`: perform jobs at once, in the caller; a callable is asked with each job. `app.delay_jobs` may be set at
    any time."""
    allow: tuple[str, ...] = ()
    """Modules whose functions and classes a job may name, with all below them; `app.allow(…)` adds some later."""
    record_attributes: bool = True
    """Whether a handler shows a record's attributes beside its key."""
    mail: str = "smtp://localhost:25"
    """Where mail goes."""
    plugins: tuple[Any, ...] = ()
    """Objects with `install(app)`."""
    min_priority: int | None = None
    """Workers perform no jobs with a lower number, unless they are told otherwise."""
    max_priority: int | None = None
    """Workers perform no jobs with a higher number, unless they are told otherwise."""
    queues: tuple[str, ...] | None = None
    """The queues that workers serve, unless they are told otherwise; `None`: all."""

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Settings:
        """Check settings as users write them; raise ConfigurationError with all that is wrong at once."""
        problems: list[str] = []
        values: dict[str, Any] = {}
        for name, value in given.items():
            try:
                values[name] = _check(name, value)
            except (TypeError, ValueError) as error:
                problems.append(str(error))
        if not problems:
            problems = _contradictions(cls(**values))
        if problems:
            raise ConfigurationError("; ".join(problems))
        return cls(**values)


def _check(name: str, value: Any) -> Any:
    check = _CHECKS.get(name)
    if check is None:
        known = ", ".join(sorted(_CHECKS))
        raise ValueError(f"unknown setting {name!r}: expected one of {known}")
    try:
        return check(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: {error}") from None


def _contradictions(settings: Settings) -> list[str]:
    found = []
    if settings.heartbeat >= settings.lease:
        found.append(f"heartbeat: expected less than the lease of {settings.lease}, got {settings.heartbeat}")
    low, high = settings.min_priority, settings.max_priority
    if low is not None and high is not None and low > high:
        found.append(f"min_priority: expected at most max_priority, {high}, got {low}")
    return found


def _positive_duration(value: Any) -> timedelta:
    duration = to_duration(value)
    if duration <= timedelta(0):
        raise ValueError(f"expected more than zero seconds, got {value!r}")
    return duration


def _duration(value: Any) -> timedelta:
    duration = to_duration(value)
    if duration < timedelta(0):
        raise ValueError(f"expected zero seconds or more, got {value!r}")
    return duration


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"expected True or False, got {value!r}")
    return value


def _flag_or_callable(value: Any) -> Any:
    if not isinstance(value, bool) and not callable(value):
        raise TypeError(f"expected True, False or a callable, got {value!r}")
    return value


def _share(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError(f"expected a number from 0 to 1, got {value!r}")
    return float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError(f"expected a text, got {value!r}")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(x, str) for x in value):
        raise TypeError(f"expected a list of texts, got {value!r}")
    return tuple(value)


def _queues(value: Any) -> tuple[str, ...] | None:
    return None if value is None else tuple(check_queue(name) for name in _texts(value)) or None


def _priority_bound(value: Any) -> int | None:
    return None if value is None else check_priority(value)


def _queue_attributes(value: Any) -> dict[str, dict[str, Any]]:
    if not isinstance(value, Mapping):
        raise TypeError(f"expected a mapping of queues to options, got {value!r}")
    return {check_queue(queue): _queue_options(queue, options) for queue, options in value.items()}


def _queue_options(queue: str, options: Any) -> dict[str, Any]:
    if not isinstance(options, Mapping):
        raise TypeError(f"expected a mapping of options for {queue!r}, got {options!r}")
    unknown = sorted(set(options) - QUEUE_OPTIONS)
    if unknown:
        raise ValueError(f"expected only {', '.join(sorted(QUEUE_OPTIONS))} for {queue!r}, got {', '.join(unknown)}")
    return {name: check_option(name, option) for name, option in options.items()}


def _plugins(value: Any) -> tuple[Any, ...]:
    if not isinstance(value, Iterable):
        raise TypeError(f"expected a list of objects with install(app), got {value!r}")
    plugins = tuple(value)
    for plugin in plugins:
        if not callable(getattr(plugin, "install", None)):
            raise TypeError(f"expected objects with install(app), got {plugin!r}")
    return plugins


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "default_queue": check_queue,
    "default_priority": check_priority,
    "queue_attributes": _queue_attributes,
    "max_attempts": check_max_attempts,
    "max_run_time": _positive_duration,
    "lease": _positive_duration,
    "heartbeat": _positive_duration,
    "sleep_delay": _positive_duration,
    "keep_failed": _flag,
    "keep_finished": _duration,
    "retry_jitter": _share,
    "delay_jobs": _flag_or_callable,
    "allow": _texts,
    "record_attributes": _flag,
    "mail": _text,
    "plugins": _plugins,
    "min_priority": _priority_bound,
    "max_priority": _priority_bound,
    "queues": _queues,
}

if set(_CHECKS) != {f.name for f in fields(Settings)}:
    raise AssertionError("every setting needs exactly one check")
