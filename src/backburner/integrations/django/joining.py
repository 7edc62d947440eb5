"""Joining transactions of Django's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import Any

from asgiref.sync import sync_to_async
from django.core.exceptions import SynchronousOnlyOperation
from django.db import connections, transaction

from backburner.authoring.bulk import Stands
from backburner.authoring.outlets import expect_keys
from backburner.core.job import Job
from backburner.core.ports import Store
from backburner.integrations.django.executing import run_on
from backburner.integrations.django.standing import last_registered, stands

USE_THE_TWIN = (
    "a job that is written with Django's connection blocks the event loop: await the twin of this call, which begins "
    "with a, as in `await send_welcome.adelay(user)` or `await user.adelay.activate()`"
)


class AliasJoint(ABC):
    """The transaction of an alias."""

    def __init__(self, store: Store, alias: str) -> None:
        self._store = store
        self._alias = alias

    def put(self, jobs: Sequence[Job[Any]]) -> None:
        """See `Joint.put`. Raises SynchronousOnlyOperation where an event loop runs."""
        expect_keys(jobs)
        try:
            self._put(jobs)
        except SynchronousOnlyOperation as error:
            raise SynchronousOnlyOperation(USE_THE_TWIN) from error

    async def aput(self, jobs: Sequence[Job[Any]]) -> None:
        """See `Joint.aput`."""
        await sync_to_async(self.put, thread_sensitive=True)(jobs)

    def witness(self) -> Stands | None:
        """Return what says later whether what is done now still stands, for jobs that are written later."""
        connection = connections[self._alias]
        return stands(connection) if connection.in_atomic_block else None

    @abstractmethod
    def _put(self, jobs: Sequence[Job[Any]]) -> None:
        """Write jobs, or see to it that they are written."""


class Inside(AliasJoint):
    """The jobs are in the database of the alias: they are written in its transaction."""

    def _put(self, jobs: Sequence[Job[Any]]) -> None:
        connection = connections[self._alias]
        run_on(connection, self._store, self._store.enqueue(jobs))
        if last_registered(connection) != self._store.notify:  # once is enough for many jobs
            transaction.on_commit(self._store.notify, using=self._alias)


class Behind(AliasJoint):
    """The jobs are in another database: they are enqueued when the transaction has been committed.

    Nothing brings them back when that fails, or the process ends in between.
    """

    def _put(self, jobs: Sequence[Job[Any]]) -> None:
        transaction.on_commit(partial(self._enqueue, jobs), using=self._alias)

    def _enqueue(self, jobs: Sequence[Job[Any]]) -> None:
        self._store.run(self._store.enqueue(jobs))
        self._store.notify()
