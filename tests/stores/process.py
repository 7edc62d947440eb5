"""What the other processes of a test do: `python -m tests.stores.process VERB URL …`."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable

from backburner.core.lifecycle import Move
from backburner.core.ports import ClaimRequest, Settlement, WorkerInfo, lease_of
from backburner.core.times import system_now
from backburner.stores.open import open_store
from backburner.testing.contract.driving import new_job


def work(url: str, seed: str) -> None:
    """Claim and finish in batches of changing size until nothing is left; print each id that was finished."""
    store = open_store(url)
    sizes = random.Random(seed)  # noqa: S311 # chance that can be repeated
    number = store.run(store.register(WorkerInfo(f"worker {seed}", "host", os.getpid(), None, 1)))
    settlements: list[Settlement] = []
    batch = 0
    while True:
        batch += 1
        request = ClaimRequest(lease_of(number, batch), f"worker {seed}", sizes.randint(1, 60))
        claimed = store.run(store.claim(request, settlements))
        assert claimed.lost == []
        print(*(str(settlement.job_id) for settlement in settlements))
        settlements = [Settlement(job.id, request.lease, Move.FINISH) for job in claimed.jobs]
        if not settlements:
            break
    store.close()


def enqueue_for_ever(url: str) -> None:
    """Enqueue pairs of jobs, one transaction each; print the ids when they are stored."""
    store = open_store(url)
    while True:
        now = system_now()
        jobs = [new_job(now, queue=f"pair {os.getpid()}") for _ in range(2)]
        store.run(store.enqueue(jobs))
        print(*(job.id for job in jobs), flush=True)


def enqueue_when_told(url: str) -> None:
    """Enqueue a job for each line of input."""
    store = open_store(url)
    store.migrate()
    print("ready", flush=True)
    for _ in sys.stdin:
        store.run(store.enqueue([new_job(system_now())]))
        print("stored", flush=True)


def migrate(url: str) -> None:
    """Make the tables and print what was applied."""
    store = open_store(url)
    print(store.migrate())
    store.close()


VERBS: dict[str, Callable[..., None]] = {
    function.__name__: function for function in (work, enqueue_for_ever, enqueue_when_told, migrate)
}

if __name__ == "__main__":
    VERBS[sys.argv[1]](*sys.argv[2:])
