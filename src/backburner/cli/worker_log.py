"""Where a worker's log goes: to stderr, a line each, unless the app's own code has configured `logging`."""

from __future__ import annotations

import logging
from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime
from types import TracebackType
from typing import Final

from backburner.core.text import describe, printable
from backburner.observe.logs import LOGGER

LEVELS: Final = ("debug", "info", "warning", "error")
LONGEST_LINE = 8_000

ErrorInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class LogFormatter(logging.Formatter):
    """Writes `2026-11-23T22:10:03.123Z INFO message`, and the traceback if there is one, fit for a terminal."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802  # logging calls it so
        """Return the time in ISO 8601, in UTC."""
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # logging calls it so
        """Return the line."""
        return printable(super().formatMessage(record), LONGEST_LINE)

    def formatException(self, ei: ErrorInfo) -> str:  # noqa: N802  # logging calls it so
        """Return the traceback from the job's own code on, without its control characters."""
        return describe(ei[1]).partition("\n")[2] if ei[1] is not None else ""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options that say what is logged."""
    levels = ", ".join(LEVELS)
    parser.add_argument("--log-level", choices=LEVELS, default="info", metavar="LEVEL", help=f"{levels}; default: info")
    parser.add_argument("--quiet", action="store_true", help="log warnings and errors only")


def configure(options: Namespace) -> None:
    """Log to stderr from the wanted level on. Called when the app's code is imported: what that configured stays."""
    logger = logging.getLogger(LOGGER)
    logger.setLevel("WARNING" if options.quiet else options.log_level.upper())
    if not logger.hasHandlers():
        handler = logging.StreamHandler()
        handler.setFormatter(LogFormatter())
        logger.addHandler(handler)
