"""Which queues worker processes serve, and how many of them."""

from __future__ import annotations

from dataclasses import dataclass

from backburner.core.errors import ConfigurationError
from backburner.core.options import check_queue

ALL = "*"


@dataclass(frozen=True, slots=True)
class Pool:
    """So many worker processes for these queues; without queues they serve what the app's settings say.

    Raises ConfigurationError when a value is wrong.
    """

    processes: int = 1
    queues: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if isinstance(self.processes, bool) or not isinstance(self.processes, int) or self.processes < 1:
            raise ConfigurationError(f"pool: expected a whole number of processes from 1 on, got {self.processes!r}")

    @classmethod
    def parse(cls, text: str) -> Pool:
        """Read `mail:2`, `mail,default:3`, `mail`, or `*:1` for all queues."""
        queues, colon, number = text.rpartition(":")
        if not colon:
            queues, number = number, "1"
        if not number.isascii() or not number.isdecimal():
            raise ConfigurationError(f"pool: expected queues and a number, as in mail,default:2 or *:1, got {text!r}")
        return cls(int(number), _queues(queues))

    def __str__(self) -> str:
        return f"{ALL if self.queues is None else ','.join(self.queues)}:{self.processes}"


def _queues(text: str) -> tuple[str, ...] | None:
    if text.strip() in (ALL, ""):
        return None
    try:
        return tuple(check_queue(queue.strip()) for queue in text.split(","))
    except ValueError as error:
        raise ConfigurationError(f"pool: {error}") from None
