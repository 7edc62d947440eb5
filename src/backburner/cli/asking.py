"""Asking before something is lost."""

from __future__ import annotations

import sys

from backburner.cli import output
from backburner.cli.parsing import UsageError


def is_confirmed(question: str, *, yes: bool) -> bool:
    """Ask on a terminal; `yes` is the answer given beforehand, without which a program cannot go on.

    Raises UsageError where there is nobody to ask.
    """
    if yes:
        return True
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError(f"expected --yes, as there is no terminal to ask at: {question}")
    output.ask(f"{question} [y/N] ")
    return sys.stdin.readline().strip().lower() in ("y", "yes")
