"""`backburner queues list`: list queues and what is in them."""

from __future__ import annotations

from argparse import Namespace
from datetime import datetime

from backburner.cli import exits, output
from backburner.cli.apps import opened_app
from backburner.cli.arguments import add_json
from backburner.cli.command import Command
from backburner.cli.json_forms import iso, queue_form
from backburner.cli.phrases import age
from backburner.cli.tables import Column, Row, say_table
from backburner.core.lifecycle import State
from backburner.core.ports import QueueInfo

COUNTED = (State.QUEUED, State.RUNNING, State.BLOCKED, State.FAILED)

COLUMNS = (
    Column("NAME", may_be_cut=True),
    Column("QUEUED", is_number=True),
    Column("RUNNING", is_number=True),
    Column("BLOCKED", is_number=True, may_be_missing=True),
    Column("FAILED", is_number=True),
    Column("OLDEST DUE"),
    Column("PAUSED"),
)


def run(options: Namespace) -> int:
    """List the queues."""
    with opened_app(options) as app:
        queues = app.store.run(app.store.queues())
        now = app.store.now()
    if options.json:
        output.say_json([queue_form(queue) for queue in queues])
    else:
        say_table(COLUMNS, [_row(queue, now) for queue in queues], when_empty="no queues: there are no jobs")
    return exits.DONE


def _row(queue: QueueInfo, now: datetime) -> Row:
    counts = [queue.counts.get(state, 0) for state in COUNTED]
    oldest = queue.oldest_due
    return Row(
        shown=(queue.name, *counts, "" if oldest is None else age(oldest, now), "paused" if queue.paused else ""),
        plain=(queue.name, *counts, iso(oldest), "paused" if queue.paused else "active"),
    )


COMMAND = Command(
    about="""\
List the queues that have jobs or are paused, how many of their jobs are in each state (those for later are queued too),
and since when the oldest due one waits.
Piped: name, queued, running, blocked, failed, oldest due, active or paused, with tabs between them.""",
    examples=(
        ("backburner queues list", ""),
        ("backburner queues list --json | jq 'map(.queued) | add'", "how many jobs wait in all"),
    ),
    add_arguments=add_json,
    run=run,
)
