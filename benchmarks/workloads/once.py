"""Whether every job is performed, and none twice."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path

from backburner import Backburner
from benchmarks import jobs
from benchmarks.bench import Bench
from benchmarks.processes import Order, drain
from benchmarks.results import Result, per_second


def once_each(bench: Bench) -> list[Result]:
    """Let four processes perform jobs that note their numbers."""
    count = bench.size(bench.targets.sizes.once)
    with bench.database.fresh() as place:
        folder = place.folder / "seen"
        folder.mkdir()
        _enqueue(place.app, count, folder)
        done = drain(Order(place.url), workers=4)
        seen = Counter(said for file in folder.iterdir() for said in file.read_text().split())
    lost, twice = count - len(seen), sum(times > 1 for times in seen.values())
    value = f"{lost} lost, {twice} twice, {per_second(done.rate)}"
    is_met = (lost, twice) == (0, 0)
    return [
        Result(f"4 processes, {count:,} jobs", value, f"{count:,} enqueued", target="0 lost, 0 twice", is_met=is_met)
    ]


def _enqueue(app: Backburner, count: int, folder: Path) -> None:
    enqueue = partial(app.delay(jobs.note_number), folder=str(folder))
    with app.bulk():
        for number in range(count):
            enqueue(number)
