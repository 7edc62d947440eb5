"""Complicated calculations: in a process of its own, which shows how far it is and can be stopped at any time."""

from __future__ import annotations

import sys
from datetime import timedelta
from math import isqrt

from backburner import current_job, job

from .database import database

CHUNK = 1_000_000


@job(queue="slow", isolation="process", max_run_time=timedelta(hours=1), max_attempts=2)
def count_primes(below: int) -> None:
    found = 0
    small = primes_up_to(isqrt(below))
    for start in range(0, below, CHUNK):
        end = min(start + CHUNK, below)
        found += primes_between(start, end, small)
        current_job().report_progress(end, below, note=f"{found} primes")
    with database() as db:  # to calculate it twice does no harm
        db.execute("INSERT INTO counts VALUES (?, ?) ON CONFLICT DO NOTHING", (below, found))


def primes_between(start: int, end: int, small: list[int]) -> int:
    """Count the primes from start on, before end, knowing those up to the root of end."""
    is_prime = bytearray([1]) * (end - start)
    for prime in small:
        first = max(prime * prime, -(-start // prime) * prime)
        is_prime[first - start :: prime] = bytes(len(range(first, end, prime)))
    return sum(is_prime) - sum(1 for number in (0, 1) if start <= number < end)


def primes_up_to(last: int) -> list[int]:
    return [number for number in range(2, last + 1) if all(number % other for other in range(2, isqrt(number) + 1))]


if __name__ == "__main__":
    from .app import app

    with app:
        print(count_primes.delay(int(sys.argv[1])).handler)
