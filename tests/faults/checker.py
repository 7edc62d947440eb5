"""Decides from a history, and from what is in the store at the end, whether a store and its workers keep the promises.

It is Jepsen's checker of queues, with more columns. In each column are the jobs that broke one promise, with what they
did, so that a run is good when all columns are empty. What is allowed and worth knowing is counted: jobs whose enqueuer
never heard that they were stored (recovered), jobs that were performed more than once (repeated).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from backburner.core.ports import MAX_CRASHES
from tests.faults.history import ClaimDetail, Event

LOSSES = frozenset({"kill", "stop", "cut", "server"})
"""Faults after which others may take a worker's jobs."""

HITS = frozenset({"kill", "stop"})
"""Those that hit one process."""

LAST_MOVES = frozenset({"finish", "fail", "cancel"})
COUNTED_MOVES = frozenset({"retry", "fail"})
BY_CRASHES = "WorkerLost"


class Row(NamedTuple):
    """A job as the store has it at the end."""

    job: str
    state: str
    attempts: int = 0
    max_attempts: int = 25
    crashes: int = 0
    error: str = ""
    """The first line of its last error."""


@dataclass(slots=True)
class Story:
    """All events of one job, in the order of time."""

    job: str
    rows: list[Row] = field(default_factory=list)
    events: dict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))

    def moves(self, kind: str, *moves: str) -> list[Event]:
        """Return the settlements of this kind, of certain moves."""
        return [event for event in self.events[kind] if move_of(event) in moves]

    def __str__(self) -> str:
        events = sorted((event for events in self.events.values() for event in events), key=lambda event: event.at)
        told = [f"{event.at:.3f} {event.kind} {event.lease} {event.detail}".rstrip() for event in events]
        return f"{self.job}: {'; '.join(told)} → {self.rows}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run came to."""

    columns: Mapping[str, Sequence[str]]
    """What is wrong, by promise."""
    counts: Mapping[str, int]
    """What is worth knowing."""
    faults: Mapping[str, int]
    """How often each kind of fault happened."""

    @property
    def is_good(self) -> bool:
        """Whether all promises were kept."""
        return not any(self.columns.values())

    @property
    def wrong(self) -> dict[str, list[str]]:
        """The promises that were broken, with a few of the jobs."""
        return {name: list(found[:5]) for name, found in self.columns.items() if found}


Check = Callable[[Story, "Run"], bool]


@dataclass(frozen=True, slots=True)
class Run:
    """What the checks of a job may ask about the whole run."""

    faults: Sequence[Event]
    poison: frozenset[str]
    """Jobs that kill their workers."""
    losses: int
    """How many faults there were after which others may take a worker's jobs."""

    def was_hit(self, pid: int, before: float) -> bool:
        """Say whether a process was killed or stopped before this time, so that others may have its jobs."""
        return any(fault.lease == pid and fault.at <= before for fault in self.faults if fault.detail in HITS)


def check(events: Iterable[Event], rows: Iterable[Row]) -> Verdict:
    """Judge a run by its history and by all the rows that are in the store at the end, history included."""
    stories: dict[str, Story] = {}
    faults = []
    poison = set()
    for event in events:
        if event.kind == "fault":
            faults.append(event)
            if event.job != "-":
                poison.add(event.job)
        if event.job != "-":
            stories.setdefault(event.job, Story(event.job)).events[event.kind].append(event)
    for row in rows:
        stories.setdefault(row.job, Story(row.job)).rows.append(row)
    run = Run(faults, frozenset(poison), sum(fault.detail in LOSSES for fault in faults))
    columns = {name: [str(story) for story in stories.values() if is_wrong(story, run)] for name, is_wrong in CHECKS}
    columns["order"] = list(_out_of_order(stories.values()))
    return Verdict(columns, _counts(stories.values()), _tally(fault.detail for fault in faults))


def is_lost(story: Story, _: Run) -> bool:
    """It was stored and is not there, or it is called performed and never was."""
    if not story.rows:
        return bool(story.events["enqueued"])
    was_performed = any(event.detail == "ok" for event in story.events["ended"])
    return any(row.state == "succeeded" for row in story.rows) and not was_performed


def is_unexpected(story: Story, _: Run) -> bool:
    """It is there, or was performed, although nobody made it, or whoever made it took it back."""
    is_there = bool(story.rows or story.events["started"] or story.events["claimed"])
    return is_there and (not story.events["enqueuing"] or bool(story.events["withdrawn"]))


def is_in_two_places(story: Story, _: Run) -> bool:
    """It is in the table and in history, or twice in one of them."""
    return len(story.rows) > 1


def is_finished_twice(story: Story, _: Run) -> bool:
    """More than one settlement was applied that ends it for good."""
    return len(story.moves("applied", *LAST_MOVES)) > 1


def is_finished_by_stale_worker(story: Story, _: Run) -> bool:
    """A settlement was applied that was sent when a later claim was known to have the job.

    Later is one that was sent when the reply to the other had been read. By the replies alone nobody can say: one of
    them may have waited for a process that stood still.
    """
    claims = {event.lease: event for event in story.events["claimed"]}
    return any(
        claims[event.lease].at < ClaimDetail.of(claim).sent and claim.at < sent_at(event)
        for event in story.events["applied"]
        if event.lease in claims
        for claim in claims.values()
    )


def is_settled_twice(story: Story, _: Run) -> bool:
    """Two settlements were applied under one lease."""
    leases = [event.lease for event in story.events["applied"]]
    return len(leases) != len(set(leases))


def overlaps(story: Story, run: Run) -> bool:
    """It was begun while another process performed it that had neither been killed nor stopped.

    Who only loses connections, or the server, is back before its lease has ended, or waits until it may.
    """
    ends = {event.lease: event.at for event in story.events["ended"]}
    return any(
        ends.get(first.lease, float("inf")) > second.at and not run.was_hit(first.pid, second.at)
        for first, second in pairwise(story.events["started"])
    )


def has_wrong_attempts(story: Story, _: Run) -> bool:
    """Its attempts are more than it may have, or not those that were counted."""
    counted = len(story.moves("applied", *COUNTED_MOVES))
    in_doubt = len(story.moves("unanswered", *COUNTED_MOVES)) + len(_without_settlement(story))
    return any(
        row.attempts > row.max_attempts or not counted <= row.attempts <= counted + in_doubt for row in story.rows
    )


def has_wrong_crashes(story: Story, run: Run) -> bool:
    """It ran more often than a job may that crashes its workers, or crashes were counted that never were."""
    if story.job in run.poison and len(story.events["started"]) > MAX_CRASHES:
        return True
    return any(row.crashes > min(MAX_CRASHES, run.losses) for row in story.rows)


def has_failed_without_reason(story: Story, _: Run) -> bool:
    """It is called failed, and did not fail often enough, and did not give up, and did not crash too many workers."""
    return any(row.state == "failed" and not _has_reason(story, row) for row in story.rows)


def is_left(story: Story, _: Run) -> bool:
    """It is still to be done, or in the hands of somebody who is not there."""
    return any(row.state in ("queued", "running", "blocked") for row in story.rows)


CHECKS: tuple[tuple[str, Check], ...] = (
    ("lost", is_lost),
    ("unexpected", is_unexpected),
    ("in two places", is_in_two_places),
    ("double finish", is_finished_twice),
    ("double settlement", is_settled_twice),
    ("stale finish", is_finished_by_stale_worker),
    ("overlap", overlaps),
    ("attempts", has_wrong_attempts),
    ("crashes", has_wrong_crashes),
    ("phantom failure", has_failed_without_reason),
    ("left", is_left),
)


def move_of(event: Event) -> str:
    """Return the move of a settlement."""
    return event.detail.partition(" ")[0]


def sent_at(event: Event) -> float:
    """Return when a settlement was sent."""
    return float(event.detail.partition(" ")[2])


def _without_settlement(story: Story) -> list[Event]:
    """Return the starts after which nobody could say any more how their settlement went."""
    settled = {event.lease for kind in ("applied", "refused", "unanswered") for event in story.events[kind]}
    return [event for event in story.events["started"] if event.lease not in settled]


def _has_reason(story: Story, row: Row) -> bool:
    if row.error.startswith(BY_CRASHES):
        return row.crashes >= MAX_CRASHES
    ends = [event.detail for event in story.events["ended"]]
    return "gave up" in ends or (row.attempts >= row.max_attempts and ends.count("failed") >= row.max_attempts)


def _out_of_order(stories: Iterable[Story]) -> Iterator[str]:
    """Yield what was claimed in another order than by priority, time and id, or begun in another one than claimed.

    The first holds for each claim, the second for workers that perform one job at a time.
    """
    claims: dict[int, list[Event]] = defaultdict(list)
    starts: dict[int, list[Event]] = defaultdict(list)
    for story in stories:
        for event in story.events["claimed"]:
            claims[event.lease].append(event)
        for event in story.events["started"]:
            starts[event.lease].append(event)
    for lease, claimed in claims.items():
        place = {event.job: _place(event) for event in claimed}
        begun = [place[event.job] for event in sorted(starts[lease], key=lambda event: event.at) if event.job in place]
        if _place_in_reply(claimed) != sorted(_place_in_reply(claimed)):
            yield f"lease {lease}: claimed {[event.job for event in claimed]} in another order than they are due"
        elif ClaimDetail.of(claimed[0]).seats == 1 and begun != sorted(begun):
            yield f"lease {lease}: began {begun}, in another order than it had claimed"


def _place_in_reply(claimed: Sequence[Event]) -> list[tuple[int, int, str]]:
    in_reply = sorted(claimed, key=lambda event: ClaimDetail.of(event).place)
    return [_place(event) for event in in_reply]


def _place(claim: Event) -> tuple[int, int, str]:
    detail = ClaimDetail.of(claim)
    return detail.priority, detail.run_at, claim.job


def _counts(stories: Iterable[Story]) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for story in stories:
        events = story.events
        counts["jobs"] += bool(events["enqueued"])
        counts["recovered"] += bool(story.rows and events["enqueuing"] and not events["enqueued"])
        counts["repeated"] += sum(event.detail == "ok" for event in events["ended"]) > 1
        counts["refused"] += len(events["refused"])
        counts["given up for crashes"] += any(row.error.startswith(BY_CRASHES) for row in story.rows)
        for row in story.rows:
            counts[row.state] += 1
    return dict(counts)


def _tally(names: Iterable[str]) -> dict[str, int]:
    tally: dict[str, int] = defaultdict(int)
    for name in names:
        tally[name] += 1
    return dict(tally)
