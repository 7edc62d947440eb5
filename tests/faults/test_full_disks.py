"""The disk of the database is full: who enqueues is told, nothing is half there, and all goes on when there is room."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from signal import SIGTERM
from typing import Any, NamedTuple

import psycopg
import pytest

from backburner import BackburnerError
from tests.faults import jobs
from tests.faults.disks import fill, fill_up, make_room, small_disk
from tests.faults.place import TO_BE_DONE, Place
from tests.servers.postgres import PostgresServer
from tests.servers.processes import server_user

MEGABYTES = 48
ROOM = 300_000
"""Bytes."""

TEXT = os.urandom(10_000).hex()
"""Nothing that a database could compress to less than the half."""

TOO_MANY = 200
"""Jobs that do not fit."""


class Cramped(NamedTuple):
    """A database whose tables are on a small disk."""

    url: str
    disk: Path


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Iterator[Cramped]:
    with small_disk(tmp_path / "disk", MEGABYTES) as disk:
        yield Cramped(f"sqlite:///{disk}/jobs.db", disk)


@pytest.fixture
def on_postgres(private_postgres: PostgresServer) -> Iterator[Cramped]:
    """What the server logs ahead is on another disk."""
    with small_disk(private_postgres.folder / "disk", MEGABYTES) as disk:
        tables = disk / "tables"
        tables.mkdir()
        give_to(tables, server_user("postgres"))
        with psycopg.connect(private_postgres.admin_url, autocommit=True) as connection:
            connection.execute(f"CREATE TABLESPACE small LOCATION '{tables}'".encode())
            connection.execute(b"CREATE DATABASE cramped TABLESPACE small")
        yield Cramped(private_postgres.url("cramped"), disk)
        private_postgres.stop()


def give_to(path: Path, user: str | None) -> None:
    if user is not None:
        shutil.chown(path, user)


@pytest.fixture(params=["on_sqlite", "on_postgres"])
def cramped(request: pytest.FixtureRequest) -> Cramped:
    found: Cramped = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def url(cramped: Cramped) -> str:
    return cramped.url


def test_it_goes_on_when_there_is_room_again(place: Place, cramped: Cramped) -> None:
    place.enqueue([lambda: jobs.carry.delay(TEXT)] * 3)
    fill(cramped.disk, but=ROOM)
    stored, error = enqueue_until_full(place)
    fill_up(cramped.disk)
    worker = place.start("work", settings={"lease": 20.0})
    assert "make room" in str(error)
    assert place.count(TO_BE_DONE) <= stored + 3
    make_room(cramped.disk)
    place.enqueue([jobs.work.delay])
    place.wait_until(lambda: not place.count(TO_BE_DONE), "all was done", timeout=40.0)
    worker.send(SIGTERM)
    assert worker.wait() == 0
    verdict = place.verdict()
    assert verdict.wrong == {}
    assert verdict.counts["succeeded"] == stored + 4


def enqueue_until_full(place: Place) -> tuple[int, Any]:
    """Enqueue until that is refused; return how often it was not, and the refusal."""
    for number in range(TOO_MANY):
        try:
            job = jobs.carry.delay(TEXT)
        except BackburnerError as error:
            return number, error
        place.history.note("enqueued", job.id)
    raise AssertionError("the disk was never full")
