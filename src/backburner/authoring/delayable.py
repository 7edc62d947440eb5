"""The mixin that gives a class `.delay`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from backburner.authoring.apps import aenqueue_with_current, enqueue_with_current
from backburner.authoring.proxies import OptionsProxy
from backburner.authoring.recorded import NOTHING
from backburner.core.marks import Runnable

if TYPE_CHECKING:
    from typing import ClassVar, Self, Unpack

    from backburner.core.options import Options

T = TypeVar("T")


class _Delay:
    """Gives a proxy of the instance, or of the class, that it is read from."""

    def __get__(self, receiver: T | None, owner: type[T]) -> T:
        target = owner if receiver is None else receiver
        return cast(T, OptionsProxy(target, enqueue_with_current, NOTHING))


class _AsyncDelay:
    """Gives a proxy whose calls are awaited."""

    def __get__(self, receiver: T | None, owner: type[T]) -> Any:
        target = owner if receiver is None else receiver
        return OptionsProxy(target, aenqueue_with_current, NOTHING)


class Delayable(Runnable):
    """Mixin for classes whose methods are enqueued: `user.delay.activate("code")`, `User.delay.import_all(path)`.

    Options go between: `user.delay(priority=5).activate("code")`. `await user.adelay.activate("code")` does the same
    without blocking the event loop. To type checkers `.delay` is the object itself, so that they check names and
    arguments; what the call returns is the Job.
    """

    __slots__ = ()

    if TYPE_CHECKING:
        # Annotated for type checkers alone: libraries of models would take an annotation for a column or a field.
        delay: ClassVar[_Delay]
        adelay: ClassVar[_AsyncDelay]

        # There is no type for "the object, and callable with options as well", so the object itself is said to be.
        def __call__(self, **options: Unpack[Options]) -> Self: ...
    else:
        delay = _Delay()
        adelay = _AsyncDelay()
