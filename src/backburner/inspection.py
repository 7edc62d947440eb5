"""Looking at jobs and queues, and acting on them: `app.jobs` and `app.queues`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from backburner.core.errors import InvalidOption, JobNotFound, UnknownOption
from backburner.core.job import Job
from backburner.core.lifecycle import State
from backburner.core.ops import Op
from backburner.core.options import check_option

if TYPE_CHECKING:
    from typing import TypedDict, Unpack

    from backburner.core.parts import Parts
    from backburner.core.ports import JobFilter, QueueInfo

    class Which(TypedDict, total=False):
        """Which jobs are meant; every part that is given must fit."""

        queue: str | None
        state: State | str | Iterable[State | str] | None
        """One state or several; without it, all but `succeeded` and `cancelled`."""
        name: str | None
        """As `job.name` has it: `User.activate`."""
        tag: str | None
        priority: int | None


T = TypeVar("T")

FILTERS = ("queue", "state", "name", "tag", "priority")

PAGE = 200
"""How many jobs `where` reads at a time."""


JobId = UUID | str | Job[Any]
"""What names a job: its id, the text of its id, or the job as it was read."""


class _Runner:
    """Runs operations on the store of an app that is looked up for each."""

    def __init__(self, parts: Callable[[], Parts]) -> None:
        self._parts = parts

    def _run(self, op: Callable[..., Op[T]], *arguments: Any) -> T:
        parts = self._parts()
        return parts.store.run(op(parts, *arguments))

    async def _arun(self, op: Callable[..., Op[T]], *arguments: Any) -> T:
        parts = self._parts()
        return await parts.store.arun(op(parts, *arguments))

    def _run_and_wake(self, op: Callable[..., Op[T]], *arguments: Any) -> T:
        """Run an operation after which there may be work for workers that wait."""
        value = self._run(op, *arguments)
        self._parts().store.notify()
        return value

    async def _arun_and_wake(self, op: Callable[..., Op[T]], *arguments: Any) -> T:
        value = await self._arun(op, *arguments)
        self._parts().store.notify()
        return value


class Jobs(_Runner):
    """The jobs of an app, as values: `get` reads one again.

    Filters are `queue`, `name` as `job.name` has it, `tag`, `priority`, and `state`, one or several; a job fits when
    all that are given do. Where no state is given, jobs that succeeded or were cancelled are not meant. An unknown
    filter is an UnknownOption, a state that there is not an InvalidOption. An id may be a UUID, its text, or a Job.
    """

    def count(self, **which: Unpack[Which]) -> int:
        """Return how many jobs fit."""
        return self._run(_count, which)

    async def acount(self, **which: Unpack[Which]) -> int:
        """Return how many jobs fit."""
        return await self._arun(_count, which)

    def first(self, **which: Unpack[Which]) -> Job[Any] | None:
        """Return the oldest job that fits, by when it was made, or None."""
        return self._run(_end, which, False)

    async def afirst(self, **which: Unpack[Which]) -> Job[Any] | None:
        """Return the oldest job that fits, or None."""
        return await self._arun(_end, which, False)

    def last(self, **which: Unpack[Which]) -> Job[Any] | None:
        """Return the newest job that fits, by when it was made, or None."""
        return self._run(_end, which, True)

    async def alast(self, **which: Unpack[Which]) -> Job[Any] | None:
        """Return the newest job that fits, or None."""
        return await self._arun(_end, which, True)

    def get(self, job_id: JobId) -> Job[Any]:
        """Return the job with this id, whatever its state. Raises JobNotFound."""
        return self._run(_get, job_id)

    async def aget(self, job_id: JobId) -> Job[Any]:
        """Return the job with this id, whatever its state. Raises JobNotFound."""
        return await self._arun(_get, job_id)

    def where(self, **which: Unpack[Which]) -> Iterator[Job[Any]]:
        """Yield the jobs that fit, the newest last; they are read 200 at a time, while they are asked for."""
        wanted, last = filter_of(which), None
        while page := self._run(_page, wanted, last):
            yield from page
            last = page[-1].id

    async def awhere(self, **which: Unpack[Which]) -> AsyncIterator[Job[Any]]:
        """Yield jobs as `where` does, without blocking the event loop."""
        wanted, last = filter_of(which), None
        while page := await self._arun(_page, wanted, last):
            for job in page:
                yield job
            last = page[-1].id

    def retry(self, job_id: JobId) -> Job[Any]:
        """Make a failed, cancelled or waiting job due now, with all its attempts, and return it.

        Raises JobNotFound, and InvalidState for a running or succeeded one.
        """
        return self._run_and_wake(_retry, job_id)

    async def aretry(self, job_id: JobId) -> Job[Any]:
        """Retry a job as `retry` does, without blocking the event loop."""
        return await self._arun_and_wake(_retry, job_id)

    def retry_all(self, **which: Unpack[Which]) -> int:
        """Retry every failed job that fits, or those of the states named, and return how many; running ones stay."""
        return self._run_and_wake(_retry_all, which)

    async def aretry_all(self, **which: Unpack[Which]) -> int:
        """Retry jobs as `retry_all` does, without blocking the event loop."""
        return await self._arun_and_wake(_retry_all, which)

    def cancel(self, job_id: JobId) -> Job[Any]:
        """Cancel a job that waits, ask a running one to stop, and return it.

        Within two seconds, an async job in a worker of several jobs at once, or one in a process of its own, gets
        JobCancelled; another learns of it at its next `is_cancelled` or step. Raises JobNotFound, and InvalidState
        when it has ended.
        """
        return self._run(_cancel, job_id)

    async def acancel(self, job_id: JobId) -> Job[Any]:
        """Cancel a job as `cancel` does, without blocking the event loop."""
        return await self._arun(_cancel, job_id)

    def delete(self, job_id: JobId) -> Job[Any]:
        """Delete a job and return it as it was. Raises JobNotFound, and InvalidState while it runs."""
        return self._run(_delete, job_id)

    async def adelete(self, job_id: JobId) -> Job[Any]:
        """Delete a job as `delete` does, without blocking the event loop."""
        return await self._arun(_delete, job_id)

    def clear(self, **which: Unpack[Which]) -> int:
        """Delete every job that fits, history included unless states are named, and return how many.

        Running jobs stay.
        """
        return self._run(_clear, which)

    async def aclear(self, **which: Unpack[Which]) -> int:
        """Delete jobs as `clear` does, without blocking the event loop."""
        return await self._arun(_clear, which)


class Queues(_Runner):
    """The queues of an app. A name that no queue can have is an InvalidOption."""

    def list(self) -> Sequence[QueueInfo]:
        """Return every queue that has jobs or is paused, by name.

        Each has its `name`, whether it is `paused`, how many jobs it has by state in `counts`, and in `oldest_due` the
        earliest `run_at` of those that are due, or None.
        """
        return self._run(_queues)

    async def alist(self) -> Sequence[QueueInfo]:
        """Return queues as `list` does, without blocking the event loop."""
        return await self._arun(_queues)

    def pause(self, queue: str) -> None:
        """Let no worker claim from this queue until it is resumed; jobs may still be enqueued, running ones go on."""
        self._run(_pause, queue)

    async def apause(self, queue: str) -> None:
        """Pause a queue as `pause` does, without blocking the event loop."""
        await self._arun(_pause, queue)

    def resume(self, queue: str) -> None:
        """Let workers claim from this queue again."""
        self._run_and_wake(_resume, queue)

    async def aresume(self, queue: str) -> None:
        """Resume a queue as `resume` does, without blocking the event loop."""
        await self._arun_and_wake(_resume, queue)


def filter_of(which: Mapping[str, Any]) -> JobFilter:
    """Return a filter as stores take it. Raises UnknownOption or InvalidOption."""
    from backburner.core.ports import JobFilter

    unknown = sorted(set(which) - set(FILTERS))
    if unknown:
        raise UnknownOption(f"unknown filter {unknown[0]!r}: expected one of {', '.join(FILTERS)}")
    given = dict(which)
    if given.get("priority") is not None:
        check_option("priority", given["priority"])
    return JobFilter(states=_states(given.pop("state", None)), **given)


def id_of(job_id: JobId) -> UUID:
    """Return the id that is meant. Raises JobNotFound for what is none."""
    if isinstance(job_id, Job):
        return job_id.id
    if isinstance(job_id, UUID):
        return job_id
    try:
        return UUID(job_id)
    except (TypeError, ValueError, AttributeError):
        raise JobNotFound(f"no job has the id {job_id!r}: expected a UUID or its text") from None


def _states(state: State | str | Iterable[State | str] | None) -> frozenset[State] | None:
    if state is None:
        return None
    try:
        return frozenset(State(name) for name in ([state] if isinstance(state, str) else state))
    except ValueError as error:
        raise InvalidOption(f"state: {error}: expected one of {', '.join(State)}") from None


def _readable(parts: Parts, jobs: Iterable[Job[Any]]) -> list[Job[Any]]:
    """Give jobs the codec with which they load their payloads."""
    found = list(jobs)
    for job in found:
        job.reader = parts.reader
    return found


def _count(parts: Parts, which: Which) -> Op[int]:
    return parts.store.count(filter_of(which))


def _end(parts: Parts, which: Which, newest: bool) -> Op[Job[Any] | None]:
    found = _readable(parts, (yield from parts.store.find(filter_of(which), limit=1, newest_first=newest)))
    return found[0] if found else None


def _get(parts: Parts, job_id: JobId) -> Op[Job[Any]]:
    found = yield from parts.store.get(id_of(job_id))
    if found is None:
        raise JobNotFound(f"no job has the id {id_of(job_id)}: it was deleted or pruned, or is in another store")
    return _readable(parts, [found])[0]


def _page(parts: Parts, wanted: JobFilter, last: UUID | None) -> Op[list[Job[Any]]]:
    return _readable(parts, (yield from parts.store.find(wanted, after=last, limit=PAGE)))


def _retry(parts: Parts, job_id: JobId) -> Op[Job[Any]]:
    return _readable(parts, [(yield from parts.store.requeue(id_of(job_id)))])[0]


def _cancel(parts: Parts, job_id: JobId) -> Op[Job[Any]]:
    return _readable(parts, [(yield from parts.store.cancel(id_of(job_id)))])[0]


def _delete(parts: Parts, job_id: JobId) -> Op[Job[Any]]:
    return _readable(parts, [(yield from parts.store.delete(id_of(job_id)))])[0]


def _retry_all(parts: Parts, which: Which) -> Op[int]:
    return parts.store.requeue_all(filter_of(which))


def _clear(parts: Parts, which: Which) -> Op[int]:
    wanted = filter_of(which)
    return parts.store.delete_all(wanted if wanted.states is not None else replace(wanted, states=frozenset(State)))


def _queues(parts: Parts) -> Op[list[QueueInfo]]:
    return parts.store.queues()


def _pause(parts: Parts, queue: str) -> Op[None]:
    return parts.store.pause(check_option("queue", queue))


def _resume(parts: Parts, queue: str) -> Op[None]:
    return parts.store.resume(check_option("queue", queue))
