"""Flask-SQLAlchemy: jobs in the session of the request, records read again in the session of the job."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import String, event
from sqlalchemy.orm import Mapped, mapped_column

from backburner import Backburner, Delayable, job
from backburner.integrations.flask import FlaskBackburner

db = SQLAlchemy()
seen: list[Any] = []


class Customer(Delayable, db.Model):  # type: ignore[name-defined,misc]  # made by the extension
    __tablename__ = "customers"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    greeted: Mapped[int] = mapped_column(default=0)

    def greet(self) -> None:
        seen.append(self.name)
        self.greeted += 1


@job
def count_customers() -> None:
    seen.append(db.session.query(Customer).count())


@job
def rename_and_fail(customer: Customer) -> None:
    customer.name = "Eve"
    raise ValueError


def application(instance: Path, url: str, *, ours_first: bool = False) -> Flask:
    app = Flask("customers", instance_path=str(instance))
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    ext = FlaskBackburner()
    if ours_first:
        ext.init_app(app)
        db.init_app(app)
    else:
        db.init_app(app)
        ext.init_app(app)

    @app.post("/customers/<name>")
    def sign_up(name: str) -> str:
        customer = Customer(name=name)
        db.session.add(customer)
        customer.delay.greet()
        count_customers.delay()
        if name == "nobody":
            db.session.rollback()
        db.session.commit()
        return "welcome"

    return app


@pytest.fixture(params=["sqlite:///shop.db", "postgresql", "mysql"])
def url(request: pytest.FixtureRequest) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    if request.param == "mysql":
        return str(request.getfixturevalue("mysql_url")).replace("mysql://", "mysql+pymysql://", 1)
    return str(request.param)


@pytest.fixture(params=[False, True], ids=["theirs first", "ours first"])
def app(request: pytest.FixtureRequest, tmp_path: Path, url: str) -> Iterator[Flask]:
    seen.clear()
    app = application(tmp_path, url, ours_first=request.param)
    with app.app_context():
        db.create_all()
    jobs = FlaskBackburner().of(app)
    jobs.migrate()
    yield app
    jobs.close()
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def jobs(app: Flask) -> Backburner:
    return FlaskBackburner().of(app)


@pytest.fixture
def browser(app: Flask) -> FlaskClient:
    return app.test_client()


def names(app: Flask) -> list[str]:
    with app.app_context():
        return [customer.name for customer in db.session.query(Customer)]


def test_jobs_are_committed_with_the_session_of_the_request(app: Flask, jobs: Backburner, browser: FlaskClient) -> None:
    assert browser.post("/customers/Ann").text == "welcome"

    assert [job.name for job in jobs.jobs.where()] == ["Customer.greet", "count_customers"]
    assert jobs.worker().work_off() == (2, 0)
    assert set(seen) == {"Ann", 1}


def test_a_rollback_drops_the_jobs_about_records_and_the_others(
    app: Flask, jobs: Backburner, browser: FlaskClient
) -> None:
    browser.post("/customers/nobody")

    assert jobs.jobs.count() == 0
    assert names(app) == []


def test_a_job_reads_its_record_as_it_is_by_then(app: Flask, jobs: Backburner, browser: FlaskClient) -> None:
    browser.post("/customers/Ann")
    with app.app_context():
        db.session.query(Customer).one().name = "Anna"
        db.session.commit()

    jobs.worker().work_off()
    assert "Anna" in seen


def test_what_a_job_changes_is_committed_when_it_succeeds(app: Flask, jobs: Backburner, browser: FlaskClient) -> None:
    browser.post("/customers/Ann")
    assert jobs.worker().work_off() == (2, 0)

    with app.app_context():
        assert db.session.query(Customer).one().greeted == 1
        rename_and_fail.delay(db.session.query(Customer).one())
        db.session.commit()
    assert jobs.worker().work_off() == (0, 1)
    assert names(app) == ["Ann"]


def test_the_session_of_a_job_is_that_of_flask_sqlalchemy_and_is_given_back(
    app: Flask, jobs: Backburner, browser: FlaskClient
) -> None:
    for name in ("Ann", "Bob", "Cid"):
        browser.post(f"/customers/{name}")
    with app.app_context():
        pool = db.engine.pool
        out: list[int] = []
        event.listen(pool, "checkin", lambda *_: out.append(-1))
        event.listen(pool, "checkout", lambda *_: out.append(1))

    assert jobs.worker(concurrency=2).work_off() == (6, 0)
    assert sum(out) == 0
    assert out


def test_outside_of_a_context_a_job_about_no_record_goes_by_itself(app: Flask, jobs: Backburner) -> None:
    jobs.enqueue_all([])
    count_customers.delay()

    assert jobs.jobs.count() == 1
