"""How to run this program once more."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def program() -> list[str]:
    """Return the command that is this program, without arguments."""
    return [sys.executable, "-m", "backburner"]


def same_program(arguments: Sequence[str]) -> list[str]:
    """Return the command line of this process, which has these arguments, with the options of the interpreter too."""
    number = len(arguments)
    original = sys.orig_argv
    if number and original[-number:] == list(arguments):
        return [sys.executable, *original[1:]]
    return [*program(), *arguments]
