"""Our backend in the place of Django's: of the dummy, with a list, and of the immediate one, with a worker."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async

from backburner import current
from backburner.integrations.django import TaskBackend
from backburner.integrations.django.testing import BackburnerTestMixin


class InTheDatabase(BackburnerTestMixin):
    """What Django's test cases need of a database, which they have none of."""

    databases = "__all__"


class StoringBackend(TaskBackend):
    """In the place of `DummyBackend`."""

    def __init__(self, alias: str, params: Any) -> None:
        super().__init__(alias, params)
        self.results: list[Any] = []

    def enqueue(self, task: Any, args: Any, kwargs: Any) -> Any:
        self.results.append(super().enqueue(task, args, kwargs))
        return self.results[-1]

    async def aenqueue(self, task: Any, args: Any, kwargs: Any) -> Any:
        self.results.append(await super().aenqueue(task, args, kwargs))
        return self.results[-1]

    def clear(self) -> None:
        self.results.clear()
        current().jobs.clear()


class PerformingBackend(TaskBackend):
    """In the place of `ImmediateBackend`: a worker performs the task before its result is returned."""

    def enqueue(self, task: Any, args: Any, kwargs: Any) -> Any:
        result = super().enqueue(task, args, kwargs)
        current().worker().work_off()
        return self.get_result(result.id)

    async def aenqueue(self, task: Any, args: Any, kwargs: Any) -> Any:
        return await sync_to_async(self.enqueue)(task, args, kwargs)
