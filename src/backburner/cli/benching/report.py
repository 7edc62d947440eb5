"""What was measured, in figures and in plain words."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from backburner.cli import output
from backburner.cli.benching.measures import Latency, Rate
from backburner.cli.phrases import count
from backburner.cli.tables import Column, Row, say_table

COLUMNS = (
    Column("MEASURED"),
    Column("JOBS", is_number=True),
    Column("JOBS/S", is_number=True),
    Column("EACH", is_number=True),
)


@dataclass(slots=True)
class Report:
    """The figures; None for what could not be measured, with the reason in `not_measured`."""

    url: str
    queue: str
    enqueue: Rate | None = None
    bulk: Rate | None = None
    drain: Rate | None = None
    latency: Latency | None = None
    not_measured: dict[str, str] = field(default_factory=dict)

    def say(self) -> None:
        """Write a table, and to people what the figures mean."""
        say_table(COLUMNS, [_row(name, measured) for name, measured in self._measured()], "nothing was measured")
        if output.is_terminal():
            output.say("")
            for sentence in self._sentences():
                output.say(sentence)

    def say_json(self) -> None:
        """Write all of it as JSON; times in seconds."""
        rates = {name: _form(getattr(self, name)) for name in ("enqueue", "bulk", "drain")}
        latency = None if self.latency is None else asdict(self.latency)
        output.say_json(
            {"url": self.url, "queue": self.queue, **rates, "latency": latency, "not_measured": self.not_measured}
        )

    def _measured(self) -> list[tuple[str, Rate | Latency]]:
        named = (("enqueue", self.enqueue), ("bulk", self.bulk), ("drain", self.drain), ("latency", self.latency))
        return [(name, measured) for name, measured in named if measured is not None]

    def _sentences(self) -> list[str]:
        said = []
        if self.enqueue is not None:
            said.append(
                f"enqueue: one job, committed, takes {_milliseconds(self.enqueue.each)}: "
                "that bounds what one process enqueues one by one."
            )
        if self.bulk is not None and self.enqueue is not None:
            times = self.bulk.per_second / self.enqueue.per_second
            said.append(f"bulk: in a block of `bulk()` jobs are enqueued {times:,.1f} times as fast.")
        if self.drain is not None:
            each = _milliseconds(self.drain.each)
            said.append(f"drain: one worker needs {each} for a job that does nothing; your own work comes on top.")
        if self.latency is not None:
            median, slowest = _milliseconds(self.latency.median), _milliseconds(self.latency.slowest)
            said.append(f"latency: an idle worker starts half of the jobs within {median}, all within {slowest}.")
        return said


def question(url: str, queue: str, jobs: int) -> str:
    """Return what is asked before anything is written."""
    return f"Write about {count(jobs, 'job')} that do nothing into the queue {queue} of {url}, and delete them again?"


def _row(name: str, measured: Rate | Latency) -> Row:
    if isinstance(measured, Latency):
        each = _milliseconds(measured.median)
        return Row((name, f"{measured.jobs:,}", None, each), (name, measured.jobs, None, f"{measured.median:.6f}"))
    plain = (name, measured.jobs, f"{measured.per_second:.1f}", f"{measured.each:.6f}")
    return Row((name, f"{measured.jobs:,}", f"{measured.per_second:,.0f}", _milliseconds(measured.each)), plain)


def _form(rate: Rate | None) -> dict[str, Any] | None:
    return None if rate is None else {"jobs": rate.jobs, "seconds": rate.seconds, "per_second": rate.per_second}


def _milliseconds(seconds: float) -> str:
    digits = 3 if seconds < 0.0001 else 2 if seconds < 0.01 else 0
    return f"{seconds * 1000:.{digits}f} ms"
