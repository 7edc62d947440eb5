"""Values that several commands take, and what is said when one is wrong."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable

from backburner.cli.suggest import did_you_mean
from backburner.core.lifecycle import State
from backburner.core.options import check_priority, check_queue

ALL_STATES = "all"


def whole_number(lowest: int) -> Callable[[str], int]:
    """Return what reads a whole number that is at least so great."""

    def read(text: str) -> int:
        number = _integer(text)
        if number < lowest:
            raise ArgumentTypeError(f"expected a whole number from {lowest} on, got {text!r}")
        return number

    return read


def seconds(text: str) -> float:
    """Read a number of seconds, zero or more."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise ArgumentTypeError(f"expected a number of seconds, got {text!r}")
    return number


def priority(text: str) -> int:
    """Read a priority."""
    try:
        return check_priority(_integer(text))
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def queue(text: str) -> str:
    """Read the name of a queue."""
    try:
        return check_queue(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def port(text: str) -> int:
    """Read the number of a port; 0 is any."""
    number = _integer(text)
    if not 0 <= number <= 65_535:
        raise ArgumentTypeError(f"expected a port from 0 to 65535, got {text!r}")
    return number


def queues(text: str) -> list[str]:
    """Read the names of queues, with commas between them."""
    return [queue(name.strip()) for name in text.split(",")]


def states(text: str) -> frozenset[State]:
    """Read states, with commas between them; `all` means every one."""
    if text == ALL_STATES:
        return frozenset(State)
    return frozenset(_state(name.strip()) for name in text.split(","))


def add_json(parser: ArgumentParser) -> None:
    """Add the option that makes a command print JSON."""
    parser.add_argument("--json", action="store_true", help="print JSON: ISO times, ids as text")


def add_yes(parser: ArgumentParser) -> None:
    """Add the option that answers a question beforehand."""
    parser.add_argument("--yes", "-y", action="store_true", help="do not ask; needed where there is no terminal")


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ArgumentTypeError(f"expected a whole number, got {text!r}") from None


def _state(name: str) -> State:
    try:
        return State(name)
    except ValueError:
        known = [*State, ALL_STATES]
        expected = f"expected one of {', '.join(known)}"
        raise ArgumentTypeError(f"{expected}, got {name!r}{did_you_mean(name, known)}") from None
