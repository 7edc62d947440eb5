"""The lines of the table, and the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.measure import Rates
from benchmarks.targets import Goal

HEADINGS = ("store", "workload", "backburner", "compared with", "ratio", "target", "met")


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table."""

    name: str
    value: str
    compared: str = ""
    ratio: str = ""
    target: str = ""
    is_met: bool | None = None
    store: str = ""


def line(name: str, value: str, *goals: tuple[Goal | None, float], compared: str = "", ratio: str = "") -> Result:
    """Return a line; it is met when every goal is met by the number beside it. A goal of None is none."""
    there = [(goal, number) for goal, number in goals if goal is not None]
    target = ", ".join(goal.text for goal, _ in there)
    is_met = all(goal.is_met(number) for goal, number in there) if there else None
    return Result(name, value, compared, ratio, target, is_met)


def rate_line(
    name: str, ours: Rates, floors: Mapping[str, Rates], *, share: Goal | None = None, at_least: Goal | None = None
) -> Result:
    """Return a line that compares rates with those of the first floor; the others are shown beside it."""
    rate, ratio = ours.median, ours.in_relation_to(next(iter(floors.values())))
    compared = "; ".join(f"{per_second(floor.median)}: {floor_name}" for floor_name, floor in floors.items())
    return line(name, per_second(rate), (at_least, rate), (share, ratio), compared=compared, ratio=f"{ratio:.0%}")


def per_second(number: float) -> str:
    """Return a rate as it is shown."""
    return f"{number:,.0f}/s"


def print_table(results: Sequence[Result]) -> None:
    """Print results as a Markdown table."""
    rows = [HEADINGS] + [
        (r.store, r.name, r.value, r.compared, r.ratio, r.target, _yes_or_no(r.is_met)) for r in results
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    for row in (rows[0], tuple("-" * width for width in widths), *rows[1:]):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |", flush=True)


def _yes_or_no(is_met: bool | None) -> str:
    return "" if is_met is None else "yes" if is_met else "NO"
