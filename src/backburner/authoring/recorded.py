"""What a decorator recorded about the jobs of its function: options, of which callables are asked at each call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from backburner.authoring.arity import takes
from backburner.core.errors import InvalidOption
from backburner.core.options import check_decorator_options, check_options

NOTHING: Final[Mapping[str, Any]] = {}


class RecordedOptions:
    """The options of a decorator, checked where they are written."""

    __slots__ = ("_asked", "_fixed")

    def __init__(self, options: Mapping[str, Any], *, has_receiver: bool) -> None:
        normal = check_decorator_options(options)
        self._fixed = check_options({name: value for name, value in normal.items() if not callable(value)})
        self._asked = [
            (name, value, _wants_receiver(name, value, has_receiver))
            for name, value in normal.items()
            if callable(value)
        ]

    def values_for(self, receiver: object) -> Mapping[str, Any]:
        """Return the options for one call; what a callable raises leaves this call."""
        if not self._asked:
            return self._fixed
        answers = {name: ask(receiver) if wants else ask() for name, ask, wants in self._asked}
        return {**self._fixed, **check_options(answers)}


def checked(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the options of a call in their normal form. Raises UnknownOption or InvalidOption."""
    return check_options(options) if options else NOTHING


def _wants_receiver(name: str, ask: Callable[..., Any], has_receiver: bool) -> bool:
    """Say whether a callable option takes the receiver; raise InvalidOption when it takes anything else."""
    if takes(ask, 0):
        return False
    if has_receiver and takes(ask, 1):
        return True
    expected = (
        "no parameter, or one for the receiver" if has_receiver else "no parameter, for a function has no receiver"
    )
    raise InvalidOption(f"{name}: expected a callable that takes {expected}, got {ask!r}")
