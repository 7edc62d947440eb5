"""`backburner workers`: list workers."""

from __future__ import annotations

from argparse import Namespace
from datetime import datetime

from backburner.cli import exits, output
from backburner.cli.apps import opened_app
from backburner.cli.arguments import add_json
from backburner.cli.command import Command
from backburner.cli.json_forms import iso, worker_form
from backburner.cli.liveness import is_lost
from backburner.cli.phrases import age
from backburner.cli.tables import Column, Row, say_table
from backburner.core.ports import WorkerInfo

COLUMNS = (
    Column("NAME"),
    Column("QUEUES", may_be_cut=True),
    Column("RUNNING", is_number=True),
    Column("AT ONCE", is_number=True),
    Column("STARTED", may_be_missing=True),
    Column("HEARD OF"),
)


def run(options: Namespace) -> int:
    """List the workers."""
    with opened_app(options) as app:
        workers = app.store.run(app.store.workers())
        now, lease = app.store.now(), app.settings.lease
    if options.json:
        output.say_json([worker_form(worker, is_lost=is_lost(worker, now, lease)) for worker in workers])
    else:
        rows = [_row(worker, now, is_lost(worker, now, lease)) for worker in workers]
        say_table(COLUMNS, rows, when_empty="no workers")
    return exits.DONE


def _row(worker: WorkerInfo, now: datetime, lost: bool) -> Row:
    queues = "all" if worker.queues is None else ",".join(worker.queues)
    started, beat = worker.started_at or now, worker.beat_at or now
    heard = f"{age(beat, now)}, lost" if lost else age(beat, now)
    plain = (worker.host, worker.pid, "lost" if lost else "alive", iso(worker.started_at), iso(worker.beat_at))
    return Row(
        shown=(worker.name, queues, worker.running, worker.concurrency, age(started, now), heard),
        plain=(worker.name, queues, worker.running, worker.concurrency, *plain),
    )


COMMAND = Command(
    about="""\
List the workers: which queues they serve, how many jobs they perform just now and may perform at once, when they
started and were last heard of. One that is not heard of for the lease (30 s) is lost; live workers rescue its jobs.
Piped: name, queues, running, at once, host, pid, alive or lost, started, heard of, with tabs between them.""",
    examples=(
        ("backburner workers", ""),
        ("backburner workers --json | jq '.[] | select(.is_lost)'", "those that are lost"),
    ),
    add_arguments=add_json,
    run=run,
)
