"""The tables, and the store as a whole."""

# ruff: noqa: S101 # tests are made of assert
from __future__ import annotations

from backburner.testing.contract.driving import EVERY_STATE, Contract, Driven


class SchemaContract(Contract):
    """`schema_state`, `migrate`, `now`, `url`, `problems` and `close`."""

    def test_after_migrating_nothing_is_missing(self, driven: Driven) -> None:
        driven.store.migrate()
        assert driven.store.schema_state().is_current
        assert driven.store.migrate() == []

    def test_migrating_keeps_the_jobs(self, driven: Driven) -> None:
        driven.store.migrate()
        driven.add()
        driven.store.migrate()
        assert driven.count(EVERY_STATE) == 1

    def test_the_time_is_that_of_the_clock(self, driven: Driven) -> None:
        now = driven.clock.advance(10)
        assert driven.store.now() == now

    def test_the_store_says_where_it_is_and_what_is_wrong_with_it(self, driven: Driven) -> None:
        driven.add()
        assert "://" in driven.store.url
        assert all(problem.endswith(".") for problem in driven.store.problems())

    def test_closing_may_be_repeated(self, driven: Driven) -> None:
        driven.add()
        driven.store.close()
        driven.store.close()

    def test_jobs_of_a_durable_store_outlive_a_close(self, driven: Driven) -> None:
        job = driven.add()
        driven.store.close()
        if driven.store.capabilities.durable:
            assert driven.reread(job) == job
