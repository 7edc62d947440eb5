"""The methods of classes and modules, found without running any code of theirs.

`getattr` would run properties and other descriptors and would find what belongs to the metaclass. Handlers come from a
database that others may write to, so names in them are looked up in the dictionaries of the class and its bases only.
"""

from __future__ import annotations

from functools import cached_property, partial, partialmethod, singledispatchmethod
from types import FunctionType, ModuleType
from typing import Any, Final

from backburner.core.marks import is_marked

MISSING: Final = object()

_MOST_LAYERS = 100  # some objects answer to every name, `__wrapped__` included, for ever

Owner = type | ModuleType
"""Where a method is looked up: the class of the receiver, or the receiver itself if that is a class or a module."""

_DESCRIPTORS_OF_METHODS = (classmethod, staticmethod, partialmethod, singledispatchmethod)


def owner_of(target: object) -> Owner:
    """Return where the methods of a call's target are looked up."""
    return target if isinstance(target, (type, ModuleType)) else type(target)


def find_member(owner: Owner, name: str) -> Any:
    """Return what a class, one of its bases or a module has under a name, unbound; MISSING when there is nothing."""
    if isinstance(owner, type):
        for cls in owner.__mro__:
            if name in cls.__dict__:
                return cls.__dict__[name]
        return MISSING
    return vars(owner).get(name, MISSING)


def definer(owner: type, name: str) -> type:
    """Return the class, `owner` or one of its bases, that has this name."""
    return next(cls for cls in owner.__mro__ if name in cls.__dict__)


def is_method(member: Any) -> bool:
    """Say whether what was found under a name can be called as a method: no property, plain value or class."""
    if type(member) is FunctionType:
        return True
    if isinstance(member, (staticmethod, classmethod)):
        return is_method(member.__func__)
    if isinstance(member, (type, property, cached_property)):
        return False
    return callable(member) or isinstance(member, _DESCRIPTORS_OF_METHODS)


def function_in(member: Any) -> Any:
    """Return the function behind a classmethod, staticmethod or partial."""
    while True:
        if isinstance(member, (staticmethod, classmethod)):
            member = member.__func__
        elif isinstance(member, (partial, partialmethod, singledispatchmethod)):
            member = member.func
        else:
            return member


def original(member: Any) -> Any:
    """Return what a job performs in place of this function or method: what the marking decorator was put on.

    Calling the decorated one would enqueue it again.
    """
    if isinstance(member, (staticmethod, classmethod)):
        inner = original(member.__func__)
        return member if inner is member.__func__ else type(member)(inner)
    lowest = layer = member
    for _ in range(_MOST_LAYERS):
        if (inner := getattr(layer, "__wrapped__", None)) is None:
            break
        if is_marked(layer):
            lowest = inner
        layer = inner
    return lowest


def bind(member: Any, target: object) -> Any:
    """Return a method as it is called on `target`."""
    if isinstance(target, ModuleType):
        return member
    getter = getattr(type(member), "__get__", None)
    if getter is None:
        return member
    return getter(member, None, target) if isinstance(target, type) else getter(member, target, type(target))
