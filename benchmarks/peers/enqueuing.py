"""A process that enqueues: `python -m benchmarks.peers.enqueuing MODULE COUNT SECONDS [WARM_UP]`.

It enqueues so many jobs, or as many as it can in so many seconds, and prints how many, and how long it took.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Iterator

WARM_UP = 10
"""Jobs before those that count: tables are made, connections opened, statements prepared."""


class Timed:
    """The numbers of the jobs. It notes how long it took from the first that counts until the last was taken."""

    def __init__(self, count: int, seconds: float, warm_up: int = WARM_UP) -> None:
        self._warm_up = warm_up
        self._most = count
        self._longest = seconds
        self.count = 0
        self.seconds = 0.0

    def __iter__(self) -> Iterator[int]:
        yield from range(self._warm_up)
        began = time.perf_counter()
        while self.count < self._most and self.seconds < self._longest:
            yield self.count
            self.count += 1
            self.seconds = time.perf_counter() - began


def main() -> None:
    """Enqueue one by one by the library's ordinary call."""
    module, count, seconds, *warm_up = sys.argv[1:]
    numbers = Timed(int(count), float(seconds), *map(int, warm_up))
    importlib.import_module(module).enqueue(numbers)
    print(numbers.count, numbers.seconds)


if __name__ == "__main__":
    main()
