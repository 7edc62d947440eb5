"""Text for people to read, made of values that may misbehave: exceptions, names, messages from anywhere."""

from __future__ import annotations

import re
from types import TracebackType

LIMIT = 64 * 1024 - 1
"""How many bytes of UTF-8 an error may take; fits MySQL's TEXT."""

_FIRST_LINE = 2_000
_CUT = "\n… cut …\n"
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def describe(exception: BaseException) -> str:
    """Return an exception as text: `ExceptionType: message` on the first line, then the traceback.

    Never raises. Unprintable characters are replaced, and what is longer than `LIMIT` is cut in the middle.
    """
    return _shortened(f"{_headline(exception)}\n{_traceback(exception)}".rstrip())


def printable(text: str, limit: int = 200) -> str:
    """Return text as one line of at most `limit` characters that is safe in a terminal or a log."""
    if len(text) > limit:
        text = text[: max(limit - 1, 0)] + "…"
    return text if text.isprintable() else "".join(map(_printable_character, text))


def _printable_character(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character in "\t\n\r\N{NO-BREAK SPACE}" else _REPLACEMENT


def _headline(exception: BaseException) -> str:
    name = type(exception).__name__
    message = " ".join(message_of(exception)[:_FIRST_LINE].split())
    return f"{name}: {message}" if message else name


def message_of(exception: BaseException) -> str:
    """Return the message of an exception, whatever its `__str__` does."""
    try:
        return str(exception)
    except BaseException as error:  # what it raises is not for us, not even a SystemExit
        return f"<its message cannot be shown: {type(error).__name__}>"


def _traceback(exception: BaseException) -> str:
    from traceback import TracebackException

    try:
        shown = TracebackException(type(exception), exception, _outside_of_us(exception.__traceback__), compact=True)
        return "".join(shown.format())
    except BaseException as error:
        return f"<its traceback cannot be shown: {type(error).__name__}>"


def _outside_of_us(traceback: TracebackType | None) -> TracebackType | None:
    """Return a traceback from the first frame on that is not backburner's own; all of it, if there is none."""
    frame = traceback
    while frame is not None and str(frame.tb_frame.f_globals.get("__name__")).startswith("backburner."):
        frame = frame.tb_next
    return frame or traceback


def _shortened(text: str) -> str:
    text = _UNPRINTABLE.sub(_REPLACEMENT, _halves(text).replace("\r\n", "\n"))
    data = text.encode()
    if len(data) <= LIMIT:
        return text
    half = (LIMIT - len(_CUT.encode())) // 2
    return data[:half].decode(errors="ignore") + _CUT + data[-half:].decode(errors="ignore")


def _halves(text: str) -> str:
    """Return the two ends of a text, which hold all that can remain of it: no character is less than a byte."""
    return text if len(text) <= 2 * LIMIT else text[:LIMIT] + text[-LIMIT:]
