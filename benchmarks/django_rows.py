"""Measure an enqueue in a transaction of Django's: `python -m benchmarks.django_rows --store postgres`.

It is compared with a `bulk_create` of one row in the table of jobs. A process of its own for each store, as Django is
configured once.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

from backburner import Backburner
from benchmarks import jobs
from benchmarks.databases.base import new_id
from benchmarks.databases.stores import STORES, database_at
from benchmarks.measure import alternating, rate
from tests.servers.django_settings import entry_for

TURNS = 15

NOW = 1_700_000_000_000_000


def main() -> int:
    """Print how much longer an enqueue takes than a bare row, both with the transaction around them."""
    arguments = _arguments()
    with database_at(arguments.store, None, 1.0) as database, database.fresh() as place:
        _configure(place.url)
        ours, floor = _measured(place.app, arguments.count)
    cost = floor.in_relation_to(ours)
    print(f"{database.name}: {ours.median:,.0f}/s, {cost:.2f} × the time of bulk_create ({floor.median:,.0f}/s)")
    return 0


def _measured(app: Backburner, count: int) -> tuple[Any, Any]:
    model = _bare_model()
    rows = model._base_manager.using("default")

    def enqueue() -> None:
        app.delay(jobs.noop, connection="default")(1)

    def create() -> None:
        rows.bulk_create([model(**_columns())])

    app.migrate()
    ours, floor = alternating(
        lambda: rate(count, lambda: _transactions(count, enqueue)),
        lambda: rate(count, lambda: _transactions(count, create)),
        rounds=TURNS,
    )
    return ours, floor


def _bare_model() -> Any:
    """Return a model of the table of jobs, with the columns that a new row needs."""
    from django.db import models

    from backburner.integrations.django.models import JobRow

    class Row(JobRow):
        keep_failed = models.BooleanField()
        discard_missing = models.BooleanField()

        class Meta:
            managed = False
            db_table = "backburner_jobs"
            app_label = "benchmarks"

    return Row


def _transactions(count: int, write: Callable[[], object]) -> None:
    from django.db import transaction

    for _ in range(count):
        with transaction.atomic():
            write()


def _columns() -> dict[str, Any]:
    """Return the columns of a job that does nothing."""
    return {
        "id": new_id(),
        "name": "noop",
        "queue": "default",
        "priority": 0,
        "run_at": NOW,
        "state": "queued",
        "attempts": 0,
        "max_attempts": 25,
        "crashes": 0,
        "created_at": NOW,
        "keep_failed": True,
        "discard_missing": False,
        "handler": '{"v":1,"call":{"function":"benchmarks.jobs:noop","args":[1]}}',
    }


def _configure(url: str) -> None:
    """Let Django's default database be that of the URL."""
    import django
    from django.conf import settings

    settings.configure(
        DATABASES={"default": entry_for(url)}, INSTALLED_APPS=["backburner.integrations.django"], USE_TZ=True
    )
    django.setup()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.django_rows", description=__doc__.splitlines()[0])
    parser.add_argument("--store", choices=list(STORES), default="sqlite")
    parser.add_argument("--count", type=int, default=200, help="transactions in each of the turns")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
