"""Django's connections in a worker: as fresh for each job as for each request, and never shared by processes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from asgiref.sync import SyncToAsync
from django.db import connections, reset_queries

from backburner.core.job import Job
from backburner.integrations.django.database import is_testing


@contextmanager
def fresh_connections(worker: object, job: Job[Any]) -> Iterator[None]:  # noqa: ARG001  # the event has two
    """Close what is unusable or too old around a job, as Django does around a request.

    A connection that is in an atomic block, as in a TestCase, is left alone.
    """
    _tidy()
    try:
        yield
    finally:
        _tidy()


@cache
def leave_to_parent_when_forked() -> None:
    """Let processes that are forked from this one make connections of their own."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_leave_to_parent)


def _tidy() -> None:
    _tidy_thread()
    # Async code uses Django's connections in this thread of asgiref's, one call after the other.
    executor = SyncToAsync.single_thread_executor
    if executor._threads:
        executor.submit(_tidy_thread)


def _tidy_thread() -> None:
    if not is_testing():  # which may be counting them
        reset_queries()
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()


_of_parent: list[Any] = []
"""What the parent goes on using: to forget it would close it."""


def _leave_to_parent() -> None:
    for connection in connections.all(initialized_only=True):
        if connection.connection is not None:
            _of_parent.append(connection.connection)
            connection.connection = None
