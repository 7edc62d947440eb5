"""Claiming: the beginning of the line is locked and read, then all that is claimed leaves it for one lease."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby, takewhile
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from backburner.core.errors import StoreUnavailable
from backburner.core.job import Job
from backburner.core.lifecycle import Move, State
from backburner.core.ops import BEGIN, Op, Reply, Statement, renewable
from backburner.core.ports import UNSEEN, Claimed, ClaimRequest, Settlement
from backburner.core.times import from_micros, to_micros
from backburner.stores.sql.claims import Claims
from backburner.stores.sql.mysql.changing import Changing
from backburner.stores.sql.mysql.finishing import Finishing
from backburner.stores.sql.mysql.lines import BEFORE_ALL, FOREVER, Front, Key, Line, Look
from backburner.stores.sql.mysql.settling import parted
from backburner.stores.sql.mysql.together import Together
from backburner.stores.sql.rows import Row
from backburner.stores.sql.transactions import End
from backburner.stores.sql.wishes import Place, Wish

PAUSE = 100_000
"""Microseconds to leave jobs alone that are due and in somebody else's hands."""

UNCHANGED = (0, 1, 0, None, None, 0, 0, None)
"""What `rest` stands for when it is NULL: see the statement `just_held`."""

COMMITTED = Together((), ends=True)


J = TypeVar("J", Job[Any], "Due")


class Due(NamedTuple):
    """A job that is due and locked for this claim."""

    run_at: int
    id: bytes
    crashes: int
    now: int
    """By the clock that decides what is due."""
    place: Place

    @property
    def key(self) -> Key:
        return self.run_at, self.id


class Batch(NamedTuple):
    """What was claimed."""

    jobs: list[Job[Any]]
    """In order."""
    next_due: datetime | None = None
    """As in `Claimed`."""
    is_closed: bool = False
    """Whether nothing may be held beside these."""


class Claiming(Changing, Claims):
    """The part of the `JobStore` port that gives jobs out."""

    @renewable
    def claim(self, request: ClaimRequest, settlements: Sequence[Settlement] = ()) -> Op[Claimed]:
        try:
            claimed = yield from self._repeat_or_claim(request, settlements)
        except BaseException:
            self._forget()  # what was claimed may not be, after all
            raise
        if claimed.jobs:
            self.activity.note_work()
        return claimed

    @renewable
    def claim_one(self, job_id: UUID, lease: int, worker_name: str) -> Op[Job[Any]]:
        yield BEGIN
        yield from self._caught(job_id, Move.CLAIM)
        hold = self._statement("hold", lease, worker_name, self._moment(), self._ids([job_id]))
        replies: list[Reply] = yield Together([hold, self._statement("get_job", job_id.bytes)], ends=True)
        return self._job(replies[1].rows[0])

    def _repeat_or_claim(self, request: ClaimRequest, settlements: Sequence[Settlement]) -> Op[Claimed]:
        if request.repeats:
            jobs = yield from self._held_under(request.lease)
            if jobs:
                yield from self.settle(settlements)
                return Claimed(jobs, [], None)
        if request.limit == 0:
            lost = yield from self.settle(settlements)
            return Claimed([], lost, None)
        claimed = yield from self._settle_and_claim(request, settlements)
        return claimed

    def _settle_and_claim(self, request: ClaimRequest, settlements: Sequence[Settlement]) -> Op[Claimed]:
        if not settlements and self._line_for(Wish.of(request)) is None:
            # A look writes nothing, and for an idle worker that is all there is to do.
            look = yield from self._look(Wish.of(request))
            if not look.due:
                return Claimed([], [], _moment(look.first))
        yield BEGIN
        finishing, others = parted(settlements)
        lost = yield from self._settle_others(others)
        batch = yield from self._claim_next(request, finishing)
        return Claimed(batch.jobs, lost + finishing.lost, batch.next_due)

    def _line_for(self, wish: Wish) -> Line | None:
        return self._lines.recall(wish, to_micros(self.now()))

    def _claim_next(self, request: ClaimRequest, finishing: Finishing) -> Op[Batch]:
        """Claim from the line that is known; if that does not give enough, from all that there is."""
        line = self._line_for(Wish.of(request))
        if line is None:
            batch = yield from self._claim_with_a_look(request, finishing)
            return batch
        is_careful = line.is_careful and request.limit > 1
        first = replace(request, limit=1) if is_careful else request
        batch = yield from self._claim_from_line(first, line, finishing)
        if is_careful and any(job.crashes for job in batch.jobs):
            return Batch(batch.jobs, UNSEEN)
        if len(batch.jobs) == request.limit or batch.is_closed:
            return batch
        more = yield from self._after(batch, replace(request, limit=request.limit - len(batch.jobs)))
        return more

    def _claim_from_line(self, request: ClaimRequest, line: Line, finishing: Finishing) -> Op[Batch]:
        """Claim and commit in one round trip, without knowing beforehand what there is."""
        lines = self._lines
        moment = self._moment()
        begin, queue = line.begin, line.place[0]
        held = (request.lease, request.worker_name)
        statements = [
            self._statement("hold_next", *held, moment, *line.place, *begin, begin[0], moment, queue, request.limit),
            self._statement("just_held", request.lease),
            self._statement("held_leave_line", request.lease),
        ]
        replies = yield from self._along(finishing, statements, ends=True, is_slow=True)
        jobs = self._claimed_jobs(replies[1].rows, request)
        is_full = len(jobs) == request.limit
        lines.note(Wish.of(request), _line_behind(jobs[-1], line) if is_full else None)
        batch = Batch(jobs)
        if request.limit > 1 and any(job.crashes for job in jobs):
            batch = yield from self._without_company(jobs, request)
        return batch

    def _without_company(self, jobs: list[Job[Any]], request: ClaimRequest) -> Op[Batch]:
        """Give back what must not be held together with a job that crashed a worker, and what stands behind it."""
        chosen = _before_suspect(jobs)
        back = [Settlement(job.id, request.lease, Move.RELEASE) for job in jobs[len(chosen) :]]
        try:
            yield BEGIN
            yield from self._settle_others(back)
            yield COMMITTED
        except StoreUnavailable:
            yield End.ROLLBACK
            return Batch(jobs, UNSEEN, is_closed=True)  # nobody else performs what is held here
        look = yield from self._look(Wish.of(request))
        return Batch(chosen, _moment(look.first), is_closed=True)

    def _after(self, batch: Batch, rest: ClaimRequest) -> Op[Batch]:
        """Look for more in a transaction of its own. What was claimed is committed, so that this must not fail."""
        try:
            yield BEGIN
            more = yield from self._claim_with_a_look(rest, Finishing(), has_company=bool(batch.jobs))
        except StoreUnavailable:
            yield End.ROLLBACK
            return batch._replace(next_due=UNSEEN)
        return Batch(sorted([*batch.jobs, *more.jobs], key=_order), more.next_due)

    def _claim_with_a_look(
        self, request: ClaimRequest, finishing: Finishing, *, has_company: bool = False
    ) -> Op[Batch]:
        """Look at everything, claim what is next, and remember where to go on. `has_company`: jobs are held already."""
        lines, wish = self._lines, Wish.of(request)
        yield from self._along(finishing, [])
        look = yield from self._look(wish)
        found = yield from self._first_due(look, request.limit)
        chosen = _before_suspect(found, may_be_alone=not has_company)
        is_full = len(chosen) == request.limit
        jobs = yield from self._hold(chosen, request, ends=is_full)
        lines.note(wish, _line_after(look, chosen, is_careful=any(due.crashes for due in found)))
        if is_full:
            return Batch(jobs)
        look = yield from self._look(wish)
        yield COMMITTED
        if look.due and not chosen and not has_company:
            return Batch([], from_micros(look.now + PAUSE))  # others are just claiming what was seen
        return Batch(jobs, _moment(look.first))

    def _first_due(self, look: Look, limit: int) -> Op[list[Due]]:
        """Lock the jobs that are next, at most so many, in order."""
        found: list[Due] = []
        for fronts in _by_priority(look.due):
            found += yield from self._first_of(fronts, limit - len(found))
            if len(found) == limit:
                break
        return found

    def _first_of(self, fronts: Iterable[Front], limit: int) -> Op[list[Due]]:
        """Merge the queues of one priority."""
        found: list[Due] = []
        until = FOREVER
        for front in sorted(fronts, key=lambda front: front.run_at):
            if front.run_at > until:
                break
            more = yield from self._due_from((front.queue, front.priority), BEFORE_ALL, until, limit)
            found = sorted([*found, *more])[:limit]
            if len(found) == limit:
                until = found[-1].run_at  # later than the last of these nothing is wanted from the queues that follow
        return found

    def _due_from(self, place: Place, begin: Key, until: int, limit: int) -> Op[list[Due]]:
        """Lock the jobs that are due in one front, from a place on."""
        moment = self._moment()
        reply: Reply = yield self._statement(
            "due_keys", moment, *place, *begin, begin[0], moment, until, place[0], limit
        )
        return [Due(run_at, job_id, crashes, now, place) for run_at, job_id, crashes, now in reply.rows]

    def _hold(self, chosen: list[Due], request: ClaimRequest, *, ends: bool) -> Op[list[Job[Any]]]:
        """Hold locked jobs, which leave the line; `ends`: and commit."""
        if not chosen:
            return []
        ids = self._dialect.list_value(due.id for due in chosen)
        statements = [
            self._statement("hold", request.lease, request.worker_name, chosen[0].now, ids),
            self._statement("just_held", request.lease),
            self._statement("held_leave_line", request.lease),
        ]
        replies: list[Reply] = yield Together(statements, ends)
        wanted = {due.id for due in chosen}
        return self._claimed_jobs([row for row in replies[1].rows if row[0] in wanted], request)

    def _claimed_jobs(self, rows: Sequence[Row], request: ClaimRequest) -> list[Job[Any]]:
        """Return jobs of rows of the statement `just_held`, in order."""
        return sorted(self._jobs(_live_row(row, request) for row in rows), key=_order)

    def _look(self, wish: Wish) -> Op[Look]:
        """Look at the beginning of every front: a step for each."""
        starts = (
            [self._statement("first_front")]
            if wish.queues is None
            else [self._statement("first_front_of", queue) for queue in dict.fromkeys(wish.queues)]
        )
        replies: list[Reply] = yield Together(
            [self._statement("time", self._moment()), self._statement("paused_queues"), *starts]
        )
        paused = {row[0] for row in replies[1].rows}
        fronts: list[Front] = []
        for reply in replies[2:]:
            fronts += yield from self._fronts_from(reply, within_queue=wish.queues is not None)
        fitting = [front for front in fronts if wish.fits(front.queue, front.priority) and front.queue not in paused]
        return Look(fitting, replies[0].rows[0][0])

    def _fronts_from(self, reply: Reply, *, within_queue: bool) -> Op[list[Front]]:
        """Return the front that a reply gives, and all that follow it."""
        fronts = []
        while reply.rows:
            queue, priority, run_at = reply.rows[0]
            fronts.append(Front(queue.decode(), priority, run_at))
            reply = yield self._front_after(queue, priority, within_queue=within_queue)
        return fronts

    def _front_after(self, queue: bytes, priority: int, *, within_queue: bool) -> Statement:
        if within_queue:
            return self._statement("front_of_after", queue, priority)
        return self._statement("front_after", queue, queue, priority)

    def _next_due(self, request: ClaimRequest) -> Op[datetime | None]:
        look = yield from self._look(Wish.of(request))
        return _moment(look.first)


def _by_priority(fronts: Sequence[Front]) -> Iterator[list[Front]]:
    """Yield the fronts of each priority, the lowest number first."""
    ordered = sorted(fronts, key=lambda front: front.priority)
    for _, same in groupby(ordered, key=lambda front: front.priority):
        yield list(same)


def _before_suspect(jobs: list[J], *, may_be_alone: bool = True) -> list[J]:
    """Return what is to be claimed: a job that crashed a worker comes alone, and nobody overtakes it."""
    unsuspected = list(takewhile(lambda job: job.crashes == 0, jobs))
    return jobs[:1] if may_be_alone and not unsuspected else unsuspected


def _line_after(look: Look, chosen: list[Due], *, is_careful: bool) -> Line | None:
    """Return where the next claim may go on without a look, if all that was chosen came from the first front alone."""
    if not chosen:
        return None
    line = look.line(chosen[-1].key)
    if line is None or {due.place for due in chosen} != {line.place}:
        return None
    return line._replace(is_careful=is_careful)


def _line_behind(last: Job[Any], line: Line) -> Line:
    """Return where to go on in a line behind this job: carefully, until one comes that has crashed nobody."""
    return line._replace(begin=_key(last), is_careful=line.is_careful and last.crashes > 0)


def _live_row(row: Row, request: ClaimRequest) -> Row:
    """Return the columns `live` of a job that was just claimed."""
    job_id, name, handler, queue, numbers, rest = row
    priority, run_at, created_at, max_attempts, locked_at, *limit = map(int, numbers.split())
    max_run_time = limit[0] if limit else None
    said = UNCHANGED if rest is None else json.loads(rest)
    attempts, keep_failed, discard_missing, tags, progress, crashes, cancel_requested, last_error = said
    return (
        job_id, name, handler, queue, priority, run_at, created_at, attempts, max_attempts, max_run_time, keep_failed,
        discard_missing, tags, request.worker_name, locked_at, progress, crashes, cancel_requested,
        State.RUNNING.value, last_error, None, request.lease, None, None,
    )  # fmt: skip


def _order(job: Job[Any]) -> tuple[int, datetime, int]:
    return job.priority, job.run_at, job.id.int  # ids compare much slower than numbers


def _key(job: Job[Any]) -> Key:
    return to_micros(job.run_at), job.id.bytes


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)
