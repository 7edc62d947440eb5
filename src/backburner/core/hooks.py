"""The hooks of a payload and its own settings.

A job object has those of its class. A delayed call has those of its target's class, if that is a `JobHooks`: a method
of a model that happens to be called `error` is never taken for a hook. Everything is looked up when it is needed.
"""

from __future__ import annotations

import inspect
from types import FunctionType
from typing import Any

from backburner.core.marks import JobHooks
from backburner.core.members import MISSING, bind, is_method, owner_of
from backburner.core.payload import Call
from backburner.core.protocol import look_up, value_of
from backburner.core.signatures import signature_of

HOOKS = ("enqueue", "before", "success", "error", "after", "failure")
SETTINGS = ("queue", "priority", "max_attempts", "max_run_time", "keep_failed", "isolation", "display_name")

_HOOKS = frozenset(HOOKS)
_ANY_NUMBER = 1_000
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def hook(payload: Any, name: str, *args: Any) -> Any:
    """Call a hook and return what it returned, for an async hook its coroutine; None when there is no such hook.

    A hook that takes fewer arguments is given the first ones.
    """
    holder = holder_of(payload)
    member = MISSING if holder is None else look_up(holder, name)
    if member is MISSING or not is_method(member):
        return None
    bound = bind(member, holder)
    return bound(*args[: _arity(bound)])


def has_hooks(payload: Any) -> bool:
    """Say whether a payload has any of the hooks."""
    holder = holder_of(payload)
    if holder is None or all(_HOOKS.isdisjoint(vars(cls)) for cls in owner_of(holder).__mro__):
        return False
    return any(is_method(look_up(holder, name)) for name in HOOKS)


def setting(payload: Any, name: str) -> Any:
    """Return what a payload says itself about one of `SETTINGS`; None when it says nothing."""
    holder = holder_of(payload)
    return None if holder is None else value_of(holder, name)


def reschedule_at(payload: Any, now: Any, attempts: int) -> Any:
    """Return when a payload wants its next attempt; None when it does not say."""
    return hook(payload, "reschedule_at", now, attempts)


def holder_of(payload: Any) -> Any:
    """Return the object or class on which hooks are looked up, if there is one."""
    if type(payload) is not Call:
        return payload
    if payload.method is None:
        return None
    owner = owner_of(payload.target)
    return payload.target if isinstance(owner, type) and issubclass(owner, JobHooks) else None


def _arity(bound: Any) -> int:
    """Return how many positional arguments a bound hook takes."""
    function = getattr(bound, "__func__", bound)
    if type(function) is FunctionType and not hasattr(function, "__wrapped__"):
        code = function.__code__
        return _ANY_NUMBER if code.co_flags & inspect.CO_VARARGS else code.co_argcount - (function is not bound)
    return _arity_by_signature(bound)


def _arity_by_signature(bound: Any) -> int:
    signature = signature_of(bound)
    if signature is None:
        return _ANY_NUMBER
    kinds = [parameter.kind for parameter in signature.parameters.values()]
    return _ANY_NUMBER if inspect.Parameter.VAR_POSITIONAL in kinds else sum(kind in _POSITIONAL for kind in kinds)
