"""Celery that acknowledges a task when it is done: without, a killed worker loses what it has begun."""

from __future__ import annotations

from benchmarks.peers.with_celery import app, enqueue

__all__ = ["app", "enqueue"]

app.conf.update(task_acks_late=True, task_reject_on_worker_lost=True)
