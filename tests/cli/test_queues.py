"""The command `backburner queues …`."""

from __future__ import annotations

from pathlib import Path

import pytest

from backburner import Backburner, Job
from tests.cli.conftest import Call
from tests.cli.support import run_at_terminal


@pytest.fixture
def jobs(app: Backburner) -> list[Job]:
    import shop  # type: ignore[import-not-found]  # made by a fixture

    shop.fail.options(max_attempts=1).delay("no")
    app.worker().work_off()
    return [
        shop.send_welcome.delay(1),
        shop.send_welcome.options(run_at=3600).delay(2),
        shop.send_welcome.options(queue="later", run_at=3600).delay(3),
    ]


def test_list_counts_what_is_in_each_queue(call: Call, jobs: list[Job]) -> None:
    assert call("queues", "list", "--json").json == [
        {"name": "default", "paused": False, "queued": 0, "running": 0, "blocked": 0, "failed": 1, "oldest_due": None},
        {"name": "later", "paused": False, "queued": 1, "running": 0, "blocked": 0, "failed": 0, "oldest_due": None},
        {
            "name": "mail",
            "paused": False,
            "queued": 2,
            "running": 0,
            "blocked": 0,
            "failed": 0,
            "oldest_due": jobs[0].run_at.isoformat(),
        },
    ]


def test_a_piped_list_is_tab_separated(call: Call, jobs: list[Job]) -> None:
    assert call("queues", "list").rows[1:] == [
        ["later", "1", "0", "0", "0", "", "active"],
        ["mail", "2", "0", "0", "0", jobs[0].run_at.isoformat(), "active"],
    ]


def test_a_terminal_gets_a_table(app: Backburner, jobs: list[Job], here: Path) -> None:
    app.queues.pause("mail")
    code, seen = run_at_terminal("queues", "list", cwd=here)
    assert code == 0
    assert [line.split() for line in seen.splitlines()] == [
        ["NAME", "QUEUED", "RUNNING", "BLOCKED", "FAILED", "OLDEST", "DUE", "PAUSED"],
        ["default", "0", "0", "0", "1"],
        ["later", "1", "0", "0", "0"],
        ["mail", "2", "0", "0", "0", "just", "now", "paused"],
    ]


def test_a_paused_queue_is_left_alone_until_it_is_resumed(call: Call, jobs: list[Job]) -> None:
    said = call("queues", "pause", "mail")
    assert (said.code, said.err) == (0, "")
    assert said.out == "mail is paused: no worker takes jobs from it until `backburner queues resume mail`\n"
    assert call("workoff", "shop").out == "0 succeeded, 0 failed\n"
    assert call("queues", "resume", "mail").out == "mail is resumed\n"
    assert call("workoff", "shop").out == "1 succeeded, 0 failed\n"


def test_several_queues_at_once_as_json(call: Call, jobs: list[Job]) -> None:
    paused = call("queues", "pause", "mail", "new", "--json").json
    assert [(queue["name"], queue["paused"], queue["queued"]) for queue in paused] == [
        ("mail", True, 2),
        ("new", True, 0),
    ]
    resumed = call("queues", "resume", "mail", "new", "--json").json
    assert [(queue["name"], queue["paused"], queue["queued"]) for queue in resumed] == [
        ("mail", False, 2),
        ("new", False, 0),
    ]


def test_a_name_that_may_be_mistyped_is_pointed_out(call: Call, jobs: list[Job]) -> None:
    assert call("queues", "pause", "mial").err == "there are no jobs in 'mial' now: did you mean 'mail'?\n"
    assert call("queues", "resume", "mal").out == "mal was not paused: did you mean 'mial'?\n"


def test_a_name_that_no_queue_can_have_is_refused(call: Call, app: Backburner) -> None:
    result = call("queues", "pause", "a\nb")
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert "expected a name of 1 to 200 printable characters" in result.err
