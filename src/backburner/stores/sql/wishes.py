"""Which jobs a worker takes at all."""

from __future__ import annotations

from typing import NamedTuple

from backburner.core.ports import ClaimRequest

Place = tuple[str, int]
"""A queue and a priority."""


class Wish(NamedTuple):
    """The part of a request that is the same for all claims of a worker."""

    queues: tuple[str, ...] | None
    exclude: tuple[str, ...]
    min_priority: int | None
    max_priority: int | None

    @classmethod
    def of(cls, request: ClaimRequest) -> Wish:
        """Return that part of a request."""
        return cls(request.queues, request.exclude, request.min_priority, request.max_priority)

    def fits(self, queue: str, priority: int) -> bool:
        """Say whether jobs of this queue and priority are wanted."""
        return (
            (self.queues is None or queue in self.queues)
            and queue not in self.exclude
            and (self.min_priority is None or priority >= self.min_priority)
            and (self.max_priority is None or priority <= self.max_priority)
        )
