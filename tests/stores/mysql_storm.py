"""A process that does everything to a MySQL store in turn: `python -m tests.stores.mysql_storm URL SEED STEPS`.

Several of them get into each other's way as much as they can. Each prints what became of which job, as JSON, and ends
with an error when an operation raises anything but a refusal.
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

from backburner.authoring.ids import UuidMaker
from backburner.core.errors import InvalidState, JobNotFound
from backburner.core.job import Job, Progress
from backburner.core.lifecycle import Move, State
from backburner.core.ports import ClaimRequest, JobFilter, Settlement, Store, WorkerInfo, lease_of
from backburner.core.times import system_now
from backburner.stores.open import open_store
from backburner.testing.contract.driving import new_job
from tests.stores.mysql import connect

QUEUES = ("default", "mail", "mail ", "reports")
RUBBISH = "rubbish"
"""The queue of jobs that are deleted many at a time; nobody knows which."""

ENDS = (Move.FINISH,) * 6 + (Move.RETRY, Move.RETRY, Move.SNOOZE, Move.RELEASE, Move.FAIL, Move.FAIL, Move.CANCEL)

LEVELS = ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")

SILENT = 0.05
"""Seconds after which a worker is taken for dead: so soon that many are that live."""

next_id = UuidMaker()


class Storm:
    """One of those who do everything."""

    def __init__(self, url: str, seed: int) -> None:
        self._url = url
        self._store: Store = open_store(url)
        self._random = random.Random(seed)  # noqa: S311 # chance that can be repeated
        self._batch = 0
        self._number = self._register()
        self._settlements: list[Settlement] = []
        self._known: list[UUID] = []
        self.said: dict[str, list[str]] = defaultdict(list)
        """What became of jobs, by verb."""

    def step(self) -> None:
        """Do something; how often is said by a weight."""
        steps: list[tuple[Callable[[], None], int]] = [
            (self.claim, 30),
            (self.enqueue_one, 16),
            (self.enqueue_many, 6),
            (self.join, 4),
            (self.cancel, 8),
            (self.requeue, 8),
            (self.delete, 3),
            (self.claim_one, 3),
            (self.settle, 4),
            (self.report, 3),
            (self.rescue, 3),
            (self.change_all, 2),
            (self.prune, 3),
            (self.pause, 1),
            (self.look, 6),
            (self.check_in, 4),
            (self.start_anew, 1),
        ]
        chosen = self._random.choices([step for step, _ in steps], [weight for _, weight in steps])[0]
        with suppress(JobNotFound, InvalidState):  # somebody else was quicker
            chosen()

    def finish(self) -> None:
        """Settle what is left."""
        settlements = self._take_settlements()
        self._note(settlements, self._store.run(self._store.settle(settlements)))
        self._store.close()

    def enqueue_one(self) -> None:
        self._enqueue(self._new_jobs(1))

    def enqueue_many(self) -> None:
        self._enqueue(self._new_jobs(self._random.choice([2, 3, 20, 60, 700])))

    def join(self) -> None:
        """Enqueue in a transaction that lasts until others have done something, and is perhaps rolled back."""
        jobs = self._new_jobs(self._random.choice([1, 1, 3]))
        with closing(connect(self._url)) as connection, connection.cursor() as cursor:
            cursor.execute(f"SET SESSION TRANSACTION ISOLATION LEVEL {self._random.choice(LEVELS)}")
            cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
            self._store.run(self._store.enqueue(jobs), connection)
            self.claim()
            self.enqueue_many()
            if self._random.random() < 0.5:
                connection.commit()
                self._say_enqueued(jobs)

    def _enqueue(self, jobs: list[Job[Any]]) -> None:
        self._store.run(self._store.enqueue(jobs))
        self._say_enqueued(jobs)

    def _say_enqueued(self, jobs: list[Job[Any]]) -> None:
        self.said["enqueued"] += [str(job.id) for job in jobs if job.queue != RUBBISH]
        self._know(job.id for job in jobs)

    def _new_jobs(self, number: int) -> list[Job[Any]]:
        now = system_now()
        times = [now, now, now, now - timedelta(seconds=5), now + timedelta(seconds=0.05)]
        choice = self._random.choice
        return [
            new_job(
                now,
                id=next_id(),
                queue=choice((*QUEUES, RUBBISH)),
                priority=choice([0, 1, 2]),
                run_at=choice(times),
                state=choice([State.QUEUED] * 9 + [State.BLOCKED]),
            )
            for _ in range(number)
        ]

    def claim(self) -> None:
        settlements = self._take_settlements()
        queues = self._random.choice([None, None, None, (RUBBISH, "mail "), QUEUES])
        request = ClaimRequest(self._lease(), "ann", self._random.choice([1, 3, 20, 100]), queues)
        claimed = self._store.run(self._store.claim(request, settlements))
        self._note(settlements, claimed.lost)
        self._know(job.id for job in claimed.jobs)
        self._settlements = [self._end(job.id, request.lease) for job in claimed.jobs]
        self.said["claimed"] += [str(job.id) for job in claimed.jobs]

    def claim_one(self) -> None:
        lease = self._lease()
        job = self._store.run(self._store.claim_one(self._any(), lease, "ann"))
        # A job that was lost before is in the hand twice, and may be settled once.
        self._settlements = [held for held in self._settlements if held.job_id != job.id]
        self._settlements.append(self._end(job.id, lease))

    def settle(self) -> None:
        settlements = self._take_settlements()
        half = len(settlements) // 2
        self._settlements = settlements[half:]
        self._note(settlements[:half], self._store.run(self._store.settle(settlements[:half])))

    def report(self) -> None:
        if self._settlements:
            held = self._random.choice(self._settlements)
            self._store.run(self._store.report_progress(held.job_id, held.lease, Progress(1, 2, None)))
            self._store.run(self._store.is_cancel_requested(held.job_id, held.lease))
            self._store.run(self._store.standing([(each.job_id, each.lease) for each in self._settlements]))

    def cancel(self) -> None:
        job = self._store.run(self._store.cancel(self._any()))
        self.said["asked to stop" if job.state is State.RUNNING else "cancelled"].append(str(job.id))

    def requeue(self) -> None:
        job = self._store.run(self._store.requeue(self._any()))
        self.said["requeued"].append(str(job.id))

    def delete(self) -> None:
        job = self._store.run(self._store.delete(self._any()))
        self.said["deleted"].append(str(job.id))

    def rescue(self) -> None:
        for job in self._store.run(self._store.rescue(SILENT)):
            self.said["rescued"].append(str(job.id))

    def change_all(self) -> None:
        if self._random.random() < 0.5:
            self._store.run(self._store.delete_all(JobFilter(queue=RUBBISH)))
        else:
            self._store.run(self._store.requeue_all(JobFilter(queue=self._random.choice(QUEUES))))

    def prune(self) -> None:
        self._store.run(self._store.prune(self._store.now(), self._random.choice([1, 20, 500])))

    def pause(self) -> None:
        queue = self._random.choice(QUEUES)
        self._store.run(self._store.pause(queue))
        self._store.run(self._store.resume(queue))

    def look(self) -> None:
        self._store.run(self._store.get(self._any()))
        states = self._random.choice([None, frozenset(State), frozenset({State.RUNNING}), frozenset({State.FAILED})])
        found = self._store.run(self._store.find(JobFilter(states=states), limit=20, newest_first=True))
        self._know(job.id for job in found)
        self._store.run(self._store.queues())
        self._store.run(self._store.workers())

    def check_in(self) -> None:
        wanted = ClaimRequest(self._lease(), "ann", 1)
        news = self._store.run(self._store.check_in(SILENT, self._number, wanted))
        if not news.is_known:
            self._number = self._register()

    def start_anew(self) -> None:
        self._store.run(self._store.retire(self._number))
        self._number = self._register()

    def _register(self) -> int:
        return self._store.run(self._store.register(WorkerInfo("ann", "host", os.getpid(), None, 1)))

    def _lease(self) -> int:
        self._batch += 1
        return lease_of(self._number, self._batch)

    def _know(self, ids: Iterable[UUID]) -> None:
        self._known = [*self._known, *ids][-200:]

    def _any(self) -> UUID:
        return self._random.choice(self._known) if self._known else next_id()

    def _take_settlements(self) -> list[Settlement]:
        """Return what is to be settled, in no order."""
        settlements, self._settlements = self._settlements, []
        self._random.shuffle(settlements)
        return settlements

    def _end(self, job_id: UUID, lease: int) -> Settlement:
        move = self._random.choice(ENDS)
        run_at = system_now() if move in (Move.RETRY, Move.SNOOZE) else None
        result = self._random.choice([None, None, '"well done"']) if move is Move.FINISH else None
        keep = self._random.random() < 0.7
        crashed = move is Move.RELEASE and self._random.random() < 0.5
        return Settlement(job_id, lease, move, run_at=run_at, error="boom", keep=keep, result=result, crashed=crashed)

    def _note(self, settlements: list[Settlement], lost: list[UUID]) -> None:
        """Say which settlements were applied."""
        for settlement in settlements:
            if settlement.job_id not in lost:
                self.said[settlement.move.value].append(str(settlement.job_id))


def main(url: str, seed: str, steps: str) -> None:
    storm = Storm(url, int(seed))
    for _ in range(int(steps)):
        storm.step()
    storm.finish()
    print(json.dumps(storm.said))


if __name__ == "__main__":
    main(*sys.argv[1:])
