"""Drafts: jobs that are ready but for being stored.

An option is taken from the first that says it: the call, the payload's class, the decorator, `queue_attributes`, the
app.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from backburner.authoring.ids import new_id
from backburner.authoring.recorded import NOTHING
from backburner.core.errors import InvalidOption
from backburner.core.hooks import holder_of, setting
from backburner.core.isolation import Isolation, with_isolation, without_isolation
from backburner.core.job import Job
from backburner.core.lifecycle import State
from backburner.core.options import PAYLOAD_OPTIONS, check_option, moment_of
from backburner.core.payload import Call, name_of_payload

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
_QUEUED = State.QUEUED
_new = Job.__new__

FIXED = ("id", "name", "handler", "created_at", "state", "attempts")


class Terms(NamedTuple):
    """The options of a job after it was decided which of several count."""

    run_at: datetime | timedelta | None
    isolation: Isolation | None
    stored: tuple[str, int, int, timedelta, bool, bool, tuple[str, ...]]
    """What goes into the job as it is: from its queue to its tags."""


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
        self._usual_terms = self._terms(NOTHING)

    def draft(self, payload: object, given: Options, recorded: Options) -> Job[Any]:
        """Return a draft. Raises EnqueueError when the payload or an option cannot be stored."""
        handler = self._codec.dump(payload)
        own = NOTHING if is_bare(payload) else _said_by(payload)
        said = {**recorded, **own, **given} if recorded or own else given
        terms = self._terms(said) if said else self._usual_terms
        if terms.isolation is not None:
            handler = with_isolation(handler, terms.isolation)
        now = self._now()
        job = _untouched_job()
        job.id, job.name, job.handler, job.reader = new_id(), name_of_payload(payload), handler, self._codec
        job.created_at, job.run_at = now, now if terms.run_at is None else _moment(terms.run_at, now)
        job.queue, job.priority, job.max_attempts, job.max_run_time, job.keep_failed, job.discard_missing, job.tags = (
            terms.stored
        )
        return job

    def _terms(self, said: Options) -> Terms:
        """Return what holds for a job of which this is said."""
        queue = said.get("queue", self._default_queue)
        options = {**self._queues.get(queue, self._defaults), **said}
        return Terms(
            run_at=options["run_at"],
            isolation=options["isolation"],
            stored=(
                queue,
                options["priority"],
                options["max_attempts"],
                min(options["max_run_time"], self._longest),
                options["keep_failed"],
                options["missing_record"] == "discard",
                options["tags"],
            ),
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


def _untouched_job() -> Job[Any]:
    """Return a job that nothing has happened to, for the rest to be filled in.

    The constructor takes twice as long to find each field by its name as it takes here to set all of them.
    """
    job: Job[Any] = _new(Job)
    job.state, job.attempts, job.crashes, job.cancel_requested, job.is_duplicate = _QUEUED, 0, 0, False, False
    job.last_error = job.locked_by = job.locked_at = job.lease = job.failed_at = job.finished_at = job.result = None
    job.progress = job.place = job.handle = job.cached_payload = None
    job.late = ()
    return job


def snapshot(job: Job[Any]) -> dict[str, Any]:
    """Note what a draft says, to see later what was changed."""
    return {name: getattr(job, name) for name in (*FIXED, *CHANGEABLE)}


def is_bare(payload: object) -> bool:
    """Say whether this is the call of a function, which has no hooks and says nothing about its job."""
    return type(payload) is Call and payload.method is None


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
