"""What a claim asks a PostgreSQL server for, and when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from backburner.core.ports import UNSEEN, Claimed, Store
from backburner.stores.open import open_store
from backburner.testing.contract.driving import new_job
from tests.stores.asking import Asking

LOOK, CLAIM = "look", "claim"


@pytest.fixture
def store(postgres_url: str) -> Iterator[Store]:
    store = open_store(postgres_url)
    store.migrate()
    yield store
    store.close()


def asked(sent: list[Any]) -> list[str]:
    """Say what statements ask for."""
    return [CLAIM if "UPDATE" in command.text else LOOK for command in sent]


def test_a_worker_that_waited_finds_and_claims_a_job_in_one_statement(store: Store) -> None:
    worker = Asking(store)
    sent, claimed = worker.claim(9)
    assert (asked(sent), claimed) == ([CLAIM, LOOK], Claimed([], [], None))
    job = new_job(store.now())
    store.run(store.enqueue([job]))
    sent, claimed = worker.claim(9)
    assert (asked(sent), [each.id for each in claimed.jobs], claimed.next_due) == ([CLAIM], [job.id], UNSEEN)


def test_where_several_queues_have_jobs_a_look_puts_them_in_order(store: Store) -> None:
    worker = Asking(store)
    jobs = [new_job(store.now(), queue=queue) for queue in ("a", "b", "a")]
    store.run(store.enqueue(jobs))
    sent, claimed = worker.claim(9)
    assert (asked(sent), [each.id for each in claimed.jobs]) == ([CLAIM, LOOK, CLAIM], [each.id for each in jobs])


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"exclude": ("plain", "low")}, "urgent"),
        ({"queues": ("plain", "none")}, "plain"),
        ({"queues": ("plain", "low"), "exclude": ("plain",)}, "low"),
        ({"min_priority": 1}, "low"),
        ({"max_priority": -1}, "urgent"),
        ({"min_priority": 0, "max_priority": 0}, "plain"),
        ({"queues": ("paused",)}, None),
        ({"queues": ("future",)}, None),
    ],
)
def test_such_a_claim_takes_what_is_wanted(store: Store, fields: dict[str, Any], expected: str | None) -> None:
    now = store.now()
    jobs = {
        "low": new_job(now, queue="low", priority=1),
        "plain": new_job(now, queue="plain"),
        "urgent": new_job(now, queue="urgent", priority=-1),
        "future": new_job(now, queue="future", priority=-2, run_at=now + timedelta(hours=1)),
        "paused": new_job(now, queue="paused", priority=-3),
    }
    store.run(store.enqueue(list(jobs.values())))
    store.run(store.pause("paused"))
    sent, claimed = Asking(store).claim(9, **fields)
    assert [each.id for each in claimed.jobs] == ([] if expected is None else [jobs[expected].id])
    assert asked(sent) == ([CLAIM, LOOK] if expected is None else [CLAIM])


def test_the_look_that_was_left_out_is_made_with_the_next_claim(store: Store) -> None:
    worker = Asking(store)
    now = store.now()
    later = new_job(now, run_at=now + timedelta(hours=1))
    store.run(store.enqueue([new_job(now), later]))
    _, claimed = worker.claim(9)
    sent, claimed = worker.claim(9, claimed.jobs)
    assert asked(sent)[0] == LOOK
    assert (claimed.jobs, claimed.lost, claimed.next_due) == ([], [], later.run_at)


def test_a_claim_from_where_the_last_one_ended_looks_before_it_says_that_these_are_all(store: Store) -> None:
    """In the meantime another process may have enqueued a job that comes first."""
    worker = Asking(store)
    jobs = [new_job(store.now()) for _ in range(3)]
    store.run(store.enqueue(jobs))
    jobs += [new_job(store.now()) for _ in range(2)]
    store.run(store.enqueue(jobs[3:]))
    _, claimed = worker.claim(2)
    _, claimed = worker.claim(2, claimed.jobs)  # begins with a look, and remembers where it ended
    sent, claimed = worker.claim(2, claimed.jobs)
    assert (asked(sent), [each.id for each in claimed.jobs]) == ([CLAIM, LOOK], [jobs[4].id])
    assert claimed.next_due is None
