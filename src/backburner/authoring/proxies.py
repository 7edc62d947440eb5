"""What stands between `.delay` and the call: proxies that turn a method call into a job.

A proxy forwards nothing but the names of methods. They are looked up on the object's class, so that a mistyped one is
an error at once, and nothing of the object runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from backburner.authoring.recorded import checked
from backburner.authoring.targets import Send, Target, callable_target, method_target
from backburner.core.errors import UnknownMethod, WrongArguments
from backburner.core.naming import is_reserved

Given = Mapping[str, Any]


class DelayedCall:
    """A function or method that is enqueued when it is called."""

    __slots__ = ("_given", "_send", "_target")

    def __init__(self, target: Target, send: Send, given: Given) -> None:
        self._target = target
        self._send = send
        self._given = given

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Enqueue the call with these arguments and return the job."""
        return self._target.send(self._send, self._given, args, kwargs)

    def __repr__(self) -> str:
        target, method, _ = self._target
        name = getattr(target, "__qualname__", None) or type(target).__qualname__
        return f"<{name if method is None else f'{name}.{method}'}, enqueued when it is called>"


class Proxy:
    """Stands for an object whose methods are enqueued when they are called: `delay(user).activate()`."""

    __slots__ = ("_inside",)

    def __init__(self, target: object, send: Send, given: Given) -> None:
        _set(self, "_inside", (target, send, given))

    def __getattribute__(self, name: str) -> Any:
        if is_reserved(name):
            return _dunder(self, name)
        target, send, given = _get(self, "_inside")
        return DelayedCall(method_target(target, name), send, given)

    def __repr__(self) -> str:
        return f"<jobs of {_type_name(self)}: expects the call of a method>"

    def __dir__(self) -> list[str]:
        return [name for name in dir(_get(self, "_inside")[0]) if not is_reserved(name)]


class OptionsProxy(Proxy):
    """What `.delay` gives: a proxy that may be called with options first, `user.delay(priority=5).activate()`."""

    __slots__ = ()

    def __call__(self, /, *args: Any, **options: Any) -> OptionsProxy:
        """Return a proxy with these options as well."""
        if args:
            raise WrongArguments(f".delay of {_type_name(self)}: expected options by name, got {args!r}")
        target, send, given = _get(self, "_inside")
        return OptionsProxy(target, send, {**given, **checked(options)})


_get = object.__getattribute__
_set = object.__setattr__


def _dunder(proxy: Proxy, name: str) -> Any:
    """Return what Python itself needs of any object; a job never calls a dunder name."""
    if name in REFUSED or name in ("__class__", "__doc__", "__module__"):
        return _get(proxy, name)
    raise UnknownMethod(
        f"{name} of {_type_name(proxy)}: expected a method, names with two leading underscores are never enqueued"
    )


def _type_name(proxy: Proxy) -> str:
    target = _get(proxy, "_inside")[0]
    return repr(target) if isinstance(target, type) else type(target).__qualname__


REFUSED = (
    *("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__hash__", "__bool__", "__str__", "__format__"),
    *("__len__", "__iter__", "__contains__", "__getitem__", "__setitem__", "__delitem__", "__setattr__", "__delattr__"),
    *("__add__", "__radd__", "__enter__", "__exit__", "__aenter__", "__aexit__", "__int__", "__float__", "__index__"),
    *("__call__", "__reduce_ex__", "__copy__", "__deepcopy__"),
)
"""Operators that would otherwise act on the proxy in place of the object, or fail without saying why.

`__await__` is not among them: whatever has it counts as awaitable, and mocks then replace it by an awaitable one.
"""


def _refusing(name: str) -> Any:
    def refuse(self: Proxy, /, *_: object, **__: object) -> NoReturn:
        raise WrongArguments(
            f"{name}: expected the call of a method of {_type_name(self)}, "
            "got an operation on what `.delay` gives, which is not the object itself"
        )

    refuse.__name__ = name
    return refuse


for _name in REFUSED:
    setattr(Proxy, _name, _refusing(_name))


def delayed(target: Any, send: Send, given: Given) -> DelayedCall | Proxy:
    """Return what `delay(target)` gives: something to call for a function or bound method, else a proxy."""
    found = callable_target(target)
    return Proxy(target, send, given) if found is None else DelayedCall(found, send, given)
