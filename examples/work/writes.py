"""Large database writes: a price list, in batches that others can write between, resumed behind the last one."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from typing import NamedTuple

from backburner import current_job, job

from .database import database

ROWS = 500
"""In one batch: enough to be quick, so few that nobody waits long for the end of its transaction."""

UPSERT = "INSERT INTO prices (sku, cents) VALUES (?, ?) ON CONFLICT (sku) DO UPDATE SET cents = excluded.cents"


class Batch(NamedTuple):
    rows: list[list[str]]
    last: int
    """The number of its last line in the file."""


@job(queue="imports", max_attempts=5, max_run_time=timedelta(hours=1))
def import_prices(path: str) -> None:
    running = current_job()
    for batch in running.steps(lambda line: batches(path, line or 0), cursor=lambda batch: batch.last):
        with database() as db:
            db.executemany(UPSERT, batch.rows)  # a batch that is written twice changes nothing
        running.report_progress(batch.last, note="lines")


def batches(path: str, line: int) -> Iterator[Batch]:
    """Yield what stands behind a line of the file, without ever holding more than a batch of it."""
    with open(path, newline="") as file:
        rows = islice(csv.reader(file), line, None)
        while some := list(islice(rows, ROWS)):
            line += len(some)
            yield Batch(some, line)


if __name__ == "__main__":
    from .app import app

    with app:
        print(import_prices.delay(sys.argv[1]).handler)
