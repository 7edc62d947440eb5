"""The app: its settings, its life, its listeners, its workers."""

from __future__ import annotations

import asyncio
import inspect
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from backburner import Backburner, ConfigurationError, Job, UnknownJob
from backburner.authoring.verbs import Verbs
from backburner.core.settings import Settings
from tests.app import work


def test_settings_have_the_defaults_of_delayed_job():
    with Backburner("memory://") as app:
        settings = app.settings
        assert settings == Settings()
        assert (settings.max_attempts, settings.max_run_time, settings.sleep_delay) == (
            25,
            timedelta(hours=4),
            timedelta(seconds=5),
        )
        assert app.delay_jobs is True


def test_all_wrong_settings_are_named_at_once():
    with pytest.raises(ConfigurationError) as caught:
        Backburner("memory://", max_attempts="many", default_queue="", lease=0)  # type: ignore[arg-type]  # tested
    message = str(caught.value)
    assert "max_attempts: expected a number of attempts of 0 or more, got 'many'" in message
    assert "default_queue: expected a name" in message
    assert "lease: expected more than zero seconds, got 0" in message


def test_an_unknown_setting_names_the_known_ones():
    with pytest.raises(ConfigurationError, match="unknown setting 'max_attempt': expected one of .*max_attempts"):
        Backburner("memory://", max_attempt=3)  # type: ignore[call-arg]  # the mistake that is tested


def test_the_typed_settings_are_all_settings():
    source = inspect.getsource(inspect.getmodule(Backburner))  # type: ignore[arg-type]  # it is in a module
    body = source.partition("class AppSettings(TypedDict, total=False):")[2].partition("class ")[0]
    names = {line.split(":")[0].strip() for line in body.splitlines() if ": " in line and '"""' not in line}
    assert names & set(Settings.__dataclass_fields__) == set(Settings.__dataclass_fields__)


@pytest.mark.parametrize("url", ["nonsense", "ftp://x", "sqlite://x.db", "", "memory://x"])
def test_a_wrong_url_says_what_was_expected(url):
    with pytest.raises(ConfigurationError, match="expected"):
        Backburner(url)


def test_a_password_in_a_url_is_never_shown():
    with pytest.raises(ConfigurationError) as caught:
        Backburner("oracle://ann:s3cret@localhost/shop")
    assert "s3cret" not in str(caught.value)
    for database in ("postgresql", "mysql", "mariadb"):
        assert "s3cret" not in repr(Backburner(f"{database}://ann:s3cret@localhost/shop"))


def test_the_database_is_touched_at_first_use_only(tmp_path):
    path = tmp_path / "jobs.db"
    with Backburner(f"sqlite:///{path}") as app:
        assert not path.exists()
        app.delay(work.add)(1, 2)
        assert path.exists()


def test_repr(tmp_path):
    with Backburner(f"sqlite:///{tmp_path / 'jobs.db'}") as app:
        assert repr(app) == f"Backburner('sqlite:///{tmp_path / 'jobs.db'}')"
    assert repr(Backburner("memory://")) == "Backburner('memory://')"


def test_close_may_be_called_twice(url):
    app = Backburner(url)
    app.delay(work.add)(1, 2)
    app.close()
    app.close()


def test_with_statements_close(monkeypatch):
    closed = []
    monkeypatch.setattr(Backburner, "close", lambda app: closed.append(app))
    with Backburner("memory://") as app:
        assert closed == []
    assert closed == [app]

    async def main():
        async with Backburner("memory://") as inner:
            assert closed == [app]
        return inner

    assert [app, asyncio.run(main())] == closed


def test_migrate_says_what_it_did(app):
    first = app.migrate()
    assert all(isinstance(name, str) for name in first)
    assert app.migrate() == []
    assert app.store.schema_state().is_current


def test_a_clock_may_be_given(url):
    now = datetime(2030, 1, 1, tzinfo=UTC)
    with Backburner(url, clock=lambda: now) as app:
        job = app.delay(work.add, run_at=60)(1, 2)
        assert (job.created_at, job.run_at) == (now, now + timedelta(minutes=1))
        assert app.worker().work_off() == (0, 0)
        now += timedelta(minutes=1)
        assert app.worker().work_off() == (1, 0)


def test_allow_may_be_added_to(app):
    assert app.allowed.prefixes == ()
    app.allow("shop", "other.jobs")
    assert app.allowed.prefixes == ("shop", "other.jobs")
    with pytest.raises(ConfigurationError, match="allow: expected the name of a module"):
        app.allow("not a module")


def test_plugins_are_installed():
    class Plugin:
        def install(self, app: Backburner) -> None:
            app.before("enqueue")(self.tag)

        def tag(self, job: Job[Any]) -> None:
            job.tags = ("plugged",)

    with Backburner("memory://", plugins=[Plugin()]) as app:
        assert app.delay(work.add)(1, 2).tags == ("plugged",)  # type: ignore[attr-defined]  # checkers take it for an int
    with pytest.raises(ConfigurationError, match=r"plugins: expected objects with install\(app\), got 3"):
        Backburner("memory://", plugins=[3])
    with pytest.raises(ConfigurationError, match=r"plugins: expected a list of objects with install\(app\), got 3"):
        Backburner("memory://", plugins=3)


def test_listeners_are_registered_by_decorators(app):
    @app.before("enqueue")
    def listener(job: Job[Any]) -> None:
        job.priority = 3

    assert callable(listener)
    assert work.add.delay(1, 2).priority == 3


def test_a_wrong_listener_is_refused_where_it_is_registered(app):
    with pytest.raises(ConfigurationError, match="unknown event 'enque': expected one of enqueue, execute"):
        app.before("enque")(lambda job: None)
    with pytest.raises(ConfigurationError, match=r"perform: expected a listener with 2 parameters \(worker, job\)"):
        app.around("perform")(lambda job: None)


def test_workers_have_the_settings_of_the_app():
    with Backburner("memory://", queues=["a", "b"], sleep_delay=3, min_priority=1) as app:
        worker = app.worker()
        assert worker.queues == ("a", "b")
        assert worker.sleep_delay == timedelta(seconds=3)
        own = app.worker(queues=["c"], concurrency=2, name="mine", sleep_delay=1, grace=2)
        assert (own.queues, own.concurrency, own.name) == (("c",), 2, "mine")
        assert (own.sleep_delay, own.grace) == (timedelta(seconds=1), timedelta(seconds=2))


def test_registered_workers_are_listed(app):
    seen = []

    @app.after("loop")
    def look(worker: Any) -> None:
        seen.append([info.name for info in app.workers()])

    assert app.workers() == []
    app.worker(name="mine").run(exit_on_complete=True)
    assert seen
    assert all(names == ["mine"] for names in seen)
    assert app.workers() == []


def test_two_apps_share_a_database(tmp_path):
    url = f"sqlite:///{tmp_path / 'jobs.db'}"
    with Backburner(url) as one, Backburner(url) as other:
        job = one.delay(work.add)(1, 2)
        assert other.jobs.get(job.id) == job  # type: ignore[attr-defined]  # checkers take it for an int
        assert other.worker().work_off() == (1, 0)
        assert one.jobs.count() == 0


def test_every_verb_is_there_twice():
    import backburner

    for name in vars(Verbs):
        if not name.startswith("_") and name != "enqueuer":
            assert callable(getattr(backburner, name))
            assert callable(getattr(Backburner, name))


def test_an_unknown_job_names_what_is_missing(app):
    with pytest.raises(UnknownJob):
        app.codec.load('{"v":1,"call":{"function":"tests.app.work:gone"}}')


def test_files_of_the_package_are_typed():
    import backburner

    assert (Path(backburner.__file__).parent / "py.typed").exists()
