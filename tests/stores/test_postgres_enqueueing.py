"""A single new job goes by a short way; it is stored as by the long one."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from backburner.authoring.ids import UuidMaker
from backburner.core.errors import SchemaMissing
from backburner.core.job import Job
from backburner.core.lifecycle import State
from backburner.core.ops import Op
from backburner.core.ports import JobFilter
from backburner.core.times import system_now
from backburner.stores.sql.postgres.store import PostgresStore
from backburner.stores.sql.transactions import Single
from tests.stores.postgres_store import WAYS, Run, store

__all__ = ["store"]  # the fixture

next_id = UuidMaker()

KINDS: list[dict[str, Any]] = [
    {},
    {"priority": -5, "max_attempts": 0, "queue": "mail", "name": "O'Brien \\ %s", "handler": '{"é":"\\u0000"}'},
    {"attempts": 2},
    {"keep_failed": False},
    {"discard_missing": True},
    {"tags": ("tab\t", "é")},
    {"max_run_time": None},
    {"state": State.BLOCKED},
    {"run_at": system_now() + timedelta(days=1)},
]


def joined(store: PostgresStore, op: Op[Any]) -> Any:
    with psycopg.connect(store.url) as connection:
        return store.run(op, connection)


@pytest.fixture(params=[*WAYS, "joined"])
def run(request: pytest.FixtureRequest) -> Run:
    return WAYS.get(request.param, joined)


def brand_new(**given: Any) -> Job[Any]:
    now = system_now()
    usual: dict[str, Any] = {"name": "greet", "handler": "{}", "queue": "default", "priority": 0, "run_at": now}
    return Job(**{"id": next_id(), "created_at": now, "max_run_time": timedelta(hours=4), **usual, **given})


def as_stored(store: PostgresStore, job: Job[Any]) -> Job[Any]:
    (found,) = store.run(store.find(JobFilter(states=frozenset(State)), limit=10))
    if job.run_at is job.created_at:
        assert abs(found.run_at - job.created_at) < timedelta(seconds=5)  # by the database's clock
        found = replace(found, run_at=job.run_at)
    return found


@pytest.mark.parametrize("given", KINDS, ids=lambda given: ",".join(given) or "usual")
def test_a_job_is_stored_as_it_is(store: PostgresStore, run: Run, given: dict[str, Any]) -> None:
    job = brand_new(**given)
    run(store, store.enqueue([job]))
    found = as_stored(store, job)
    for field in fields(Job):
        if field.compare:
            assert getattr(found, field.name) == getattr(job, field.name), field.name


def test_a_usual_job_needs_few_parameters(store: PostgresStore) -> None:
    usual, unusual = next(store.enqueue([brand_new()])), next(store.enqueue([brand_new(tags=("a",))]))
    assert type(usual) is type(unusual) is Single
    assert len(usual.parameters) < len(unusual.parameters)


def test_a_lost_connection_is_replaced_and_the_job_stored_once(store: PostgresStore) -> None:
    store.run(store.count(JobFilter()))
    (wire,) = [slot.wire for slot in store._pool.slots if slot.wire is not None]
    with psycopg.connect(store.url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", (wire.connection.info.backend_pid,))
        job = brand_new()
        store.run(store.enqueue([job]))
    assert as_stored(store, job).id == job.id
    assert wire.is_closed


def test_what_a_statement_raises_is_explained(store: PostgresStore, run: Run) -> None:
    with psycopg.connect(store.url, autocommit=True) as other:
        other.execute("ALTER TABLE backburner_jobs RENAME TO elsewhere")
    with pytest.raises(SchemaMissing, match="backburner migrate"):
        run(store, store.enqueue([brand_new()]))
