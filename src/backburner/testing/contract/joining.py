"""A job that is enqueued on the caller's connection shares the fate of the caller's transaction."""

# ruff: noqa: S101 # tests are made of assert
from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

from backburner.core.errors import ConfigurationError, JobNotFound
from backburner.core.lifecycle import State
from backburner.core.ports import Store
from backburner.testing.contract.driving import EVERY_STATE, Contract, Driven, new_id, new_job


class JoinContract(Contract):
    """`run(op, connection)` and `arun(op, connection)`; a store that can do it says how to connect."""

    def connect(self, store: Store) -> Any:
        """Return a new connection to the store's database, where there is a table `things`; it begins transactions."""
        raise TypeError(f"{type(self).__name__} does not say how to make a connection to {store.url}")

    @pytest.fixture
    def connection(self, driven: Driven) -> Any:
        if not driven.store.capabilities.joins_connections:
            pytest.skip("this store joins no connections")
        driven.store.migrate()
        with closing(self.connect(driven.store)) as connection:
            yield connection

    def test_commit_keeps_both(self, driven: Driven, connection: Any) -> None:
        add_thing(connection)
        job = new_job(driven.clock.now)
        driven.on(connection, driven.store.enqueue([job]))
        assert driven.get(job.id) is None
        connection.commit()
        assert driven.get(job.id) == job
        assert things(connection) == 1

    def test_rollback_drops_both(self, driven: Driven, connection: Any) -> None:
        add_thing(connection)
        driven.on(connection, driven.store.enqueue([new_job(driven.clock.now) for _ in range(3)]))
        connection.rollback()
        assert driven.count(EVERY_STATE) == 0
        assert things(connection) == 0

    def test_the_job_may_come_first(self, driven: Driven, connection: Any) -> None:
        driven.on(connection, driven.store.enqueue([new_job(driven.clock.now)]))
        add_thing(connection)
        connection.rollback()
        assert (driven.count(EVERY_STATE), things(connection)) == (0, 0)

    def test_several_jobs_share_a_transaction(self, driven: Driven, connection: Any) -> None:
        for _ in range(3):
            driven.on(connection, driven.store.enqueue([new_job(driven.clock.now), new_job(driven.clock.now)]))
        connection.commit()
        assert driven.count(EVERY_STATE) == 6

    def test_other_operations_join_as_well(self, driven: Driven, connection: Any) -> None:
        job = driven.add()
        assert driven.on(connection, driven.store.cancel(job.id)).state is State.CANCELLED
        assert driven.on(connection, driven.store.get(job.id)).state is State.CANCELLED
        assert driven.on(connection, driven.store.count(EVERY_STATE)) == 1
        connection.rollback()
        assert driven.reread(job).state is State.QUEUED

    def test_an_operation_that_is_refused_leaves_the_transaction_alone(self, driven: Driven, connection: Any) -> None:
        driven.add()
        add_thing(connection)
        with pytest.raises(JobNotFound):
            driven.on(connection, driven.store.delete(new_id()))
        connection.commit()
        assert things(connection) == 1

    def test_what_is_no_connection_is_refused(self, driven: Driven) -> None:
        with pytest.raises(ConfigurationError, match="connection"):
            driven.on("postgresql://", driven.store.count(EVERY_STATE))


def add_thing(connection: Any) -> None:
    """Write something of the application's own."""
    cursor = connection.cursor()
    cursor.execute("INSERT INTO things (name) VALUES ('hammer')")
    cursor.close()


def things(connection: Any) -> int:
    """Return how many things the application has."""
    cursor = connection.cursor()
    cursor.execute("SELECT count(*) FROM things")
    (number,) = cursor.fetchone()
    cursor.close()
    return int(number)
