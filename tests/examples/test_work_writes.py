"""`examples/work/writes.py`: an import that is stopped or killed in the middle goes on there."""

from __future__ import annotations

import signal
import sqlite3
from pathlib import Path

import pytest

from backburner import State
from examples.work.database import database
from examples.work.writes import ROWS, import_prices
from tests.examples.work import Work, kill_worker
from tests.worker.supervision.support import until

LINES = 300 * ROWS
MANY = 2 * LINES
"""They take several times the second after which a place is stored."""
FEW = 5 * ROWS
"""So many are written before somebody interferes."""


@pytest.fixture
def prices(work: Work) -> Path:
    """A list of prices. How often each is written is counted."""
    with database() as db:
        db.executescript(
            """
            CREATE TABLE written (sku TEXT);
            CREATE TRIGGER inserted AFTER INSERT ON prices BEGIN INSERT INTO written VALUES (new.sku); END;
            CREATE TRIGGER updated AFTER UPDATE ON prices BEGIN INSERT INTO written VALUES (new.sku); END;
            """
        )
    path = work.home / "prices.csv"
    write(path, range(LINES))
    return path


def write(path: Path, cents: range) -> None:
    path.write_text("".join(f"sku-{number},{price}\n" for number, price in enumerate(cents)))


def written(db: sqlite3.Connection) -> int:
    [(count,)] = db.execute("SELECT count(*) FROM written")
    return int(count)


def are_imported(work: Work, cents: range) -> bool:
    return work.rows("SELECT count(*), sum(cents) FROM prices") == [(len(cents), sum(cents))]


def test_all_is_imported_in_short_transactions_with_progress(work: Work, prices: Path) -> None:
    job = import_prices.delay(str(prices))
    with work.worker():
        with work.halted(lambda db: written(db) >= FEW) as db:  # somebody else gets a turn in the middle
            assert written(db) < LINES
        done = work.ended(job)
    assert (done.state, done.progress) == (State.SUCCEEDED, (LINES, None, "lines"))
    assert are_imported(work, range(LINES))
    assert work.rows("SELECT count(*) FROM written") == [(LINES,)]


def test_a_second_import_brings_new_prices_and_doubles_nothing(work: Work, prices: Path) -> None:
    for cents in (range(ROWS + 3), range(1, ROWS + 4)):
        write(prices, cents)
        job = import_prices.delay(str(prices))
        with work.worker():
            assert work.ended(job).state is State.SUCCEEDED
        assert are_imported(work, cents)


def test_a_worker_that_is_stopped_gives_it_back_and_nothing_is_written_twice(work: Work, prices: Path) -> None:
    job = import_prices.delay(str(prices))
    with work.worker() as supervisor:
        with work.halted(lambda db: written(db) >= FEW):
            supervisor.send(signal.SIGTERM)
            supervisor.wait_for("worker stopping")
        assert supervisor.end().code == 0
    stopped = work.again(job)
    assert (stopped.state, stopped.attempts, stopped.crashes) == (State.QUEUED, 0, 0)
    [(count,)] = work.rows("SELECT count(*) FROM prices")
    assert FEW <= count < LINES
    with work.worker():
        assert work.ended(job).state is State.SUCCEEDED
    assert are_imported(work, range(LINES))
    assert work.rows("SELECT count(*) FROM written") == [(LINES,)]


def test_a_worker_that_is_killed_loses_little_and_nothing_is_wrong(work: Work, prices: Path) -> None:
    write(prices, range(MANY))
    job = import_prices.delay(str(prices))
    with work.worker() as supervisor:
        until(lambda: work.again(job).place, "its place is stored")
        with work.halted(lambda db: written(db) >= FEW) as db:
            kill_worker(supervisor)
            before = written(db)
            assert before < MANY
        done = work.ended(job)
    assert (done.state, done.crashes, done.attempts) == (State.SUCCEEDED, 1, 0)
    assert are_imported(work, range(MANY))
    [(in_all,)] = work.rows("SELECT count(*) FROM written")
    assert MANY <= in_all < MANY + before  # not all of it was done again
