"""The command `backburner doctor`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from backburner import Backburner, Job
from backburner.core.ports import WorkerInfo
from tests.cli.conftest import Call
from tests.cli.support import make_newer


@pytest.fixture
def worker(app: Backburner) -> None:
    """A worker that serves every queue."""
    app.store.run(app.store.register(WorkerInfo("new:2:bb", "new", 2, None, 1)))


def findings(call: Call, *args: str) -> list[dict[str, Any]]:
    """Return what is found."""
    said = call("doctor", "--json", *args)
    found: list[dict[str, Any]] = said.json["findings"]
    assert (said.code, said.json["ok"]) == ((1, False) if found else (0, True))
    return found


def only(call: Call, check: str, *args: str) -> str:
    """Return the message of the one thing that is found."""
    (finding,) = findings(call, *args)
    assert finding["check"] == check
    return str(finding["message"])


def enqueue_at(moment: datetime, url: str, **options: Any) -> None:
    """Enqueue a job by a clock that shows another time."""
    import shop  # type: ignore[import-not-found]  # made by a fixture

    with Backburner(url, allow=["shop"], clock=lambda: moment) as app:
        app.delay(shop.send_welcome, **options)(1)


def test_before_the_first_use_nothing_is_wrong_and_nothing_is_made(call: Call, url: str, here: Path) -> None:
    assert findings(call) == []
    assert call("doctor").out.endswith("no tables yet\n\nnothing is wrong\n")
    assert list(here.glob("*.db*")) == []


def test_nothing_is_wrong_where_a_worker_serves(call: Call, app: Backburner, worker: None, url: str) -> None:
    import shop

    shop.send_welcome.delay(1)
    assert findings(call, "shop") == []
    said = call("doctor", "shop", "--json").json
    assert (said["url"], said["tables"], said["needed_tables"]) == (url, 1, 1)
    assert (said["jobs"], said["workers"]) == ({"queued": 1}, 1)


def test_what_is_only_risky_is_said_and_is_not_wrong(call: Call, here: Path) -> None:
    result = call("doctor", "--url", "memory://")
    assert result.code == 0
    assert "\n? The jobs are in the memory of one process" in result.out
    assert result.out.endswith("\nnothing is wrong, 1 risk\n")
    assert len(call("doctor", "--url", "memory://", "--json").json["risks"]) == 1


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("redis://u:secret@h/0", "no store for redis"),
        ("postgresql://u:secret@127.0.0.1:1/d", "cannot connect to postgresql://u:***@127.0.0.1:1/d"),
        ("sqlite:////nowhere/at/all.db", "expected a directory /nowhere/at "),
    ],
)
def test_a_database_that_cannot_be_used_is_a_finding(call: Call, here: Path, url: str, message: str) -> None:
    result = call("doctor", "--url", url)
    assert result.code == 1
    assert message in result.out
    assert "secret" not in result.out
    assert call("doctor", "--url", url, "--json").json["findings"][0]["check"] == "database"


def test_tables_of_another_version(call: Call, app: Backburner, here: Path) -> None:
    make_newer(app, here)
    assert "are of version 99, this code knows version 1" in only(call, "tables")


def test_tables_that_are_missing(call: Call, here: Path, postgres_url: str) -> None:
    (finding,) = findings(call, "--url", postgres_url)
    assert finding["check"] == "tables"
    assert finding["message"].endswith(" are missing")
    assert finding["advice"] == "run `backburner migrate`"


def test_a_database_in_which_nothing_can_be_written(call: Call, here: Path, postgres_url: str) -> None:
    with Backburner(postgres_url) as app:
        app.migrate()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on".encode())
    found = findings(call, "--url", postgres_url)
    assert [finding["check"] for finding in found] == ["database"]
    assert found[0]["advice"] == "no job can be enqueued or performed until then"


def test_a_handler_that_cannot_be_read(call: Call, app: Backburner, worker: None) -> None:
    moment = datetime.now(UTC)
    job = Job(id=uuid4(), name="odd", handler="{not json", queue="q", priority=0, run_at=moment, created_at=moment)
    app.store.run(app.store.enqueue([job]))
    (finding,) = findings(call)
    assert finding["check"] == "code"
    assert finding["advice"] == "it will fail; `backburner jobs show ID` shows its handler"


def test_code_that_is_not_here_names_the_package(call: Call, app: Backburner, worker: None, here: Path) -> None:
    import sys

    (here / "warehouse.py").write_text("def count(): pass\ndef tidy(): pass\n")
    import warehouse  # type: ignore[import-not-found]  # made just now

    app.allow("warehouse")
    app.delay(warehouse.count)()
    app.delay(warehouse.count)()
    app.delay(warehouse.tidy)()
    del sys.modules["warehouse"]
    message = only(call, "code")
    assert message.startswith("3 queued jobs cannot be performed (count, tidy; the first is ")
    assert "backburner work warehouse" in message
    assert findings(call, "warehouse") == []


def test_code_that_may_not_run(call: Call, app: Backburner, worker: None) -> None:
    import shop

    app.delay(shop.unmarked)()
    message = only(call, "code")
    assert message.startswith("1 queued job cannot be performed (unmarked; the first is ")
    assert "mark it with @job" in message
    assert findings(call, "shop") == []


def test_failed_jobs(call: Call, app: Backburner, worker: None) -> None:
    import shop

    for _ in range(2):
        shop.fail.options(max_attempts=1).delay("the \x1b[31mlast")
    app.worker().work_off()
    assert only(call, "failed", "shop") == (
        "2 jobs failed for good, the newest, fail, just now: ValueError: the \ufffd[31mlast"
    )


def test_lost_workers(call: Call, app: Backburner, url: str) -> None:
    with Backburner(url, clock=lambda: datetime.now(UTC) - timedelta(minutes=61)) as earlier:
        earlier.store.run(earlier.store.register(WorkerInfo("old:1:aa", "old", 1, None, 1)))
    assert only(call, "workers") == "the worker old:1:aa was last heard of 61 min ago; it holds 0 jobs"


def test_paused_queues_with_jobs(call: Call, app: Backburner, worker: None) -> None:
    import shop

    app.queues.pause("empty")
    app.queues.pause("mail")
    shop.send_welcome.delay(1)
    assert only(call, "paused", "shop") == "the queue mail is paused, with 1 job in it"


def test_queues_that_no_worker_serves(call: Call, app: Backburner) -> None:
    import shop

    app.store.run(app.store.register(WorkerInfo("new:2:bb", "new", 2, ("default",), 1)))
    shop.send_welcome.delay(1)
    shop.send_welcome.options(queue="default").delay(1)
    assert only(call, "unserved", "shop") == "jobs are due in 1 queue that no worker serves: mail"


def test_jobs_that_wait_too_long(call: Call, app: Backburner, worker: None) -> None:
    import shop

    shop.send_welcome.options(run_at=datetime.now(UTC) - timedelta(minutes=10)).delay(1)
    assert only(call, "late", "shop") == "a job in the queue mail has been due for 10 min"


def test_clocks_that_are_ahead(call: Call, app: Backburner, url: str) -> None:
    enqueue_at(datetime.now(UTC) + timedelta(minutes=9, seconds=30), url)
    message = only(call, "clocks", "shop")
    assert message.startswith("the job ")
    assert message.endswith(" was created 9 min in the future")


def test_each_finding_comes_with_what_to_do(call: Call, app: Backburner) -> None:
    import shop

    shop.send_welcome.delay(1)
    app.queues.pause("mail")
    assert (
        "! the queue mail is paused, with 1 job in it\n"
        "  `backburner queues resume mail` when they are to be performed\n"
    ) in call("doctor", "shop").out


def test_a_package_that_cannot_be_imported_is_wrong_use(call: Call, app: Backburner) -> None:
    assert call("doctor", "nowhere").code == 2
