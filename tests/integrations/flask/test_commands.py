"""`flask backburner …`: every command, about the application that `flask` has loaded."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backburner import Backburner, State
from backburner.cli.daemons.pid_files import look_at
from tests.cli.support import PATIENCE, Result
from tests.worker.supervision.support import until

SHOP = """\
from __future__ import annotations

import flask

from backburner import job
from backburner.integrations.flask import FlaskBackburner

app = flask.Flask(__name__)
app.config["BACKBURNER_URL"] = "sqlite:///jobs.db"
FlaskBackburner(app)


@job
def greet() -> None:
    print(f"hello from {flask.current_app.name}", flush=True)


def unmarked() -> None:
    print("hello from unmarked code")


@app.cli.command()
def order() -> None:
    from backburner import delay

    greet.delay()
"""

Command = Callable[..., Result]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with a Flask application, whose jobs are in its instance folder."""
    (tmp_path / "shop.py").write_text(SHOP)
    return tmp_path


@pytest.fixture
def app(shop: Path) -> Iterator[Backburner]:
    """What another process sees of its jobs."""
    (shop / "instance").mkdir()
    with Backburner(f"sqlite:///{shop}/instance/jobs.db", allow=["shop"]) as app:
        yield app


@pytest.fixture
def do(shop: Path) -> Iterator[Command]:
    """Run a command of Flask's; whatever it leaves in the background is killed."""

    def do(*arguments: str) -> Result:
        command = [sys.executable, "-m", "flask", "--app", "shop", *arguments]
        ended = subprocess.run(command, cwd=shop, capture_output=True, text=True, timeout=PATIENCE, check=False)
        return Result(ended.returncode, ended.stdout, ended.stderr)

    yield do
    for path in shop.glob("**/*.pid"):
        daemon = look_at(path)
        if daemon is not None and daemon.is_running and daemon.pid is not None:
            os.kill(daemon.pid, signal.SIGKILL)


def test_jobs_are_listed_and_performed_in_the_application(app: Backburner, do: Command) -> None:
    assert do("order").code == 0
    assert app.jobs.count() == 1

    listed = do("backburner", "jobs", "list", "--json")
    performed = do("backburner", "workoff")

    assert [job["name"] for job in listed.json] == ["greet"]
    assert performed.code == 0
    assert "hello from shop\n" in performed.out
    assert app.jobs.count() == 0


def test_the_package_of_the_application_is_allowed(app: Backburner, shop: Path, do: Command) -> None:
    sys.path.insert(0, str(shop))
    try:
        import shop as module  # type: ignore[import-not-found]  # made by a fixture

        app.delay(module.unmarked)()
    finally:
        sys.path.remove(str(shop))
        del sys.modules["shop"]

    assert "hello from unmarked code" in do("backburner", "workoff").out


def test_options_and_exit_codes_are_those_of_backburner(app: Backburner, do: Command) -> None:
    version = do("backburner", "--version")
    assert (version.code, version.out.split()[0]) == (0, "backburner")
    assert "--exit-on-complete" in do("backburner", "work", "--help").out
    assert do("backburner", "status").code == 3
    wrong = do("backburner", "wrok")
    assert wrong.code == 2
    assert "did you mean 'work'?" in wrong.err


def test_flask_shows_the_command(do: Command) -> None:
    assert "Background jobs" in do("--help").out


def test_a_worker_in_the_background_serves_the_application_and_is_restarted(app: Backburner, do: Command) -> None:
    started = do("backburner", "start")
    assert (started.code, started.err) == (0, "")
    do("order")
    until(lambda: app.jobs.count() == 0, "the job is performed")
    restarted = do("backburner", "restart")
    assert restarted.code == 0, restarted.err
    do("order")
    until(lambda: app.jobs.count(state=State.SUCCEEDED) == 2, "the second job is performed")
    assert do("backburner", "stop").code == 0


def test_worker_processes_that_are_spawned_serve_the_application(app: Backburner, do: Command) -> None:
    do("order")

    worked = do("backburner", "work", "--processes", "2", "--spawn", "--exit-on-complete")

    assert worked.code == 0, worked.err
    assert "hello from shop" in worked.out


def test_bench_measures_with_a_worker_of_the_application(app: Backburner, do: Command) -> None:
    measured = do("backburner", "bench", "--jobs", "20", "--yes", "--json")

    assert measured.code == 0, measured.out
    assert measured.json["latency"]["jobs"] > 0
