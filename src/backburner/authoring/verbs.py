"""The verbs that make jobs, written once: methods of an app, and functions of the package for the current app."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Iterable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, TypeVar, cast, overload

from backburner.authoring.apps import current_app
from backburner.authoring.functions import JobDecorator, JobFunction, marking
from backburner.authoring.methods import BackgroundMethod, MethodDecorator, backgrounding
from backburner.authoring.proxies import delayed
from backburner.authoring.recorded import checked
from backburner.core.job import Job

if TYPE_CHECKING:
    from typing import Unpack

    from backburner.authoring.enqueue import Enqueuer
    from backburner.core.options import DecoratorOptions, Options

T = TypeVar("T")
P = ParamSpec("P")
R = TypeVar("R")


class Verbs(ABC):
    """What an app can be told to do."""

    @property
    @abstractmethod
    def enqueuer(self) -> Enqueuer:
        """What puts jobs into the store."""

    def delay(self, target: T, /, **options: Unpack[Options]) -> T:
        """Enqueue the next call: `delay(user).activate("code")`, `delay(user.activate, priority=5)("code")`.

        `target` is an object, class, module, function or bound method. To type checkers the result is the target
        itself, so that they check names and arguments; what the call returns is the Job. Raises EnqueueError where the
        call is written; then nothing is stored.
        """
        return cast(T, delayed(target, self.enqueuer.enqueue, checked(options)))

    def adelay(self, target: Any, /, **options: Unpack[Options]) -> Any:
        """Enqueue the next call as `delay` does, without blocking the event loop.

        It is what is awaited: `await adelay(user).activate("code")`.
        """
        return delayed(target, self.enqueuer.aenqueue, checked(options))

    def enqueue(self, payload: object, /, **options: Unpack[Options]) -> Job[Any]:
        """Enqueue a job object, anything with `perform()`, and return its job.

        Raises EnqueueError, and what its `enqueue` hook or a listener raises; then nothing is stored.
        """
        return self.enqueuer.enqueue(payload, checked(options))

    async def aenqueue(self, payload: object, /, **options: Unpack[Options]) -> Job[Any]:
        """Enqueue a job object as `enqueue` does, without blocking the event loop."""
        return await self.enqueuer.aenqueue(payload, checked(options))

    def enqueue_all(self, payloads: Iterable[object], /, **options: Unpack[Options]) -> list[Job[Any]]:
        """Enqueue job objects in a few round trips, and return their jobs.

        The options hold for all. Raises what `enqueue` raises; then none is stored.
        """
        return self.enqueuer.enqueue_all(payloads, checked(options))

    async def aenqueue_all(self, payloads: Iterable[object], /, **options: Unpack[Options]) -> list[Job[Any]]:
        """Enqueue job objects as `enqueue_all` does, without blocking the event loop."""
        return await self.enqueuer.aenqueue_all(payloads, checked(options))

    def bulk(self) -> AbstractContextManager[None]:
        """Collect the jobs made in the block and store them when it ends, in a few round trips.

        They have their ids at once. When the block raises, none is stored. A block in a block is stored with the outer
        one. Jobs of tasks that are begun in the block are collected too, those of other threads are not.
        """
        return self.enqueuer.bulk()

    def abulk(self) -> AbstractAsyncContextManager[None]:
        """Collect jobs as `bulk` does; the ordinary forms in the block need no `await`."""
        return self.enqueuer.abulk()

    @overload
    def job(self, function: Callable[P, Coroutine[Any, Any, R]], /) -> JobFunction[P, R, Coroutine[Any, Any, R]]: ...
    @overload
    def job(self, function: Callable[P, R], /) -> JobFunction[P, R, R]: ...
    @overload
    def job(self, **options: Unpack[DecoratorOptions]) -> JobDecorator: ...
    def job(self, function: Callable[..., Any] | None = None, **options: Any) -> Any:
        """Mark a function as a job: `send(1)` runs it as ever, `send.delay(1)` enqueues it and returns the Job.

        `send.options(priority=10).delay(1)` has options for one job, `await send.adelay(1)` does not block the event
        loop. Options that are callables are asked at each call. Raises UnknownOption and InvalidOption, which are
        TypeErrors, and WrongArguments for a method, all where the decorator is written.
        """
        return marking(lambda: self.enqueuer, function, options)

    @overload
    def handle_asynchronously(
        self, method: Callable[Concatenate[Any, P], Coroutine[Any, Any, R]], /, **options: Unpack[DecoratorOptions]
    ) -> BackgroundMethod[P, R, Coroutine[Any, Any, R]]: ...
    @overload
    def handle_asynchronously(
        self, method: Callable[Concatenate[Any, P], R], /, **options: Unpack[DecoratorOptions]
    ) -> BackgroundMethod[P, R, R]: ...
    @overload
    def handle_asynchronously(self, **options: Unpack[DecoratorOptions]) -> MethodDecorator: ...
    def handle_asynchronously(self, method: Any = None, **options: Any) -> Any:
        """Make a method that is enqueued when it is called: `device.deliver()` returns the Job, `.now()` runs it.

        Options that are callables are asked at each call, with the receiver if they take one argument. Goes above
        `@classmethod` and `@staticmethod`; type checkers know the arguments of a class method when it is called on an
        object. Raises UnknownOption and InvalidOption, which are TypeErrors, where the decorator is written.
        """
        return backgrounding(lambda: self.enqueuer, method, options)


class _VerbsOfCurrentApp(Verbs):
    """The verbs of the app that is current when they are called."""

    @property
    def enqueuer(self) -> Enqueuer:
        return current_app.get().enqueuer


_current = _VerbsOfCurrentApp()

delay: Final = _current.delay
adelay: Final = _current.adelay
enqueue: Final = _current.enqueue
aenqueue: Final = _current.aenqueue
enqueue_all: Final = _current.enqueue_all
aenqueue_all: Final = _current.aenqueue_all
bulk: Final = _current.bulk
abulk: Final = _current.abulk
job: Final = _current.job
handle_asynchronously: Final = _current.handle_asynchronously
