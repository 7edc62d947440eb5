"""Which functions and methods may be decorated or delayed."""

from __future__ import annotations

import inspect
from typing import Any

from backburner.core.errors import WrongArguments
from backburner.core.marks import is_marked
from backburner.core.members import function_in

_GENERATOR = inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR


def check_decorated(decorator: str, function: Any) -> None:
    """Raise WrongArguments for what cannot be performed as a job."""
    inner = function_in(function)
    if isinstance(inner, type) or not callable(inner) or not isinstance(getattr(function, "__qualname__", None), str):
        raise WrongArguments(f"{decorator}: expected a function, got {function!r}")
    if is_marked(inner):
        raise WrongArguments(f"{decorator}: expected a plain function, {inner.__qualname__} is marked already")
    check_runs(inner)


def check_runs(function: Any) -> None:
    """Raise WrongArguments for a generator function: a worker that calls it would run nothing of it."""
    code = getattr(function_in(function), "__code__", None)
    if code is not None and code.co_flags & _GENERATOR:
        raise WrongArguments(
            f"{function_in(function).__qualname__}: expected a function that does its work when it is called, "
            "got a generator function"
        )


def is_in_class(function: Any) -> bool:
    """Say whether a function was defined in the body of a class."""
    around = function.__qualname__.rpartition(".")[0]
    return around != "" and not around.endswith("<locals>")
