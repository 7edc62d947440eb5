"""What is written to stdout and stderr. Either may be closed, or end early; that is harmless."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from io import TextIOWrapper
from typing import IO

from backburner.core.errors import ConfigurationError
from backburner.core.text import printable

NARROWEST = 40
LONGEST_COMPLAINT = 2_000


def prepare() -> None:
    """Let characters that a terminal's encoding lacks be written as escapes instead of raising."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(text: str) -> None:
    """Write a line, or several, to stdout."""
    _write(sys.stdout, text)


def say_json(value: object) -> None:
    """Write a value to stdout as JSON, in ASCII."""
    say(json.dumps(value, indent=2, default=str))


def note(text: str) -> None:
    """Write a line for people to stderr."""
    _write(sys.stderr, text)


def ask(question: str) -> None:
    """Write a question to stderr; the answer is typed behind it."""
    _write(sys.stderr, question, end="")
    flush()


def complain(error: BaseException) -> None:
    """Write a user's mistake to stderr, in one line."""
    note(f"backburner: {printable(' '.join(str(error).split()), LONGEST_COMPLAINT)}")


def is_terminal() -> bool:
    """Say whether stdout is read by a person."""
    return sys.stdout is not None and sys.stdout.isatty()


def width() -> int:
    """Return how many characters a line of the terminal has."""
    return max(shutil.get_terminal_size().columns, NARROWEST)


def flush() -> None:
    """Write what is buffered."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            _guarded(stream, stream.flush)


def _write(stream: IO[str] | None, text: str, end: str = "\n") -> None:
    if stream is not None:
        _guarded(stream, lambda: stream.write(text + end))


def _guarded(stream: IO[str], write: Callable[[], object]) -> None:
    """Write; when nobody reads any more, let this and all that follows go nowhere.

    Raises ConfigurationError when it cannot be written, to a full disk for instance.
    """
    try:
        write()
    except OSError as error:
        _abandon(stream)
        if not isinstance(error, BrokenPipeError):
            raise ConfigurationError(f"cannot write the output: {error.strerror}") from error


def _abandon(stream: IO[str]) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, stream.fileno())
    finally:
        os.close(nowhere)
