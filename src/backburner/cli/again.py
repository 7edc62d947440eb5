"""How to run this program once more."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_OWN = ("-m", "backburner")

_arguments_before: tuple[str, ...] = _OWN
"""What the interpreter is given before the arguments of the command line."""


def program() -> list[str]:
    """Return the command that is this program, without arguments."""
    return [sys.executable, *_arguments_before]


def same_program(arguments: Sequence[str]) -> list[str]:
    """Return the command line of this process, which has these arguments, with the options of the interpreter too."""
    number = len(arguments)
    original = sys.orig_argv
    if number and original[-number:] == list(arguments):
        return [sys.executable, *original[1:]]
    return [*program(), *arguments]


@contextmanager
def as_command_of(*arguments: str) -> Iterator[None]:
    """Let the command line be that of a framework, such as `python -m flask backburner`, within the block."""
    global _arguments_before
    former, _arguments_before = _arguments_before, arguments
    try:
        yield
    finally:
        _arguments_before = former


def is_command_of_another() -> bool:
    """Say whether a framework's command runs this one, and knows which app it is about."""
    return _arguments_before is not _OWN


def spoken() -> str:
    """Return what people type for this program: `backburner`, or `manage.py backburner`."""
    words = list(_arguments_before)
    while words[0].startswith("-"):  # options of the interpreter
        option = words.pop(0)
        if option == "-m":
            break
        if option in ("-W", "-X"):
            words.pop(0)
    return " ".join(os.path.basename(word) for word in words)
