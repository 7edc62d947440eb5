"""The lifecycle that plugins listen to: before, after and around seven events.

Befores run in the order of registration, then the arounds, the first registered outermost, then what the event is
about, and afters in the order of registration, only when the inside returned.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any, Final, Generic, TypeVar

from backburner.core.errors import ConfigurationError

T = TypeVar("T")
Listener = Callable[..., Any]

EVENTS: Final[dict[str, tuple[str, ...]]] = {
    "enqueue": ("job",),
    "execute": ("worker",),
    "loop": ("worker",),
    "perform": ("worker", "job"),
    "invoke": ("job",),
    "error": ("worker", "job", "exception"),
    "failure": ("worker", "job"),
}
"""Each event with the parameters of its listeners."""

_UNHEARD = nullcontext()


class Events:
    """The listeners of one app."""

    def __init__(self) -> None:
        self._befores: dict[str, list[Listener]] = {event: [] for event in EVENTS}
        self._arounds: dict[str, list[Listener]] = {event: [] for event in EVENTS}
        self._afters: dict[str, list[Listener]] = {event: [] for event in EVENTS}
        self._heard: set[str] = set()

    def before(self, event: str, listener: Listener) -> None:
        """Call `listener` before each `event`. Raises ConfigurationError when it does not fit the event."""
        self._add(self._befores, event, listener)

    def after(self, event: str, listener: Listener) -> None:
        """Call `listener` after each `event` whose inside returned."""
        self._add(self._afters, event, listener)

    def around(self, event: str, listener: Listener) -> None:
        """Wrap each `event`: `listener` is a generator function that yields once, or gives a context manager."""
        self._add(self._arounds, event, listener)

    def remove(self, event: str, listener: Listener) -> None:
        """Call `listener` no more, if it was called before this event."""
        befores = self._befores[event]
        if listener in befores:
            befores.remove(listener)
        if not (befores or self._arounds[event] or self._afters[event]):
            self._heard.discard(event)

    def hears(self, event: str) -> bool:
        """Say whether anybody listens to this event."""
        return event in self._heard

    def run(self, event: str, arguments: tuple[Any, ...], inside: Callable[[], T]) -> T:
        """Run `inside` as this event and return its value; whatever raises leaves this call."""
        if event not in self._heard:
            return inside()
        with self._surrounding(event, arguments):
            return inside()

    def surrounding(self, event: str, arguments: tuple[Any, ...]) -> AbstractContextManager[None]:
        """Make the block the inside of this event, as `run` does with a function; the block may await."""
        return self._surrounding(event, arguments) if event in self._heard else _UNHEARD

    @contextmanager
    def _surrounding(self, event: str, arguments: tuple[Any, ...]) -> Iterator[None]:
        for before in self._befores[event]:
            before(*arguments)
        with ExitStack() as stack:
            for around in self._arounds[event]:
                stack.enter_context(_Around(around, arguments))
            yield
        for after in self._afters[event]:
            after(*arguments)

    def run_guarded(
        self,
        event: str,
        arguments: tuple[Any, ...],
        inside: Callable[[], T],
        on_trouble: Callable[[str, BaseException], None],
    ) -> T:
        """Run `inside` as this event, exactly once, whatever its listeners do; their exceptions go to `on_trouble`."""
        if event not in self._heard:
            return inside()
        once: _Once[T] = _Once(inside)
        try:
            self.run(event, arguments, once)
        except BaseException as error:
            if error is once.error:
                raise
            on_trouble(event, error)
        return once()

    def _add(self, kind: dict[str, list[Listener]], event: str, listener: Listener) -> None:
        _check_listener(event, listener)
        kind[event].append(listener)
        self._heard.add(event)


class _Once(Generic[T]):
    """Runs a function at the first call, and repeats how that ended at later calls."""

    def __init__(self, inside: Callable[[], T]) -> None:
        self._inside: Callable[[], T] | None = inside
        self._values: list[T] = []
        self.error: BaseException | None = None

    def __call__(self) -> T:
        if self._inside is not None:
            inside, self._inside = self._inside, None
            try:
                self._values.append(inside())
            except BaseException as error:
                self.error = error
        if self.error is not None:
            raise self.error
        return self._values[0]


class _Around:
    """A listener around an event, which can neither leave out the inside nor hide its exception."""

    def __init__(self, listener: Listener, arguments: tuple[Any, ...]) -> None:
        self._listener = listener
        self._made = listener(*arguments)

    def __enter__(self) -> None:
        if isinstance(self._made, AbstractContextManager):
            self._made.__enter__()
        elif isinstance(self._made, Generator):
            _start(self._listener, self._made)
        else:
            name = _name(self._listener)
            raise ConfigurationError(
                f"around: expected {name} to be a generator or to return a context manager, got {self._made!r}"
            )

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: Any) -> None:
        if isinstance(self._made, AbstractContextManager):
            self._made.__exit__(kind, error, traceback)
        elif error is not None:
            _throw(self._made, error)
        else:
            _finish(self._listener, self._made)


def _start(listener: Listener, made: Generator[Any, Any, Any]) -> None:
    try:
        next(made)
    except StopIteration:
        raise ConfigurationError(f"around: expected {_name(listener)} to yield once, it did not yield") from None


def _throw(made: Generator[Any, Any, Any], error: BaseException) -> None:
    try:
        made.throw(error)
    except StopIteration:
        return
    except BaseException as raised:
        if raised is not error:
            raise


def _finish(listener: Listener, made: Generator[Any, Any, Any]) -> None:
    try:
        next(made)
    except StopIteration:
        return
    made.close()
    raise ConfigurationError(f"around: expected {_name(listener)} to yield once, it yielded again")


def _check_listener(event: str, listener: Listener) -> None:
    parameters = EVENTS.get(event)
    if parameters is None:
        raise ConfigurationError(f"unknown event {event!r}: expected one of {', '.join(EVENTS)}")
    if not callable(listener):
        raise ConfigurationError(f"{event}: expected a callable, got {listener!r}")
    try:
        inspect.signature(listener).bind(*parameters)
    except ValueError:
        return  # a builtin that does not tell its signature
    except TypeError:
        expected = f"{len(parameters)} parameter{'s' if len(parameters) > 1 else ''} ({', '.join(parameters)})"
        raise ConfigurationError(f"{event}: expected a listener with {expected}, got {_name(listener)}") from None


def _name(listener: Listener) -> str:
    name = getattr(listener, "__qualname__", None) or repr(listener)
    try:
        return f"{name}{inspect.signature(listener)}"
    except (TypeError, ValueError):
        return str(name)
