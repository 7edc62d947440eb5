"""The command `backburner clear`."""

from __future__ import annotations

from pathlib import Path

import pytest

from backburner import Backburner, State
from tests.cli.conftest import Call
from tests.cli.support import run_at_terminal


@pytest.fixture
def jobs(app: Backburner) -> None:
    """Five jobs: queued, scheduled, succeeded, failed and running."""
    import shop  # type: ignore[import-not-found]  # made by a fixture

    shop.send_welcome.delay(1)
    shop.fail.options(max_attempts=1).delay("no")
    app.worker().work_off()
    shop.send_welcome.delay(2)
    shop.send_welcome.options(run_at=3600).delay(3)
    app.store.run(app.store.claim_one(shop.send_welcome.options(queue="busy").delay(4).id, 1, "worker"))


def every(app: Backburner) -> int:
    return app.jobs.count(state=list(State))


def test_clear_deletes_all_but_what_is_running(call: Call, app: Backburner, jobs: None) -> None:
    result = call("clear", "--yes")
    assert (result.code, result.err) == (0, "")
    assert result.out == "4 jobs deleted; 1 job left that a worker is performing\n"
    assert every(app) == 1
    assert call("clear", "--yes").out == "0 jobs deleted; 1 job left that a worker is performing\n"


def test_clear_of_one_queue(call: Call, app: Backburner, jobs: None) -> None:
    assert call("clear", "--queue", "mail", "--yes", "--json").json == {"deleted": 3, "running": 0}
    assert every(app) == 2


def test_without_a_terminal_yes_is_needed(call: Call, app: Backburner, jobs: None) -> None:
    result = call("clear")
    assert (result.code, result.out) == (2, "")
    assert "expected --yes, as there is no terminal to ask at: Delete all 5 jobs in sqlite:///" in result.err
    assert every(app) == 5


@pytest.mark.parametrize(("answer", "code", "left"), [("no\n", 1, 5), ("y\n", 0, 1), ("\x04", 1, 5)])
def test_at_a_terminal_it_asks(app: Backburner, jobs: None, here: Path, answer: str, code: int, left: int) -> None:
    ended, seen = run_at_terminal("clear", cwd=here, answer=answer)
    assert ended == code
    assert "finished ones too? [y/N] " in seen
    assert every(app) == left
