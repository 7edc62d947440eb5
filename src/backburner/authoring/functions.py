"""`@job`: functions that are called as ever, and enqueued by `.delay`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Mapping
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, TypeVar, overload

from backburner.authoring.recorded import NOTHING, RecordedOptions, checked
from backburner.authoring.suitable import check_decorated, is_in_class
from backburner.authoring.targets import Target
from backburner.core.errors import WrongArguments
from backburner.core.job import Job

if TYPE_CHECKING:
    from typing import Unpack

    from backburner.authoring.enqueue import Enqueuer
    from backburner.core.options import Options

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C")


class Delaying(Generic[P, R]):
    """A function with the options under which it is enqueued."""

    def __init__(self, target: Target, given: Mapping[str, Any], enqueuer: Callable[[], Enqueuer]) -> None:
        self._target = target
        self._given = given
        self._enqueuer = enqueuer

    def delay(self, /, *args: P.args, **kwargs: P.kwargs) -> Job[R]:
        """Enqueue a call and return its job. Raises EnqueueError; then nothing is stored."""
        job: Job[R] = self._target.send(self._enqueuer().enqueue, self._given, args, kwargs)
        return job

    async def adelay(self, /, *args: P.args, **kwargs: P.kwargs) -> Job[R]:
        """Enqueue a call as `delay` does, without blocking the event loop."""
        job: Job[R] = await self._target.send(self._enqueuer().aenqueue, self._given, args, kwargs)
        return job

    def options(self, **options: Unpack[Options]) -> Delaying[P, R]:
        """Return the function with options for its next jobs: `send.options(priority=10).delay(1)`."""
        return Delaying(self._target, {**self._given, **checked(options)}, self._enqueuer)


class JobFunction(Delaying[P, R], Generic[P, R, C]):
    """A function marked `@job`: to call it runs it, `.delay` enqueues it."""

    __backburner_job__ = True
    __wrapped__: Callable[P, C]

    def __init__(self, function: Callable[P, C], options: Mapping[str, Any], enqueuer: Callable[[], Enqueuer]) -> None:
        _check(function)
        update_wrapper(self, function)
        super().__init__(Target(self, None, self), NOTHING, enqueuer)
        self.recorded_options: RecordedOptions = RecordedOptions(options, has_receiver=False)
        _tell_whether_async(self, function)

    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> C:
        """Run the function here and now."""
        return self.__wrapped__(*args, **kwargs)

    def __reduce__(self) -> str:
        return self.__wrapped__.__qualname__  # pickled and copied by its name, as functions are

    def __repr__(self) -> str:
        return f"<job {self.__wrapped__.__qualname__}>"


class JobDecorator(Protocol):
    """What `@job(...)` gives: a decorator that keeps parameters and result."""

    @overload
    def __call__(
        self, function: Callable[P, Coroutine[Any, Any, R]], /
    ) -> JobFunction[P, R, Coroutine[Any, Any, R]]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> JobFunction[P, R, R]: ...


def marking(enqueuer: Callable[[], Enqueuer], function: Callable[..., Any] | None, options: Mapping[str, Any]) -> Any:
    """Return a marked function, or the decorator that marks it."""
    if function is not None:
        return JobFunction(function, options, enqueuer)
    RecordedOptions(options, has_receiver=False)  # a wrong option is an error where it is written
    return lambda function: JobFunction(function, options, enqueuer)


def _check(function: Any) -> None:
    check_decorated("@job", function)
    if isinstance(function, (staticmethod, classmethod)) or is_in_class(function):
        raise WrongArguments(
            f"@job: expected a function of a module, got the method {function.__qualname__}: "
            "use @handle_asynchronously for methods, or `.delay` between object and method"
        )


def _tell_whether_async(wrapper: Any, function: Any) -> None:
    """Let `inspect.iscoroutinefunction` say of the wrapper what it says of the function."""
    if not inspect.iscoroutinefunction(function):
        return
    if hasattr(inspect, "markcoroutinefunction"):
        inspect.markcoroutinefunction(wrapper)
        return
    for name in ("__code__", "__defaults__", "__kwdefaults__"):  # Python 3.11 looks whether it looks like a function
        setattr(wrapper, name, getattr(function, name))
