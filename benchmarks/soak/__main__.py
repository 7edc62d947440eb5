"""Soak the stores: `python -m benchmarks.soak [--store sqlite] [--minutes 60] [--seed N]`, or `make soak`."""

from __future__ import annotations

import argparse
import secrets
import sys

from benchmarks.soak.ground import STORES
from benchmarks.soak.soak import Outcome, soak


def main() -> int:
    """Soak each store; exit with 1 when a promise was broken, or when a fault that was to happen never did."""
    arguments = _arguments()
    is_good = True
    for store in arguments.store or STORES:
        print(f"{store}: {arguments.minutes:g} minutes, --seed {arguments.seed}", flush=True)
        outcome = soak(store, arguments.minutes * 60, arguments.seed)
        print(described(outcome), flush=True)
        is_good = is_good and outcome.is_good
    return 0 if is_good else 1


def described(outcome: Outcome) -> str:
    """Return what a soak came to: a line, and behind it what was wrong."""
    verdict = outcome.verdict
    columns = ", ".join(f"{name} {len(found)}" for name, found in verdict.columns.items())
    faults = ", ".join(f"{name} {number}" for name, number in sorted(verdict.faults.items()))
    counts = ", ".join(f"{name} {number}" for name, number in sorted(verdict.counts.items()))
    result = "GOOD" if outcome.is_good else "INVALID" if verdict.is_good else "BROKEN"
    lines = [
        f"{outcome.store}: {result} in {outcome.seconds:.0f} s, --seed {outcome.seed} | {columns} | {faults} | {counts}"
    ]
    lines += [f"  never happened: {name}" for name in sorted(outcome.missing)]
    lines += [f"  {name}: {story}" for name, found in verdict.wrong.items() for story in found]
    return "\n".join(lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description="Let everything go wrong for long.")
    parser.add_argument("--store", action="append", choices=STORES, help="default: all; may be repeated")
    parser.add_argument("--minutes", type=float, default=60.0, help="for each store (default: 60)")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1 << 32), help="repeats what happened by chance")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
