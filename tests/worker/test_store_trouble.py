"""What a worker does while its database cannot be used."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from backburner import Backburner, State, StoreUnavailable
from backburner.core.telemetry import Record, StoreRecovered, StoreTroubled
from backburner.stores.sql.sqlite.store import SQLiteStore
from tests.worker.jobs import note, trace

SOON = 30.0


@pytest.fixture
def impatient_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An app whose store waits only a moment for a locked file."""
    monkeypatch.setitem(SQLiteStore.__init__.__kwdefaults__, "patience", 0.1)
    trace.clear()
    with Backburner(f"sqlite:///{tmp_path}/jobs.db", allow=["tests"]) as app:
        assert isinstance(app.store, SQLiteStore)
        app.migrate()
        yield app


def test_a_running_worker_says_once_that_the_database_is_locked_and_goes_on_when_it_is_free(
    impatient_app: Backburner, tmp_path: Path
) -> None:
    job = impatient_app.delay(note)("performed in the end")
    troubles: list[Record] = []
    troubled, recovered = threading.Event(), threading.Event()

    def listen(record: Record) -> None:
        if isinstance(record, StoreTroubled):
            troubles.append(record)
            troubled.set()
        elif isinstance(record, StoreRecovered):
            recovered.set()

    impatient_app.telemetry.subscribe(listen)
    other = sqlite3.connect(tmp_path / "jobs.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    worker = impatient_app.worker(sleep_delay=0.05)
    thread = threading.Thread(target=worker.run)
    thread.start()
    assert troubled.wait(SOON)
    other.execute("ROLLBACK")
    other.close()
    assert recovered.wait(SOON)
    worker.stop()
    thread.join(SOON)
    assert len(troubles) == 1
    assert trace == ["performed in the end"]
    assert impatient_app.jobs.get(job.id).state is State.SUCCEEDED


def test_work_off_tells_its_caller(impatient_app: Backburner, tmp_path: Path) -> None:
    impatient_app.delay(note)("not now")
    other = sqlite3.connect(tmp_path / "jobs.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreUnavailable, match="has been locked by another connection"):
        impatient_app.worker().work_off()
    other.execute("ROLLBACK")
    other.close()
    assert impatient_app.worker().work_off() == (1, 0)
    assert trace == ["not now"]
