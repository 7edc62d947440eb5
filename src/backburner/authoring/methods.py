"""`@handle_asynchronously`: methods that are enqueued when they are called."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Mapping
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, overload

from backburner.authoring.recorded import NOTHING, RecordedOptions
from backburner.authoring.suitable import check_decorated, is_in_class
from backburner.authoring.targets import Target, method_target
from backburner.core.errors import NotImportable, WrongArguments
from backburner.core.job import Job
from backburner.core.members import find_member, function_in
from backburner.core.naming import class_around

if TYPE_CHECKING:
    from backburner.authoring.enqueue import Enqueuer

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C")


class Background(Generic[P, R, C]):
    """What `@handle_asynchronously` makes of a method."""

    __backburner_job__ = True

    def __init__(self, method: Any, options: Mapping[str, Any], enqueuer: Callable[[], Enqueuer]) -> None:
        check_decorated("@handle_asynchronously", method)
        update_wrapper(self, method)
        self.__wrapped__ = method
        self.name: str = method.__name__
        self.qualname: str = method.__qualname__
        self.enqueuer = enqueuer
        self.recorded_options: RecordedOptions = RecordedOptions(options, has_receiver=True)

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __call__(self, /, *args: Any, **kwargs: Any) -> Job[R]:
        """Enqueue a call on the receiver that comes first, as in `Device.deliver(device)`, and return its job."""
        if not is_in_class(self):
            job: Job[R] = Target(self, None, self).send(self.enqueuer().enqueue, NOTHING, args, kwargs)
            return job
        receiver, rest = self._split(args)
        bound: BoundMethod[..., R, C] = BoundMethod(self, receiver)
        return bound(*rest, **kwargs)

    def now(self, /, *args: Any, **kwargs: Any) -> C:
        """Run the method on the receiver that comes first, here and now."""
        result: C = function_in(self.__wrapped__)(*args, **kwargs)
        return result

    def bound_original(self, receiver: Any) -> Callable[P, C]:
        """Return the undecorated method as it is called on a receiver."""
        original = self.__wrapped__
        if isinstance(original, (classmethod, staticmethod)):
            return original.__get__(None, receiver)
        bound: Callable[P, C] = original.__get__(receiver, type(receiver))
        return bound

    def __reduce__(self) -> str:
        return self.qualname  # pickled and copied by its name, as functions are

    def __repr__(self) -> str:
        return f"<background method {self.qualname}>"

    def _split(self, args: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
        """Return the receiver of an unbound call and the other arguments; the class is that of a static method."""
        owner = class_around(self)
        if owner is not None and isinstance(find_member(owner, self.name), staticmethod):
            return owner, args
        if not args:
            raise WrongArguments(f"{self.qualname}: expected its receiver as the first argument")
        return args[0], args[1:]


class BackgroundMethod(Background[P, R, C]):
    """A method of instances, enqueued when it is called."""

    @overload
    def __get__(self, receiver: None, owner: type) -> BackgroundMethod[P, R, C]: ...
    @overload
    def __get__(self, receiver: object, owner: type | None = None) -> BoundMethod[P, R, C]: ...
    def __get__(self, receiver: object, owner: type | None = None) -> BackgroundMethod[P, R, C] | BoundMethod[P, R, C]:
        return self if receiver is None else BoundMethod(self, receiver)


class BackgroundClassMethod(Background[P, R, C]):
    """A classmethod or staticmethod, enqueued when it is called."""

    def __get__(self, receiver: object, owner: type | None = None) -> BoundMethod[P, R, C]:
        return BoundMethod(self, type(receiver) if owner is None else owner)


class BoundMethod(Generic[P, R, C]):
    """A background method of one object or class: to call it enqueues it, `.now` runs it."""

    def __init__(self, method: Background[P, R, C], receiver: Any) -> None:
        self.__self__ = receiver
        self.__func__ = method
        self.__name__: str = method.name
        self.__qualname__ = method.qualname
        self.__doc__ = method.__doc__

    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> Job[R]:
        """Enqueue a call and return its job. Raises EnqueueError; then nothing is stored."""
        method = self.__func__
        target = method_target(self.__self__, method.name)
        if method not in _layers(target.member):
            raise NotImportable(
                f"{type(self.__self__).__qualname__} overrides {method.qualname}, and a worker would run the override: "
                f"run the base's here with `super().{method.name}.now(...)`, or give the one to enqueue its own name"
            )
        job: Job[R] = target.send(method.enqueuer().enqueue, NOTHING, args, kwargs)
        return job

    def now(self, /, *args: P.args, **kwargs: P.kwargs) -> C:
        """Run the method here and now."""
        return self.__wrapped__(*args, **kwargs)

    @property
    def __wrapped__(self) -> Callable[P, C]:
        return self.__func__.bound_original(self.__self__)

    def __repr__(self) -> str:
        return f"<background method {self.__qualname__} of {self.__self__!r}>"


def _layers(member: Any) -> Iterator[Any]:
    """Yield what was found under a name, and what its decorators were put on."""
    layer = function_in(member)
    while layer is not None:
        yield layer
        layer = getattr(layer, "__wrapped__", None)


class MethodDecorator(Protocol):
    """What `@handle_asynchronously(...)` gives: a decorator that keeps parameters and result."""

    @overload
    def __call__(
        self, method: Callable[Concatenate[Any, P], Coroutine[Any, Any, R]], /
    ) -> BackgroundMethod[P, R, Coroutine[Any, Any, R]]: ...
    @overload
    def __call__(self, method: Callable[Concatenate[Any, P], R], /) -> BackgroundMethod[P, R, R]: ...


def backgrounding(enqueuer: Callable[[], Enqueuer], method: Any, options: Mapping[str, Any]) -> Any:
    """Return a background method, or the decorator that makes it."""
    if method is not None:
        return _made(method, options, enqueuer)
    RecordedOptions(options, has_receiver=True)  # a wrong option is an error where it is written
    return lambda method: _made(method, options, enqueuer)


def _made(method: Any, options: Mapping[str, Any], enqueuer: Callable[[], Enqueuer]) -> Background[..., Any, Any]:
    kind = BackgroundClassMethod if isinstance(method, (classmethod, staticmethod)) else BackgroundMethod
    return kind(method, options, enqueuer)
