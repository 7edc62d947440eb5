"""What a handler says, in a form in which jobs are compared and shown.

Records are compared by class and key: their attributes, which a handler shows for people, are left out.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple


class Described(NamedTuple):
    """A payload; its values are JSON as in the handler."""

    code: str
    """What it names: `shop.jobs:send`, `shop.models:User.activate`, `shop.jobs:HelloEmailJob`; empty: unreadable."""
    receiver: Any = None
    """The record or object whose method is called; None for functions, methods of classes and modules, job objects."""
    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] = {}
    """The keyword arguments of a call, the fields of a job object."""

    def __str__(self) -> str:
        name = self.code.rpartition(":")[2] or "(unreadable)"
        on = "" if self.receiver is None else f" on {shown(self.receiver)}"
        listed = [*map(shown, self.args), *(f"{key}={shown(value)}" for key, value in self.kwargs.items())]
        return f"{name}({', '.join(listed)}){on}"

    def with_values(self, change: Callable[[Any], Any]) -> Described:
        """Return the same with each of its values changed."""
        return self._replace(receiver=change(self.receiver), args=change(self.args), kwargs=change(self.kwargs))

    def named(self, signature: inspect.Signature | None) -> dict[str, Any]:
        """Return the arguments by the names of their parameters. Raises TypeError when they do not fit."""
        if signature is None:
            return {**{f"args[{index}]": value for index, value in enumerate(self.args)}, **self.kwargs}
        bound = signature.bind_partial(*self.args, **self.kwargs).arguments
        named: dict[str, Any] = {}
        for name, value in bound.items():
            match signature.parameters[name].kind:
                case inspect.Parameter.VAR_POSITIONAL:
                    named.update({f"{name}[{index}]": item for index, item in enumerate(value)})
                case inspect.Parameter.VAR_KEYWORD:
                    named.update(value)
                case _:
                    named[name] = value
        return named


def described(handler: str) -> Described:
    """Return what a handler says. Never raises."""
    try:
        said = _without_attributes(json.loads(handler))
        return _of_object(said["object"]) if "object" in said else _of_call(said["call"])
    except (ValueError, KeyError, TypeError, AttributeError):  # whatever else may stand in a table of jobs
        return Described("")


def class_of(value: Any) -> str | None:
    """Return the name of the class of a written record or object."""
    name = value.get("$record") or value.get("$object") if isinstance(value, dict) else None
    return str(name) if name else None


def shown(value: Any) -> str:
    """Return a written value as people read it."""
    match value:
        case {"$record": name, "key": key}:
            return f"{_short(name)} {shown(key)}"
        case {"$object": name, "fields": fields}:
            return f"{_short(name)}({', '.join(f'{key}={shown(item)}' for key, item in fields.items())})"
        case {"$class": name} | {"$function": name} | {"$module": name}:
            return _short(name)
        case {"$tuple": items}:
            return f"({', '.join(map(shown, items))})"
        case list():
            return f"[{', '.join(map(shown, value))}]"
        case dict() if len(value) == 1 and str(tag := next(iter(value))).startswith("$"):
            return f"{tag[1:]} {shown(value[tag])}"
        case dict():
            return f"{{{', '.join(f'{key!r}: {shown(item)}' for key, item in value.items())}}}"
        case _:
            return repr(value)


def _of_object(written: dict[str, Any]) -> Described:
    return Described(written["$object"], None, (), {**written["fields"], **written.get("vars", {})})


def _of_call(call: dict[str, Any]) -> Described:
    args, kwargs = call.get("args", []), call.get("kwargs", {})
    if "function" in call:
        return Described(call["function"], None, args, kwargs)
    on, method = call["on"], call["method"]
    if "$module" in on:
        return Described(f"{on['$module']}:{method}", None, args, kwargs)
    if "$class" in on:
        return Described(f"{on['$class']}.{method}", None, args, kwargs)
    return Described(f"{class_of(on)}.{method}", on, args, kwargs)


def _without_attributes(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_attributes(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _without_attributes(item)
        for key, item in value.items()
        if not ("$record" in value and key == "attributes")
    }


def _short(name: str) -> str:
    return name.rpartition(":")[2]
