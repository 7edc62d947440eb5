"""Measure what others do with the same work: `python -m benchmarks.peers [--peer NAME …] [--jobs N]`."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Sequence
from textwrap import shorten

from benchmarks.peers.catalogue import OURS, PEERS, Peer
from benchmarks.peers.places import Places
from benchmarks.peers.turn import Turn, take_turn
from benchmarks.results import per_second

HEADINGS = ("library", "version", "jobs in", "enqueue, one by one", "drain, one worker", "the worker performs")

LONGEST_REASON = 100


def main() -> int:
    """Measure, print the table; exit with 1 when something could not be measured."""
    arguments = _arguments()
    peers = [PEERS[name] for name in arguments.peer or PEERS]
    say(f"{time.strftime('%Y-%m-%d')}, Python {platform.python_version()}, {platform.machine()}, load {_load()}")
    say(f"{arguments.jobs:,} jobs, or as many as {arguments.seconds:g} s allow; best of {arguments.turns} turns")
    with Places() as places:
        measuring = Measuring(places, arguments.jobs, arguments.seconds)
        for turn in range(arguments.turns):
            say(f"turn {turn + 1}")
            for peer in peers:
                measuring.take_turn(peer)
        say(f"load {_load()}")
        for place in dict.fromkeys(peer.place for peer in peers if peer.name in measuring.turns):
            say(f"{place}: {places.described(place)}")
    print()
    print_table([measuring.row(peer) for peer in peers])
    return 1 if measuring.failures else 0


class Measuring:
    """The turns that were taken, and who could not take theirs."""

    def __init__(self, places: Places, jobs: int, seconds: float) -> None:
        self._places = places
        self._jobs = jobs
        self._seconds = seconds
        self.turns: dict[str, list[Turn]] = {}
        self.failures: dict[str, str] = {}

    def take_turn(self, peer: Peer) -> None:
        """What goes wrong with one must not cost the others."""
        if peer.name in self.failures:
            return
        try:
            say(f"  {peer.name} {peer.version}")
            turn = take_turn(peer, self._places, self._jobs, self._seconds)
        except Exception as error:  # not installed, a server is missing, its worker ended: whatever it is, it is told
            self._fail(peer, f"{type(error).__name__}: {' '.join(str(error).split())}")
        else:
            say(f"    enqueue {per_second(turn.enqueued)}, drain {per_second(turn.drained)}")
            self.turns.setdefault(peer.name, []).append(turn)

    def row(self, peer: Peer) -> tuple[str, ...]:
        """Return the line of the table: the best of the turns, for enqueueing and draining each."""
        library = f"**{peer.name}**" if peer.package == OURS else peer.name
        if peer.name in self.failures:
            reason = shorten(self.failures[peer.name], LONGEST_REASON, placeholder=" …")
            return (library, "", peer.place, f"NOT MEASURED: {reason}", "", "")
        turns = self.turns[peer.name]
        best = max(turn.enqueued for turn in turns), max(turn.drained for turn in turns)
        return (library, peer.version, peer.place, *map(per_second, best), peer.remark)

    def _fail(self, peer: Peer, reason: str) -> None:
        print(f"NOT MEASURED: {peer.name}: {reason}", file=sys.stderr, flush=True)
        self.failures[peer.name] = reason


def print_table(rows: Sequence[tuple[str, ...]]) -> None:
    """Print it as Markdown."""
    for row in (HEADINGS, ("---",) * len(HEADINGS), *rows):
        print(f"| {' | '.join(row)} |")


def say(text: str) -> None:
    """Say at once what is going on."""
    print(text, flush=True)


def _load() -> str:
    return f"{os.getloadavg()[0]:.2f}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description="Measure others, and ours.")
    parser.add_argument(
        "--peer", action="append", choices=PEERS, metavar="NAME", help=f"any of {', '.join(PEERS)}; may be repeated"
    )
    parser.add_argument("--jobs", type=int, default=10_000, metavar="N", help="in each turn (default: 10,000)")
    parser.add_argument("--turns", type=int, default=3, metavar="N", help="the best counts (default: 3)")
    parser.add_argument("--seconds", type=float, default=5, metavar="S", help="for each at most (default: 5)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
