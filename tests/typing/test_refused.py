"""What is wrong by its names is refused when it runs as well, at the very line, and nothing is enqueued.

That is: misspelt methods, arguments, options and settings, arguments that are missing or too many, and options with
values of a wrong type. Only the types of a job's own arguments are left to type checkers.
"""

from __future__ import annotations

import ast
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from backburner import Backburner
from backburner.app import use
from backburner.core.errors import ConfigurationError
from tests.typing.right import Device, User

FILE = Path(__file__).with_name("wrong.py")
SOURCE = FILE.read_text("utf-8")

BY_NAME = {"attr-defined", "call-arg", "call-overload"}
"""What mypy says of what is not there, is missing or too much."""

ALL_OF_IT = {"options", "apps"}
"""Functions whose lines are all refused: options, settings and filters are checked, their values too."""


class Wrong(NamedTuple):
    """A statement of the wrong program, and the line in which its mistake is."""

    line: int
    statement: ast.stmt


def wrongs() -> Iterator[Wrong]:
    """Yield the statements that are to be refused when they run."""
    marked = {number: text for number, text in enumerate(SOURCE.splitlines(), 1) if "  # E: " in text}
    for name, statement in statements():
        first, last = first_line(statement), statement.end_lineno or 0
        for number in range(first, last + 1):
            code = marked.get(number, "").partition("  # E: ")[2].split(" | ")[0]
            if code and (code in BY_NAME or name in ALL_OF_IT):
                yield Wrong(number, statement)


def statements() -> Iterator[tuple[str, ast.stmt]]:
    """Yield the statements of functions with the function's name, and what is decorated wrongly."""
    for node in ast.parse(SOURCE).body:
        if isinstance(node, ast.FunctionDef) and not node.decorator_list:
            yield from ((node.name, statement) for statement in node.body)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield "options", node


def imported() -> dict[str, Any]:
    """Return the names that the wrong program imports; it cannot be imported itself."""
    names: dict[str, Any] = {"__name__": "tests.typing.wrong"}
    imports = [node for node in ast.parse(SOURCE).body if isinstance(node, ast.ImportFrom)]
    exec(compile(ast.Module([*imports], []), str(FILE), "exec"), names)  # noqa: S102  # the program is ours
    return names


def first_line(statement: ast.stmt) -> int:
    decorators = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


def test_there_are_many() -> None:
    assert len(list(wrongs())) >= 30


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "case", list(wrongs()), ids=lambda case: SOURCE.splitlines()[case.line - 1].split("  #")[0].strip()
)
def test_it_is_refused_in_its_line(case: Wrong) -> None:
    code = compile(ast.Module([case.statement], []), str(FILE), "exec", dont_inherit=True)
    with Backburner("memory://", allow=["tests"]) as app, use(app):
        names = {**imported(), "user": User("Ann"), "device": Device(3), "app": app}
        with pytest.raises(Exception) as raised:  # noqa: PT011  # which, the test of each says
            exec(code, names)  # noqa: S102  # the program is ours
        assert app.jobs.count() == 0
    lines = [frame.lineno for frame in traceback.extract_tb(raised.value.__traceback__) if frame.filename == str(FILE)]
    assert lines[-1] == case.line
    assert isinstance(raised.value, (TypeError, AttributeError, ConfigurationError))
