"""Drafts: jobs that are ready but for being stored.

An option is taken from the first that says it: the call, the payload's class, the decorator, `queue_attributes`, the
app.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from backburner.authoring.ids import new_id
from backburner.authoring.recorded import NOTHING
from backburner.core.errors import InvalidOption
from backburner.core.hooks import holder_of, setting
from backburner.core.isolation import with_isolation, without_isolation
from backburner.core.job import Job
from backburner.core.options import PAYLOAD_OPTIONS, check_option, moment_of
from backburner.core.payload import name_of_payload

if TYPE_CHECKING:
    from backburner.core.codec import Codec
    from backburner.core.parts import Parts

Options = Mapping[str, Any]

CHANGEABLE = (
    *("queue", "priority", "run_at", "max_attempts", "max_run_time"),
    *("keep_failed", "discard_missing", "isolation", "tags"),
)
"""What the `enqueue` hook and event may change about a draft."""

_PAYLOAD_OPTIONS = frozenset(PAYLOAD_OPTIONS)
_NO_NAMES: frozenset[str] = frozenset()

FIXED = ("id", "name", "handler", "created_at", "state", "attempts")


class Drafter:
    """Makes drafts for one app."""

    def __init__(self, parts: Parts, codec: Codec) -> None:
        settings = parts.settings
        self._now = parts.store.now
        self._codec = codec
        self._default_queue = settings.default_queue
        self._longest = settings.max_run_time
        self._defaults: dict[str, Any] = {
            "priority": settings.default_priority,
            "run_at": None,
            "max_attempts": settings.max_attempts,
            "max_run_time": settings.max_run_time,
            "keep_failed": settings.keep_failed,
            "missing_record": "fail",
            "isolation": None,
            "tags": (),
        }
        self._queues = {name: {**self._defaults, **said} for name, said in settings.queue_attributes.items()}

    def draft(self, payload: object, given: Options, recorded: Options) -> Job[Any]:
        """Return a draft. Raises EnqueueError when the payload or an option cannot be stored."""
        handler = self._codec.dump(payload)
        own = _said_by(payload)
        said = {**recorded, **own, **given} if recorded or own else given
        queue = said.get("queue", self._default_queue)
        options = self._queues.get(queue, self._defaults)
        if said:
            options = {**options, **said}
        if options["isolation"] is not None:
            handler = with_isolation(handler, options["isolation"])
        now = self._now()
        return Job(
            id=new_id(),
            name=name_of_payload(payload),
            handler=handler,
            queue=queue,
            priority=options["priority"],
            run_at=now if options["run_at"] is None else _moment(options["run_at"], now),
            created_at=now,
            max_attempts=options["max_attempts"],
            max_run_time=min(options["max_run_time"], self._longest),
            keep_failed=options["keep_failed"],
            discard_missing=options["missing_record"] == "discard",
            tags=options["tags"],
            reader=self._codec,
        )

    def check_changes(self, job: Job[Any], before: Mapping[str, Any]) -> None:
        """Bring what a hook or listener changed about a draft into its normal form; raise InvalidOption."""
        for name in FIXED:
            if getattr(job, name) != before[name] and not (name == "handler" and _says_the_same(job, before[name])):
                raise InvalidOption(
                    f"{name}: only options may be changed before a job is stored: {', '.join(CHANGEABLE)}"
                )
        for name in CHANGEABLE:
            value = getattr(job, name)
            if value is not before[name]:
                setattr(job, name, self._checked(name, value, job.created_at))

    def _checked(self, name: str, value: Any, now: datetime) -> Any:
        if name == "discard_missing":
            return bool(value)
        normal = check_option(name, value)
        if name == "run_at":
            return _moment(normal, now)
        return min(normal, self._longest) if name == "max_run_time" else normal


def snapshot(job: Job[Any]) -> dict[str, Any]:
    """Note what a draft says, to see later what was changed."""
    return {name: getattr(job, name) for name in (*FIXED, *CHANGEABLE)}


def mentioned(payload: object, names: frozenset[str]) -> Set[str]:
    """Return quickly which of these hooks or settings a payload may have; most have none."""
    holder = holder_of(payload)
    if holder is None:
        return _NO_NAMES
    found = _NO_NAMES
    for base in (holder if isinstance(holder, type) else type(holder)).__mro__:
        defined = base.__dict__.keys()
        if not defined.isdisjoint(names):
            found = found | (defined & names)
    return found


def _said_by(payload: object) -> Options:
    """Return the options that the class of a job object, or of a target with hooks, answers itself."""
    names = mentioned(payload, _PAYLOAD_OPTIONS)
    if not names:
        return NOTHING
    answers = {name: setting(payload, name) for name in names}
    return {name: check_option(name, answer) for name, answer in answers.items() if answer is not None}


def _says_the_same(job: Job[Any], handler: str) -> bool:
    """Say whether the payload of a job is still that of this handler: `job.isolation` stands in there as well."""
    return without_isolation(job.handler) == without_isolation(handler)


def _moment(run_at: datetime | timedelta | None, now: datetime) -> datetime:
    try:
        return moment_of(run_at, now)
    except OverflowError:
        raise InvalidOption(f"run_at: expected a time before the year 10000, got {run_at!r} from now") from None
