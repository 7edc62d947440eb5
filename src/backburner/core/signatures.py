"""Checks of a call and of a job object, made at the enqueueing line."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import FunctionType, MethodType, ModuleType
from typing import Any

from backburner.core.errors import EnqueueError, UnknownMethod, WrongArguments
from backburner.core.marks import is_marked
from backburner.core.members import MISSING, Owner, bind, find_member, is_method, original, owner_of

_VARIADIC = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS


def check_call(target: Any, method: str | None, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Check that a target has this method, or is a function, and that it takes these arguments.

    Raises UnknownMethod, with the nearest name, or WrongArguments, with the signature.
    """
    function = _function(target) if method is None else _method(target, method)
    if _surely_fits(function, args, kwargs):
        return
    if reason := _misfit(function, args, kwargs):
        name = _name(target) if method is None else f"{_receiver(target)}.{method}"
        raise WrongArguments(f"{name}{_shown_signature(function)}: {reason}{_hint(function)}")


def check_job_object(payload: Any) -> None:
    """Check that this is an object with a `perform` that needs no arguments; raises EnqueueError."""
    if isinstance(payload, type):
        raise EnqueueError(f"cannot enqueue the class {payload.__qualname__}: expected an instance of it")
    member = find_member(type(payload), "perform")
    if member is MISSING or not is_method(member):
        raise EnqueueError(f"cannot enqueue an object of {_receiver(payload)}: it has no perform()")
    perform = bind(original(member), payload)
    if not _surely_fits(perform, (), {}) and (reason := _misfit(perform, (), {})):
        raise EnqueueError(f"perform() of {_receiver(payload)} must need no arguments: {reason}")


def signature_of(function: Any) -> inspect.Signature | None:
    """Return the signature of a function, bound or not, as a caller sees it; None when it does not tell."""
    signature = _signature(getattr(function, "__func__", function))
    if signature is None or not isinstance(function, MethodType):
        return signature
    parameters = list(signature.parameters.values())
    keeps_first = parameters and parameters[0].kind is inspect.Parameter.VAR_POSITIONAL
    return signature.replace(parameters=parameters if keeps_first else parameters[1:])


def _function(target: Any) -> Any:
    """Return what `original` does; at once for a function without attributes, and for one marked `@job`."""
    function = target if type(target) is FunctionType else getattr(target, "__wrapped__", None)
    is_plain = type(function) is FunctionType and not function.__dict__
    return function if is_plain and (function is target or is_marked(target)) else original(target)


def _method(target: Any, name: str) -> Any:
    owner = owner_of(target)
    member = find_member(owner, name)
    if member is MISSING:
        raise UnknownMethod(f"{_receiver(target)} has no method {name}{_nearest(owner, name)}")
    if not is_method(member):
        raise UnknownMethod(f"{_receiver(target)}.{name} is not a method but {_kind_of(member)}")
    return bind(original(member), target)


def _surely_fits(function: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    """Say whether a plain function takes these arguments; False also when only its signature can tell."""
    plain = function if type(function) is FunctionType else getattr(function, "__func__", None)
    if type(plain) is not FunctionType or plain.__dict__ or (code := plain.__code__).co_flags & _VARIADIC:
        return False
    given, most = len(args) + (plain is not function), code.co_argcount
    needed = most - len(plain.__defaults__ or ())
    if not kwargs and not code.co_kwonlyargcount:
        return needed <= given <= most
    names = code.co_varnames[: most + code.co_kwonlyargcount]
    open_names = names[max(given, code.co_posonlyargcount) :]
    return given <= most and kwargs.keys() <= set(open_names) and kwargs.keys() >= _required(plain, names, given)


def _required(function: FunctionType, names: Sequence[str], given: int) -> set[str]:
    most = function.__code__.co_argcount
    needed = most - len(function.__defaults__ or ())
    return {*names[given:needed], *(set(names[most:]) - (function.__kwdefaults__ or {}).keys())}


def _misfit(function: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str | None:
    """Return why a function does not take these arguments, if it does not."""
    signature = signature_of(function)
    if signature is not None:
        try:
            signature.bind(*args, **kwargs)
        except TypeError as error:
            return str(error)
    return None


@lru_cache(maxsize=1024)
def _cached_signature(function: Any) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        return None


def _signature(function: Any) -> inspect.Signature | None:
    try:
        return _cached_signature(function)
    except TypeError:  # it cannot be hashed
        return _cached_signature.__wrapped__(function)


def _shown_signature(function: Any) -> str:
    return str(signature_of(function) or "()")


def _hint(function: Any) -> str:
    if not hasattr(function, "__wrapped__"):
        return ""
    return ". If a decorator supplies the rest, give what it returns a __signature__"


def _receiver(target: Any) -> str:
    if isinstance(target, ModuleType):
        return target.__name__
    return target.__qualname__ if isinstance(target, type) else type(target).__qualname__


def _name(function: Any) -> str:
    name = getattr(function, "__qualname__", None)
    return name if isinstance(name, str) else type(function).__qualname__


def _kind_of(member: Any) -> str:
    if isinstance(member, type):
        return f"the class {member.__qualname__}"
    return "a property" if isinstance(member, property) else f"a {type(member).__name__}"


def _nearest(owner: Owner, name: str) -> str:
    from difflib import get_close_matches

    spaces = owner.__mro__ if isinstance(owner, type) else (owner,)
    methods = {known for space in spaces for known, member in vars(space).items() if is_method(member)}
    nearest = get_close_matches(name, [method for method in methods if not method.startswith("__")], n=1)
    return f"; did you mean {nearest[0]}?" if nearest else ""
