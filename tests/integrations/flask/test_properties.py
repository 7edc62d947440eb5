"""The job exists if and only if the row does, whatever a request does with the session of Flask-SQLAlchemy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request
from flask_sqlalchemy import SQLAlchemy
from hypothesis import HealthCheck, given, settings
from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from backburner import Backburner, Delayable
from backburner.integrations.flask import FlaskBackburner
from tests.integrations.shares import share_of
from tests.integrations.web_programs import Broken, Undone, programs

db = SQLAlchemy()

PROGRAMS = 200
"""Programs; each is a request or a few of them."""


class Member(Delayable, db.Model):  # type: ignore[name-defined,misc]  # made by the extension
    __tablename__ = "members"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)

    def greet(self) -> None: ...


def run(program: list[Any]) -> None:
    for what, *more in program:
        match what:
            case "sign up":
                member = Member(name=more[0])
                db.session.add(member)
                member.delay.greet()
            case "savepoint":
                savepoint(*more)
            case "break":
                raise Broken
            case _:
                getattr(db.session, what)()


def savepoint(program: list[Any], ends_well: bool) -> None:
    with suppress(Undone), db.session.begin_nested():
        run(program)
        if not ends_well:
            raise Undone


def application(instance: Path, url: str) -> Flask:
    app = Flask("members", instance_path=str(instance))
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    db.init_app(app)
    FlaskBackburner(app)

    @app.post("/")
    def follow() -> str:
        run(request.get_json())
        return "done"

    return app


@pytest.fixture(params=["sqlite", "postgresql", "mysql"])
def url(request: pytest.FixtureRequest) -> str:
    match request.param:
        case "sqlite":
            return "sqlite:///members.db"
        case "postgresql":
            return str(request.getfixturevalue("postgres_url"))
        case _:
            return str(request.getfixturevalue("mysql_url")).replace("mysql://", "mysql+pymysql://", 1)


@pytest.fixture
def app(tmp_path: Path, url: str) -> Iterator[Flask]:
    app = application(tmp_path, url)
    jobs = FlaskBackburner().of(app)
    jobs.migrate()
    with app.app_context():
        db.create_all()
    yield app
    jobs.close()
    with app.app_context():
        db.engine.dispose()


def keys_of_jobs(jobs: Backburner) -> list[int]:
    return sorted(json.loads(job.handler)["call"]["on"]["key"] for job in jobs.jobs.where())


def test_the_job_exists_if_and_only_if_the_row_does(app: Flask, url: str) -> None:
    jobs = FlaskBackburner().of(app)
    browser = app.test_client()
    seen = {"kept": 0, "dropped": 0}

    @settings(
        max_examples=share_of(PROGRAMS),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
    @given(programs())
    def check(program: list[Any]) -> None:
        with app.app_context():
            db.session.query(Member).delete()
            db.session.commit()
        jobs.jobs.clear()
        browser.post("/", json=program)
        browser.post("/", json=[*program, ("commit",)])
        with app.app_context():
            rows = sorted(db.session.scalars(db.select(Member.id)))
        assert keys_of_jobs(jobs) == rows
        seen["kept"] += len(rows)
        seen["dropped"] += 2 * str(program).count("sign up") - len(rows)

    check()
    assert seen["kept"] > 0
    assert seen["dropped"] > 0
