"""What `--json` prints: keys that stay, times in ISO 8601 (UTC), durations in seconds, ids as text."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from backburner.core.job import Job
from backburner.core.lifecycle import State
from backburner.core.ports import QueueInfo, WorkerInfo

Json = dict[str, Any]


def iso(moment: datetime | None) -> str | None:
    """Return a time in ISO 8601."""
    return None if moment is None else moment.isoformat()


def job_form(job: Job[Any]) -> Json:
    """Return all that is stored of a job."""
    return {
        "id": str(job.id),
        "name": job.name,
        "state": job.state.value,
        "queue": job.queue,
        "priority": job.priority,
        "run_at": iso(job.run_at),
        "attempts": job.attempts,
        "max_attempts": job.max_attempts,
        "max_run_time": None if job.max_run_time is None else job.max_run_time.total_seconds(),
        "keep_failed": job.keep_failed,
        "missing_record": "discard" if job.discard_missing else "fail",
        "tags": list(job.tags),
        "created_at": iso(job.created_at),
        "locked_by": job.locked_by,
        "locked_at": iso(job.locked_at),
        "failed_at": iso(job.failed_at),
        "finished_at": iso(job.finished_at),
        "crashes": job.crashes,
        "cancel_requested": job.cancel_requested,
        "progress": None if job.progress is None else job.progress._asdict(),
        "result": job.result,
        "last_error": job.last_error,
        "handler": job.handler,
    }


def queue_form(queue: QueueInfo) -> Json:
    """Return a queue."""
    live = (State.QUEUED, State.RUNNING, State.BLOCKED, State.FAILED)
    counts = {state.value: queue.counts.get(state, 0) for state in live}
    return {"name": queue.name, "paused": queue.paused, **counts, "oldest_due": iso(queue.oldest_due)}


def worker_form(worker: WorkerInfo, *, is_lost: bool) -> Json:
    """Return a worker."""
    return {
        "name": worker.name,
        "host": worker.host,
        "pid": worker.pid,
        "queues": None if worker.queues is None else list(worker.queues),
        "concurrency": worker.concurrency,
        "running": worker.running,
        "started_at": iso(worker.started_at),
        "beat_at": iso(worker.beat_at),
        "is_lost": is_lost,
    }
