"""Log lines of what happens: telemetry, written to the logger `backburner` of Python's `logging`.

A line says what happened and then the facts as `name=value`. The facts, uncut, are in the attribute `backburner` of the
`LogRecord` as well, for formatters that write JSON. No handler and no level is set here: that is the program's choice.

=======  ==========================================================================================
level    what is logged
=======  ==========================================================================================
DEBUG    an attempt begins; the tracebacks of what is retried
INFO     a worker, process or supervisor starts or stops; a job succeeds, snoozes, is cancelled, is asked for
WARNING  a job is retried, put back, given back or rescued; a lease was lost; the store is back; a process is killed
ERROR    a job fails for good, a listener raises (both with tracebacks); the store cannot be used; a process crashes
=======  ==========================================================================================
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar
from weakref import WeakSet

from backburner.core.telemetry import (
    JobCancelledRecord,
    JobCrashed,
    JobFailed,
    JobPutBack,
    JobRecord,
    JobReleased,
    JobRescued,
    JobRetried,
    JobSeen,
    JobSnoozed,
    JobStarted,
    JobSucceeded,
    LeasesLost,
    ListenerFailed,
    ProcessCrashed,
    ProcessEnded,
    ProcessKilled,
    ProcessMissing,
    ProcessRecord,
    ProcessStarted,
    Record,
    StoreRecovered,
    StoreTroubled,
    SupervisorStarted,
    SupervisorStopped,
    SupervisorStopping,
    Telemetry,
    WorkerGaveUp,
    WorkerStarted,
    WorkerStopped,
    WorkerStopping,
)
from backburner.core.text import printable

LOGGER = "backburner"
LONGEST_VALUE = 500

R = TypeVar("R", bound=Record)


class Line(NamedTuple):
    """What is logged of one record."""

    event: str
    facts: Mapping[str, object]
    error: BaseException | None = None
    """Logged with its traceback."""
    retried: BaseException | None = None
    """Logged with its traceback when DEBUG is enabled."""


_logger = logging.getLogger(LOGGER)
_subscribed: WeakSet[Telemetry] = WeakSet()
_forms: dict[type[Record], tuple[int, Callable[[Any], Line]]] = {}


def subscribe(telemetry: Telemetry) -> None:
    """Log what is emitted from now on; once, however often this is called."""
    if telemetry not in _subscribed:
        _subscribed.add(telemetry)
        telemetry.subscribe(log, is_logged)


def is_logged(kind: type[Record]) -> bool:
    """Say whether records of this kind are logged at the level that is enabled now."""
    form = _forms.get(kind)
    return form is not None and _logger.isEnabledFor(form[0])


def log(record: Record) -> None:
    """Log one record. Where its level is not enabled, nothing is formatted."""
    form = _forms.get(type(record))
    if form is None:
        return
    level, describe = form
    if _logger.isEnabledFor(level):
        line = describe(record)
        error = line.error or (line.retried if _logger.isEnabledFor(logging.DEBUG) else None)
        _logger.log(level, "%s", _text(line), exc_info=error, extra={LOGGER: {"event": line.event, **line.facts}})


def _logs(level: int, kind: type[R]) -> Callable[[Callable[[R], Line]], Callable[[R], Line]]:
    """Have records of one kind logged by the function that is decorated."""

    def note(describe: Callable[[R], Line]) -> Callable[[R], Line]:
        _forms[kind] = (level, describe)
        return describe

    return note


@_logs(logging.INFO, WorkerStarted)
def _worker_started(record: WorkerStarted) -> Line:
    queues = "all" if record.queues is None else ",".join(record.queues)
    return Line("worker started", {"queues": queues, "concurrency": record.concurrency, "worker": record.worker})


@_logs(logging.INFO, WorkerStopping)
def _worker_stopping(record: WorkerStopping) -> Line:
    return Line("worker stopping", {"reason": record.reason, "worker": record.worker})


@_logs(logging.INFO, WorkerStopped)
def _worker_stopped(record: WorkerStopped) -> Line:
    facts = {"succeeded": record.successes, "failed": record.failures, "worker": record.worker}
    return Line("worker stopped", facts)


@_logs(logging.WARNING, WorkerGaveUp)
def _worker_gave_up(record: WorkerGaveUp) -> Line:
    ids = ",".join(str(job.id) for job in record.jobs)
    return Line("worker ends without its jobs", {"ids": ids, "worker": record.worker})


@_logs(logging.INFO, SupervisorStarted)
def _supervisor_started(record: SupervisorStarted) -> Line:
    facts = {"processes": record.processes, "pools": " ".join(record.pools), "supervisor": record.supervisor}
    return Line("supervisor started", facts)


@_logs(logging.INFO, SupervisorStopping)
def _supervisor_stopping(record: SupervisorStopping) -> Line:
    return Line("supervisor stopping", {"reason": record.reason, "supervisor": record.supervisor})


@_logs(logging.INFO, SupervisorStopped)
def _supervisor_stopped(record: SupervisorStopped) -> Line:
    return Line("supervisor stopped", {"supervisor": record.supervisor})


@_logs(logging.INFO, ProcessStarted)
def _process_started(record: ProcessStarted) -> Line:
    return Line("process started", _process_facts(record))


@_logs(logging.INFO, ProcessEnded)
def _process_ended(record: ProcessEnded) -> Line:
    return Line("process ended", _process_facts(record))


@_logs(logging.ERROR, ProcessCrashed)
def _process_crashed(record: ProcessCrashed) -> Line:
    again = {} if record.again_in is None else {"again_in": _rounded(record.again_in)}
    return Line("process crashed", _process_facts(record, how=record.how, **again))


@_logs(logging.WARNING, ProcessKilled)
def _process_killed(record: ProcessKilled) -> Line:
    return Line("process killed", _process_facts(record, reason=record.reason))


@_logs(logging.ERROR, ProcessMissing)
def _process_missing(record: ProcessMissing) -> Line:
    again = _rounded(record.again_in)
    facts = {"pool": record.pool, "error": _headline(record.error), "again_in": again, "supervisor": record.supervisor}
    return Line("process could not be started", facts)


@_logs(logging.DEBUG, JobStarted)
def _job_started(record: JobStarted) -> Line:
    return Line("job started", _facts(record, attempt=record.job.attempts + 1))


@_logs(logging.INFO, JobSucceeded)
def _job_succeeded(record: JobSucceeded) -> Line:
    return Line("job succeeded", _facts(record, attempt=record.job.attempts + 1, seconds=_rounded(record.seconds)))


@_logs(logging.WARNING, JobRetried)
def _job_retried(record: JobRetried) -> Line:
    facts = _facts(
        record,
        attempt=_of_all(record),
        seconds=_rounded(record.seconds),
        run_at=record.run_at.isoformat(timespec="seconds"),
        error=_headline(record.error),
    )
    return Line("job will be retried", facts, retried=record.error)


@_logs(logging.ERROR, JobFailed)
def _job_failed(record: JobFailed) -> Line:
    seconds = _rounded(record.seconds)
    facts = _facts(record, attempts=_of_all(record), seconds=seconds, error=_headline(record.error))
    return Line("job failed", facts, error=record.error)


@_logs(logging.INFO, JobSnoozed)
def _job_snoozed(record: JobSnoozed) -> Line:
    return Line("job snoozed", _facts(record, run_at=record.run_at.isoformat(timespec="seconds")))


@_logs(logging.WARNING, JobPutBack)
def _job_put_back(record: JobPutBack) -> Line:
    run_at = record.run_at.isoformat(timespec="seconds")
    return Line("job put back", _facts(record, run_at=run_at, error=_headline(record.error)))


@_logs(logging.INFO, JobCancelledRecord)
def _job_cancelled(record: JobCancelledRecord) -> Line:
    return Line("job cancelled", _facts(record, reason=record.reason))


@_logs(logging.WARNING, JobReleased)
def _job_released(record: JobReleased) -> Line:
    return Line("job given back", _facts(record))


@_logs(logging.WARNING, JobCrashed)
def _job_crashed(record: JobCrashed) -> Line:
    return Line("job crashed", _facts(record, crashes=record.job.crashes, error=_headline(record.error)))


@_logs(logging.WARNING, JobRescued)
def _job_rescued(record: JobRescued) -> Line:
    return Line("job rescued", _facts(record, state=record.job.state.value, crashes=record.job.crashes))


@_logs(logging.INFO, JobSeen)
def _job_seen(record: JobSeen) -> Line:
    return Line("job running", _facts(record, seconds=_rounded(record.seconds), at=" < ".join(record.stack)))


@_logs(logging.WARNING, LeasesLost)
def _leases_lost(record: LeasesLost) -> Line:
    return Line("leases lost", {"ids": ",".join(map(str, record.job_ids)), "worker": record.worker})


@_logs(logging.ERROR, ListenerFailed)
def _listener_failed(record: ListenerFailed) -> Line:
    return Line("listener failed", {"of": record.event, "error": _headline(record.error)}, error=record.error)


@_logs(logging.ERROR, StoreTroubled)
def _store_troubled(record: StoreTroubled) -> Line:
    facts = {"doing": record.doing, "error": _headline(record.error), "worker": record.worker}
    return Line("store troubled", facts, retried=record.error)


@_logs(logging.WARNING, StoreRecovered)  # seen by everybody who saw that it was in trouble
def _store_recovered(record: StoreRecovered) -> Line:
    return Line("store recovered", {"worker": record.worker})


def _facts(record: JobRecord, **more: object) -> dict[str, object]:
    job = record.job
    return {"name": job.name, "id": str(job.id), "queue": job.queue, **more, "worker": record.worker}


def _process_facts(record: ProcessRecord, **more: object) -> dict[str, object]:
    return {"pid": record.pid, "pool": record.pool, **more, "supervisor": record.supervisor}


def _of_all(record: JobRecord) -> str:
    return f"{record.job.attempts}/{record.job.max_attempts}"


def _rounded(seconds: float) -> float:
    return round(seconds, 4)


def _headline(error: BaseException) -> str:
    """Return `ExceptionType: message`; an exception may be unable to say its message."""
    try:
        message = " ".join(str(error).split())
    except Exception as trouble:
        message = f"<its message cannot be shown: {type(trouble).__name__}>"
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _text(line: Line) -> str:
    return " ".join((line.event, *(f"{name}={_value(value)}" for name, value in line.facts.items())))


def _value(value: object) -> str:
    """Return a value as one word that is safe in a log: quoted when it has spaces, without control characters."""
    text = printable(str(value), LONGEST_VALUE)
    if text and not any(character in text for character in ' "='):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
