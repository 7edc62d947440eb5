"""The current app: looked up when it is used, made by the first use when nobody configured one."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading

import pytest

from backburner import Backburner, ConfigurationError, configure, current, jobs
from backburner.app import use
from backburner.authoring.apps import current_app
from tests.app import work

A = {"BACKBURNER_URL": "sqlite:///a.db"}
B = {"DATABASE_URL": "sqlite:///b.db"}


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch, tmp_path):
    made: list[Backburner] = []
    original = Backburner.__init__

    def noting(app, *args, **settings):
        original(app, *args, **settings)
        made.append(app)

    monkeypatch.setattr(Backburner, "__init__", noting)
    monkeypatch.delenv("BACKBURNER_URL", raising=False)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    former = current_app._app
    current_app.set(None)
    yield made
    for app in made:
        app.close()
    current_app.set(former)


def test_configure_makes_an_app_and_makes_it_the_current_one():
    app = configure("memory://", default_queue="mine")
    assert isinstance(app, Backburner)
    assert current() is app
    assert work.add.delay(1, 2).queue == "mine"
    assert jobs.count() == app.jobs.count() == 1


def test_names_of_the_module_use_the_app_that_is_current_when_they_are_called():
    first = configure("memory://")
    work.add.delay(1, 2)
    second = configure("memory://")
    work.add.delay(1, 2)
    work.User().delay.activate("x")
    assert (first.jobs.count(), second.jobs.count(), jobs.count()) == (1, 2, 2)


def test_a_wrong_configuration_changes_nothing():
    app = configure("memory://")
    with pytest.raises(ConfigurationError, match="expected the URL of a store"):
        configure("nonsense://")
    assert current() is app


@pytest.mark.parametrize(
    ("environment", "file", "level", "message"),
    [
        ({**A, **B}, "a.db", "INFO", "which BACKBURNER_URL names"),
        (B, "b.db", "INFO", "which DATABASE_URL names"),
        ({"BACKBURNER_URL": "", **B}, "b.db", "INFO", "which DATABASE_URL names"),
        ({}, "backburner.db", "WARNING", "as neither BACKBURNER_URL nor DATABASE_URL is set"),
    ],
)
def test_the_first_use_configures(monkeypatch, caplog, tmp_path, environment, file, level, message):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with caplog.at_level(logging.INFO, logger="backburner"):
        work.add.delay(1, 2)
    assert (tmp_path / file).exists()
    (record,) = [record for record in caplog.records if "jobs are kept" in record.getMessage()]
    assert (record.name, record.levelname) == ("backburner", level)
    assert record.getMessage().startswith("jobs are kept in sqlite:///")
    assert file in record.getMessage()
    assert record.getMessage().endswith(message)
    assert current() is current()


def test_configure_without_a_url_takes_settings(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "memory://")
    assert configure(default_queue="mine").settings.default_queue == "mine"


def test_decorators_and_imports_configure_nothing(nothing_configured):
    code = """
import os
from backburner import Delayable, delay, handle_asynchronously, job, jobs
from backburner.authoring.apps import current_app

@job(queue="mail")
def send(): ...

class Device(Delayable):
    @handle_asynchronously
    def deliver(self): ...

assert current_app._app is None
assert os.listdir() == []
"""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, timeout=30)
    assert nothing_configured == []


def test_threads_that_use_it_first_get_the_same_app(nothing_configured, monkeypatch):
    monkeypatch.setenv("BACKBURNER_URL", "memory://")
    start = threading.Barrier(8)
    seen = []

    def look():
        start.wait(10)
        seen.append(current())

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(app) for app in seen}) == 1
    assert len(nothing_configured) == 1


def test_use_makes_an_app_current_for_a_while():
    outer = configure("memory://")
    seen = []
    with Backburner("memory://") as inner, use(inner) as used:
        assert used is inner
        assert current() is inner
        thread = threading.Thread(target=lambda: seen.append(current()))
        thread.start()
        thread.join()
    assert seen == [inner]
    assert current() is outer


def test_use_puts_the_former_app_back_after_an_exception():
    outer = configure("memory://")
    with pytest.raises(LookupError), Backburner("memory://") as inner, use(inner):
        raise LookupError
    assert current() is outer
