"""Writes the parts of the reference that are made from the code: `make reference`.

The page of the command line is made from the help of its commands, the tables of errors and settings from docstrings. A
test fails when what the pages say is not what would be written.
"""

from __future__ import annotations

import ast
import re
from argparse import SUPPRESS, Action
from collections.abc import Callable, Iterable, Iterator
from inspect import cleandoc, getsource
from itertools import pairwise
from pathlib import Path
from textwrap import fill

from backburner import mail
from backburner.cli.catalogue import SUMMARIES, Words, load
from backburner.cli.command import Command
from backburner.cli.parsing import PROGRAM, Parser
from backburner.core import errors
from backburner.core.settings import Settings

HERE = Path(__file__).parent

BEGIN, END = "<!-- begin: written by `make reference` -->\n", "<!-- end -->\n"

COMMAND_LINE = """\
# The command line

All commands with their arguments, as `backburner COMMAND --help` shows them. [Use the command
line](../how-to/command-line.md) shows them at work, and says [which app](../how-to/command-line.md#which-app) a command
is about and what the [exit codes](../how-to/command-line.md#exit-codes) mean everywhere.

"""

WIDTH = 120

DEFAULTS = {"field(default_factory=dict)": "{}"}
"""Defaults that are written in another way than people write them."""

Row = tuple[str, ...]


def main() -> None:
    """Write each page that is not as it should be."""
    for path, make in PAGES.items():
        former = path.read_text() if path.exists() else ""
        if (text := make(former)) != former:
            path.write_text(text)
            print(f"written: {path.relative_to(HERE.parents[1])}")


def command_line(_former: str) -> str:
    """Return the page of the command line."""
    parser = Parser((), "", "")
    parser.add_common()
    everywhere = table(("option", "meaning"), arguments_of(parser))
    commands = table(("command", "what it does"), map(summary_row, SUMMARIES))
    sections = "\n".join(section(words, load(words)) for words in SUMMARIES)
    return f"{COMMAND_LINE}{commands}\nEach command also takes:\n\n{everywhere}\n{sections}"


def error_page(former: str) -> str:
    """Return the page of errors with its tables made anew."""
    headings = ("error", "is a", "means")
    return with_tables(
        former, table(headings, map(error_row, core_errors())), table(headings, map(error_row, mail_errors()))
    )


def settings_page(former: str) -> str:
    """Return the page of settings with its table made anew."""
    return with_tables(former, table(("setting", "default", "meaning"), setting_rows()))


def with_tables(former: str, *tables: str) -> str:
    """Return a page with these tables in their places."""
    made = iter(tables)
    return re.sub(f"{BEGIN}.*?{END}", lambda _: f"{BEGIN}\n{next(made)}\n{END}", former, flags=re.DOTALL)


def section(words: Words, command: Command) -> str:
    """Return what is to be known of one command."""
    parser = Parser(words, "", "")
    command.add_arguments(parser)
    parts = [f"## {' '.join((PROGRAM, *words))}\n", f"{paragraphs(command.about)}\n"]
    if rows := list(arguments_of(parser)):
        parts.append(table(("argument", "meaning"), rows))
    parts.append(f"```text\n{examples(command)}\n```\n")
    parts.append(table(("exit code", "meaning"), [(str(code), marked(text)) for code, text in command.all_exit_codes]))
    return "\n".join(parts)


def arguments_of(parser: Parser) -> Iterator[Row]:
    """Yield a row for each argument that is for people."""
    for action in parser._actions:
        if action.help not in (None, SUPPRESS):
            yield ", ".join(f"`{name}`" for name in spellings(action)), marked(str(action.help))


def spellings(action: Action) -> list[str]:
    """Return how an argument may be written, the value with the last way."""
    value = value_of(action)
    if not action.option_strings:
        return [f"{value} …" if action.nargs in ("*", "+") else value]
    *others, last = action.option_strings
    return [*others, f"{last} {value}".rstrip()]


def value_of(action: Action) -> str:
    """Return what stands for the value of an argument; nothing for one that takes none."""
    if action.nargs == 0:
        return ""
    if action.choices is not None:
        return "|".join(map(str, action.choices))
    return str(action.metavar or action.dest.upper())


def examples(command: Command) -> str:
    """Return the examples, with what they are good for in a column."""
    width = max(len(line) for line, _ in command.examples)
    return "\n".join(f"{line:{width}}  {f'# {why}' if why else ''}".rstrip() for line, why in command.examples)


def summary_row(words: Words) -> Row:
    """Return the row of a command in the list of all."""
    return f"[`{' '.join(words)}`](#{'-'.join((PROGRAM, *words))})", marked(SUMMARIES[words])


def core_errors() -> Iterator[type[BaseException]]:
    """Yield the errors that are importable from `backburner`, in the order of their file."""
    for value in vars(errors).values():
        if isinstance(value, type) and value.__module__ == errors.__name__:
            yield value


def mail_errors() -> Iterator[type[BaseException]]:
    """Yield the errors that are importable from `backburner.mail`."""
    for value in vars(mail).values():
        if isinstance(value, type) and issubclass(value, BaseException):
            yield value


def error_row(cls: type[BaseException]) -> Row:
    """Return the row of an error: its name, its bases, and its docstring."""
    bases = ", ".join(f"`{base.__name__}`" for base in cls.__bases__)
    return f"`{cls.__name__}`", bases, " ".join(cleandoc(cls.__doc__ or "").split())


def setting_rows() -> Iterator[Row]:
    """Yield a row for each setting: its name, its default and the text below it, as they are written."""
    source = getsource(Settings)
    [definition] = ast.parse(source).body
    for field, below in pairwise(getattr(definition, "body", [])):
        if isinstance(field, ast.AnnAssign) and field.value is not None and isinstance(below, ast.Expr):
            default = ast.get_source_segment(source, field.value) or ""
            text = " ".join(ast.literal_eval(below.value).split())
            yield f"`{ast.unparse(field.target)}`", f"`{DEFAULTS.get(default, default)}`", text


def table(headings: Row, rows: Iterable[Row]) -> str:
    """Return a table in Markdown."""
    lines = [headings, ("---",) * len(headings), *rows]
    return "".join(f"| {' | '.join(map(cell, line))} |\n" for line in lines)


def cell(text: str) -> str:
    """Return text that may stand in a table."""
    return text.replace("|", r"\|")


def paragraphs(text: str) -> str:
    """Return plain text, filled again after it was marked."""
    return "\n\n".join(fill(marked(part), WIDTH, break_on_hyphens=False) for part in text.split("\n\n"))


def marked(text: str) -> str:
    """Return plain text with options and decorators marked as code."""
    return re.sub(r"(?<![\w`-])(--[a-z][a-z-]*|@\w+)(?!`)", r"`\1`", text)


PAGES: dict[Path, Callable[[str], str]] = {
    HERE / "command-line.md": command_line,
    HERE / "errors.md": error_page,
    HERE / "settings.md": settings_page,
}
"""The pages, each with what makes its text of the former one."""


if __name__ == "__main__":
    main()
