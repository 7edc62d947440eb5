"""The Flask extension: which app is current, where jobs are kept, and in which context they are performed."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import flask
import pytest
from flask import Flask, g

from backburner import Backburner, ConfigurationError, Snooze, current, job
from backburner.app import use
from backburner.integrations.flask import FlaskBackburner

seen: list[Any] = []


@job
def say_where() -> None:
    g.been_here = True
    seen.append((flask.current_app.name, flask.url_for("home", _external=True)))


@job
def count_in_g() -> None:
    g.count = g.get("count", 0) + 1
    seen.append(g.count)


@job
async def say_where_async() -> None:
    seen.append(flask.current_app.name)


@job(isolation="process")
def need_the_context() -> None:
    assert flask.current_app.name == "shop"


@job
def fail() -> None:
    raise ValueError("no such luck")


@job
def snooze() -> None:
    raise Snooze(timedelta(hours=1))


@pytest.fixture(autouse=True)
def _nothing_seen() -> None:
    seen.clear()


def flask_app(name: str, instance: Path, **config: Any) -> Flask:
    app = Flask(name, instance_path=str(instance))
    app.config.update(SERVER_NAME=f"{name}.example", BACKBURNER_URL="memory://", **config)
    app.add_url_rule("/", "home", lambda: "home")
    return app


@pytest.fixture
def shop(tmp_path: Path) -> Flask:
    return flask_app("shop", tmp_path)


@contextmanager
def closed_at_the_end(app: Flask) -> Iterator[Backburner]:
    with FlaskBackburner().of(app) as backburner:
        yield backburner


# Which app


def test_the_app_of_the_active_context_is_the_current_one(shop: Flask, tmp_path: Path) -> None:
    blog = flask_app("blog", tmp_path)
    ext = FlaskBackburner()
    ext.init_app(shop)
    ext.init_app(blog)

    with shop.app_context():
        assert current() is ext.app is ext.of(shop)
        with blog.test_request_context():
            assert current() is ext.app is ext.of(blog)
        assert current() is ext.of(shop)
    assert ext.of(shop) is not ext.of(blog)


def test_a_view_enqueues_with_the_module_level_names(shop: Flask) -> None:
    ext = FlaskBackburner(shop)
    shop.add_url_rule("/order", "order", lambda: str(say_where.delay().id), methods=["POST"])

    answer = shop.test_client().post("/order", base_url="http://shop.example")

    assert str(ext.of(shop).jobs.get(answer.text).name) == "say_where"


def test_outside_of_contexts_the_app_that_was_initialised_last_is_current(shop: Flask, tmp_path: Path) -> None:
    ext = FlaskBackburner(shop)
    blog = flask_app("blog", tmp_path)
    ext.init_app(blog)

    assert current() is ext.of(blog)


def test_an_app_that_is_gone_is_not_current(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKBURNER_URL", "sqlite:////srv/environment.db")
    FlaskBackburner(flask_app("gone", tmp_path))
    gc.collect()

    assert current().store.url == "sqlite:////srv/environment.db"


def test_an_app_that_was_set_goes_before_that_of_the_context(shop: Flask) -> None:
    FlaskBackburner(shop)

    with Backburner("memory://") as other, use(other), shop.app_context():
        assert current() is other


def test_outside_of_a_context_the_extension_asks_for_one(shop: Flask) -> None:
    with pytest.raises(ConfigurationError, match="expected an application context"):
        _ = FlaskBackburner(shop).app


def test_an_application_that_was_not_initialised_is_named(shop: Flask) -> None:
    with pytest.raises(ConfigurationError, match=r"expected init_app\(shop\) to be called first"):
        FlaskBackburner().of(shop)


def test_an_application_is_initialised_once(shop: Flask) -> None:
    FlaskBackburner(shop)

    with pytest.raises(ConfigurationError, match="one FlaskBackburner for 'shop'"):
        FlaskBackburner(shop)


# Settings and URLs


def test_the_settings_are_those_of_the_configuration(tmp_path: Path) -> None:
    app = flask_app("shop", tmp_path, BACKBURNER={"max_attempts": 3, "queue_attributes": {"mail": {"priority": -10}}})

    settings = FlaskBackburner(app).of(app).settings

    assert settings.max_attempts == 3
    assert settings.queue_attributes["mail"]["priority"] == -10


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_atempts": 3}, "unknown setting 'max_atempts'"),
        ("max_attempts=3", "BACKBURNER: expected a dictionary of settings, got 'max_attempts=3'"),
    ],
)
def test_wrong_settings_are_refused_at_once(tmp_path: Path, settings: object, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        FlaskBackburner(flask_app("shop", tmp_path, BACKBURNER=settings))


def test_what_is_configured_later_counts_until_the_first_use(shop: Flask) -> None:
    ext = FlaskBackburner(shop)
    shop.config["BACKBURNER"] = {"default_queue": "later"}

    assert ext.of(shop).settings.default_queue == "later"


@pytest.mark.parametrize(
    ("config", "url"),
    [
        ({"BACKBURNER_URL": "sqlite:///jobs.db"}, "sqlite:///{instance}/jobs.db"),
        ({"SQLALCHEMY_DATABASE_URI": "sqlite:///shop.db"}, "sqlite:///{instance}/shop.db"),
        ({"SQLALCHEMY_DATABASE_URI": "sqlite:////srv/shop.db"}, "sqlite:////srv/shop.db"),
        ({"SQLALCHEMY_DATABASE_URI": "sqlite://"}, "memory://"),
        ({"SQLALCHEMY_DATABASE_URI": "sqlite:///:memory:"}, "memory://"),
        (
            {"SQLALCHEMY_DATABASE_URI": "postgresql+psycopg2://ann:secret@localhost/shop"},
            "postgresql://ann:***@localhost/shop",
        ),
        (
            {"BACKBURNER_URL": "memory://", "SQLALCHEMY_DATABASE_URI": "sqlite:///shop.db"},
            "memory://",
        ),
        ({}, "sqlite:////srv/environment.db"),
    ],
)
def test_jobs_are_kept_where_the_configuration_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: dict[str, str], url: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite:////srv/environment.db")
    app = Flask("shop", instance_path=str(tmp_path))
    app.config.update(config)
    FlaskBackburner(app)

    with closed_at_the_end(app) as backburner:
        assert backburner.store.url == url.format(instance=tmp_path)


def test_a_path_with_strange_letters_is_still_the_instance_folder(tmp_path: Path) -> None:
    instance = tmp_path / "a % b?c"
    app = flask_app("shop", instance)
    app.config["BACKBURNER_URL"] = "sqlite:///jobs.db"
    FlaskBackburner(app)

    with closed_at_the_end(app) as backburner, app.app_context():
        say_where.delay()
        assert backburner.jobs.count() == 1
    assert (instance / "jobs.db").exists()


# The context of a job


def test_a_job_has_the_context_of_its_application(shop: Flask) -> None:
    with closed_at_the_end_of(shop) as backburner:
        say_where.delay()
        assert backburner.worker().work_off() == (1, 0)
    assert seen == [("shop", "http://shop.example/")]
    assert not flask.has_app_context()


def test_each_job_has_a_context_of_its_own_also_within_another(shop: Flask) -> None:
    with closed_at_the_end_of(shop) as backburner, shop.app_context():
        count_in_g.delay()
        count_in_g.delay()
        assert backburner.worker().work_off() == (2, 0)
        assert "count" not in g
    assert seen == [1, 1]


@pytest.mark.parametrize("concurrency", [1, 2])
def test_async_jobs_and_those_in_threads_have_it_too(shop: Flask, concurrency: int) -> None:
    with closed_at_the_end_of(shop) as backburner:
        say_where_async.delay()
        say_where.delay()
        assert backburner.worker(concurrency=concurrency).work_off() == (2, 0)
    assert sorted(seen, key=str) == [("shop", "http://shop.example/"), "shop"]


def test_a_job_in_a_process_of_its_own_has_it_as_well(tmp_path: Path) -> None:
    shop = flask_app("shop", tmp_path)
    shop.config["BACKBURNER_URL"] = "sqlite:///jobs.db"
    with closed_at_the_end_of(shop) as backburner:
        need_the_context.delay()
        assert backburner.worker().work_off() == (1, 0)


def test_jobs_of_several_applications_do_not_mix(shop: Flask, tmp_path: Path) -> None:
    blog = flask_app("blog", tmp_path)
    ext = FlaskBackburner()
    for app in (shop, blog):
        ext.init_app(app)
        with app.app_context():
            say_where.delay()

    assert ext.of(blog).worker().work_off() == (1, 0)
    assert ext.of(shop).worker().work_off() == (1, 0)
    assert [name for name, _ in seen] == ["blog", "shop"]


@pytest.mark.parametrize(("enqueued", "kind"), [(fail, ValueError), (snooze, None), (say_where, None)])
def test_the_end_of_the_context_is_told_what_the_job_raised(shop: Flask, enqueued: Any, kind: type | None) -> None:
    told: list[BaseException | None] = []
    shop.teardown_appcontext(told.append)

    with closed_at_the_end_of(shop) as backburner:
        enqueued.delay()
        backburner.worker().work_off()

    assert [type(error) if error is not None else None for error in told] == [kind]


@contextmanager
def closed_at_the_end_of(app: Flask) -> Iterator[Backburner]:
    FlaskBackburner(app)
    with closed_at_the_end(app) as backburner:
        yield backburner
