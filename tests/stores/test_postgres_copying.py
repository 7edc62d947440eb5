"""Many new jobs are copied into the table, where that can be done; all the same they are stored as others are."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest

from backburner.authoring.ids import UuidMaker
from backburner.core.job import Job
from backburner.core.ports import JobFilter
from backburner.core.times import system_now
from backburner.stores.sql.postgres.enqueueing import COPY_FROM
from backburner.stores.sql.postgres.store import PostgresStore
from backburner.testing.contract.driving import new_job
from tests.stores.book import Book
from tests.stores.postgres_store import Run, run, store

__all__ = ["run", "store"]  # the fixtures

next_id = UuidMaker()  # such as applications make; those of the contract look as if they had been here before


def brand_new(number: int) -> list[Job[Any]]:
    return [new_job(system_now(), id=next_id(), tags=("tab\t", "line\n")) for _ in range(number)]


def is_copied(book: Book) -> bool:
    return any(text.startswith("COPY") for text in book.texts)


def stored(store: PostgresStore) -> list[Job[Any]]:
    return store.run(store.find(JobFilter(), limit=2 * COPY_FROM))


def test_many_new_jobs_are_copied(store: PostgresStore, run: Run) -> None:
    book, jobs = Book(), brand_new(COPY_FROM)
    run(store, book.noting(store.enqueue(jobs)))
    assert is_copied(book)
    assert [(job.id, job.tags, job.handler) for job in stored(store)] == [
        (job.id, job.tags, job.handler) for job in jobs
    ]


@pytest.mark.parametrize("number", [COPY_FROM - 1, COPY_FROM])
def test_a_few_or_such_as_may_have_been_here_are_not(store: PostgresStore, run: Run, number: int) -> None:
    book = Book()
    jobs = brand_new(number) if number < COPY_FROM else [new_job(system_now()) for _ in range(number)]
    run(store, book.noting(store.enqueue(jobs)))
    assert not is_copied(book)
    assert len(stored(store)) == number


def test_where_one_is_there_already_none_is_copied_and_the_others_are_stored(store: PostgresStore, run: Run) -> None:
    book, jobs = Book(), brand_new(COPY_FROM)
    run(store, book.noting(store.enqueue([*jobs, jobs[0]])))
    assert not is_copied(book)
    assert [job.id for job in stored(store)] == [job.id for job in jobs]


def test_nothing_is_copied_in_the_callers_transaction(store: PostgresStore, postgres_url: str) -> None:
    book = Book()
    with psycopg.connect(postgres_url) as connection:
        store.run(book.noting(store.enqueue(brand_new(COPY_FROM))), connection)
        assert stored(store) == []
    assert len(stored(store)) == COPY_FROM
    assert not is_copied(book)


def test_nor_where_that_is_awaited(store: PostgresStore, postgres_url: str) -> None:
    book = Book()

    async def enqueue() -> None:
        async with await psycopg.AsyncConnection.connect(postgres_url) as connection:
            await store.arun(store.enqueue([]), connection)
            await store.arun(book.noting(store.enqueue(brand_new(COPY_FROM))), connection)

    asyncio.run(enqueue())
    assert len(stored(store)) == COPY_FROM
    assert not is_copied(book)
