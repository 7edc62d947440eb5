"""The options of the commands that deal with workers in the background."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Final

PID_DIR: Final = Path("tmp/pids")
LOG_FILE: Final = Path("log/backburner.log")


def add_choice(parser: ArgumentParser) -> None:
    """Add the options that say which workers are meant."""
    parser.add_argument(
        "--pid-dir", type=Path, default=PID_DIR, metavar="DIR", help=f"where the pid files are; default: {PID_DIR}"
    )
    parser.add_argument("--name", help="only the worker of this name; default: all of them")
