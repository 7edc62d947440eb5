"""A directory with a package of jobs and a database in it, and ways to run commands there."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backburner import Backburner
from backburner.authoring.apps import current_app
from backburner.cli.main import main
from tests.cli.support import Result

SHOP = '''\
from __future__ import annotations

import select

from backburner import job


@job(queue="mail", tags=["greeting"])
def send_welcome(user_id: int, *, lang: str = "en") -> None:
    pass


@job
def fail(message: str) -> None:
    raise ValueError(message)


@job
def wait(gate: str) -> None:
    """Wait until somebody has opened a named pipe and closed it again."""
    with open(gate) as opened:
        # Not in one call: a signal that comes just before a call of the system begins does not end that call.
        while not select.select([opened], [], [], 0.1)[0]:
            pass


def unmarked() -> None:
    pass
'''

Call = Callable[..., Result]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current directory, with the package `shop`; what is imported from there is forgotten afterwards."""
    (tmp_path / "shop.py").write_text(SHOP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def url(here: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of the database, which commands find in the environment."""
    url = f"sqlite:///{here}/jobs.db"
    monkeypatch.setenv("BACKBURNER_URL", url)
    return url


@pytest.fixture
def app(url: str) -> Iterator[Backburner]:
    """An app on the database that the commands are about."""
    with Backburner(url, allow=["shop"]) as app, current_app.use(app):
        yield app


@pytest.fixture
def call(here: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Call]:
    """Run a command in this process."""

    def call(*args: str) -> Result:
        capsys.readouterr()
        with current_app.use(None):  # type: ignore[type-var]  # no app is current yet, as in a process of its own
            code = main(args)
        out, err = capsys.readouterr()
        return Result(code, out, err)

    logger = logging.getLogger("backburner")
    level = logger.level
    yield call
    logger.setLevel(level)


@pytest.fixture
def gate(here: Path) -> str:
    """A named pipe in which a job waits."""
    path = here / "gate"
    os.mkfifo(path)
    return str(path)
