"""The command `backburner workers`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backburner import Backburner
from backburner.core.ports import WorkerInfo, lease_of
from tests.cli.conftest import Call
from tests.cli.support import run_at_terminal


@pytest.fixture
def workers(app: Backburner, url: str) -> None:
    """Two workers, of which one was not heard of for an hour."""
    with Backburner(url, clock=lambda: datetime.now(UTC) - timedelta(minutes=61)) as earlier:
        earlier.store.run(earlier.store.register(WorkerInfo("old:1:aa", "old", 1, None, 1)))
    number = app.store.run(app.store.register(WorkerInfo("new:2:bb", "new", 2, ("mail", "default"), 4)))
    import shop  # type: ignore[import-not-found]  # made by a fixture

    app.store.run(app.store.claim_one(shop.send_welcome.delay(1).id, lease_of(number, 1), "new:2:bb"))


def test_json_says_who_is_lost(call: Call, workers: None) -> None:
    lost, alive = call("workers", "--json").json
    assert datetime.fromisoformat(lost.pop("started_at")) == datetime.fromisoformat(lost.pop("beat_at"))
    assert lost == {
        "name": "old:1:aa",
        "host": "old",
        "pid": 1,
        "queues": None,
        "concurrency": 1,
        "running": 0,
        "is_lost": True,
    }
    assert (alive["queues"], alive["running"], alive["is_lost"]) == (["mail", "default"], 1, False)


def test_a_piped_list_is_tab_separated(call: Call, workers: None) -> None:
    lost, alive = call("workers").rows
    assert lost[:7] == ["old:1:aa", "all", "0", "1", "old", "1", "lost"]
    assert alive[:7] == ["new:2:bb", "mail,default", "1", "4", "new", "2", "alive"]


def test_a_terminal_gets_a_table(app: Backburner, workers: None, here: Path) -> None:
    _, seen = run_at_terminal("workers", cwd=here)
    assert [line.split() for line in seen.splitlines()] == [
        ["NAME", "QUEUES", "RUNNING", "AT", "ONCE", "STARTED", "HEARD", "OF"],
        ["old:1:aa", "all", "0", "1", "61", "min", "ago", "61", "min", "ago,", "lost"],
        ["new:2:bb", "mail,default", "1", "4", "just", "now", "just", "now"],
    ]


def test_a_terminal_is_told_that_there_are_none(app: Backburner, here: Path) -> None:
    assert run_at_terminal("workers", cwd=here) == (0, "no workers\n")
