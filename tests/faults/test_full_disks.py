"""The disk of the database is full: who enqueues is told, nothing is half there, and all goes on when there is room."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from signal import SIGTERM
from typing import Any

import psycopg
import pytest

from backburner import BackburnerError
from tests.faults import jobs
from tests.faults.disks import fill, fill_up, make_room, small_disk
from tests.faults.place import TO_BE_DONE, Place
from tests.servers.postgres import PostgresServer
from tests.servers.processes import server_user

SIZES = {"sqlite": 8, "postgres": 48}
ROOM = 300_000
TEXT = os.urandom(10_000).hex()
"""Nothing that a database could compress to less than the half."""

PATIENCE = 200
"""So many jobs do not fit."""


@pytest.fixture(params=SIZES)
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    with small_disk(tmp_path / "disk", SIZES[request.param]) as disk:
        yield request.param, disk


@pytest.fixture
def url(disk: tuple[str, Path], request: pytest.FixtureRequest) -> Iterator[str]:
    kind, folder = disk
    if kind == "sqlite":
        yield f"sqlite:///{folder}/jobs.db"
        return
    with ExitStack() as held:
        yield from database_on(folder, request.getfixturevalue("private_postgres"), held)


def database_on(folder: Path, server: PostgresServer, held: ExitStack) -> Iterator[str]:
    """A database whose tables are on this disk; what it logs ahead is not."""
    place = folder / "tables"
    place.mkdir()
    give_to_server(folder, place)
    with psycopg.connect(server.admin_url, autocommit=True) as connection:
        connection.execute(f"CREATE TABLESPACE small LOCATION '{place}'".encode())
        connection.execute(b"CREATE DATABASE cramped TABLESPACE small")
    held.callback(server.stop)
    yield server.url("cramped")


def give_to_server(*folders: Path) -> None:
    user = server_user("postgres")
    for folder in folders:
        if user is not None:
            shutil.chown(folder, user)
            for above in folder.parents:
                above.chmod(above.stat().st_mode | 0o011)


def test_it_goes_on_when_there_is_room_again(place: Place, disk: tuple[str, Path]) -> None:
    _, folder = disk
    place.enqueue([lambda: jobs.carry.delay(TEXT)] * 3)
    fill(folder, but=ROOM)
    stored, error = enqueue_until_full(place)
    fill_up(folder)
    worker = place.start("work", settings={"lease": 20.0})
    assert "make room" in str(error)
    assert place.count(TO_BE_DONE) <= stored + 3
    make_room(folder)
    place.enqueue([jobs.work.delay])
    place.wait_until(lambda: not place.count(TO_BE_DONE), "all was done", timeout=40.0)
    worker.send(SIGTERM)
    assert worker.wait() == 0
    verdict = place.verdict()
    assert verdict.wrong == {}
    assert verdict.counts["succeeded"] == stored + 4


def enqueue_until_full(place: Place) -> tuple[int, Any]:
    """Enqueue until that is refused; return how often it was not, and the refusal."""
    for number in range(PATIENCE):
        try:
            job = jobs.carry.delay(TEXT)
        except BackburnerError as error:
            return number, error
        place.history.note("enqueued", job.id)
    raise AssertionError("the disk was never full")
