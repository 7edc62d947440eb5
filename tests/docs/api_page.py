"""What the page of the Python interface documents: the directives on it, and the objects that they lead to."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from importlib import import_module
from itertools import pairwise
from typing import Any, NamedTuple

from tests.docs.blocks import DOCS

PAGE = DOCS / "reference/api.md"

_DIRECTIVE = re.compile(
    r"^\.\. (?P<kind>currentmodule|auto\w+):: (?P<name>[\w.]+).*\n(?P<rest>(?:   .*\n|\n(?=   ))*)", re.M
)
_MEMBERS = re.compile(r":(?:special-)?members:(?P<names>(?: .*\n)(?: {4,}.*\n)*)")


class Entry(NamedTuple):
    """One directive."""

    name: str
    value: Any
    members: tuple[str, ...]


def entries() -> Iterator[Entry]:
    """Yield what the page documents, in its order."""
    module = "backburner"
    for found in _DIRECTIVE.finditer(PAGE.read_text()):
        name = found["name"]
        if found["kind"] == "currentmodule":
            module = name
        elif found["kind"] == "automodule":
            yield Entry(name, import_module(name), ())
        else:
            full = name if "." in name else f"{module}.{name}"
            home, _, attribute = full.rpartition(".")
            yield Entry(full, getattr(import_module(home), attribute), tuple(_members(found["rest"])))


def _members(options: str) -> Iterator[str]:
    for found in _MEMBERS.finditer(options):
        yield from re.findall(r"\w+", found["names"])


def classes() -> list[Entry]:
    """Return the entries that are classes."""
    return [entry for entry in entries() if isinstance(entry.value, type)]


def own_members(cls: type) -> set[str]:
    """Return the names for users that a class has, but for those of a base that is on the page by itself."""
    bases = {entry.value for entry in classes()} & set(cls.__mro__[1:])
    return _public_names(cls) - {name for base in bases for name in _public_names(base)}


def _public_names(cls: type) -> set[str]:
    """Return the names of the methods, properties and fields that this package gives a class."""
    own = [base for base in cls.__mro__ if base.__module__.startswith("backburner")]
    names = {name for base in own for name in (*vars(base), *getattr(base, "__annotations__", {}))}
    return {name for name in names if not name.startswith("_")}


def text_about(cls: type, member: str) -> str:
    """Return the docstring of a member, or the text below a field."""
    for base in cls.__mro__:
        if text := _texts_below_fields(base).get(member):
            return text
    value = inspect.getattr_static(cls, member, None)
    return inspect.getdoc(value) or "" if inspect.isroutine(value) or isinstance(value, property) else ""


def _texts_below_fields(cls: type) -> dict[str, str]:
    if not cls.__module__.startswith("backburner"):
        return {}
    [definition] = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    statements = [*ast.walk(definition)]
    bodies = [getattr(node, "body", []) for node in statements if isinstance(node, (ast.ClassDef, ast.FunctionDef))]
    return {name: text for body in bodies for name, text in _pairs(body)}


def _pairs(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    for field, below in pairwise(body):
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str):
            targets = [field.target] if isinstance(field, ast.AnnAssign) else getattr(field, "targets", [])
            for target in targets:
                yield getattr(target, "id", getattr(target, "attr", "")), below.value.value
