"""Flask-SQLAlchemy with several databases: a record in one that is not the default, jobs in either of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import Mapped, mapped_column

from backburner import Backburner, Delayable
from backburner.integrations.flask import FlaskBackburner

db = SQLAlchemy()
seen: list[Any] = []


class Order(Delayable, db.Model):  # type: ignore[name-defined,misc]  # made by the extension
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)


class Document(Delayable, db.Model):  # type: ignore[name-defined,misc]  # made by the extension
    __bind_key__ = "archive"
    __tablename__ = "documents"

    id: Mapped[int] = mapped_column(primary_key=True)
    is_filed: Mapped[bool] = mapped_column(default=False)

    def file(self, order: Order) -> None:
        seen.append((self.id, order.id))
        self.is_filed = True


@pytest.fixture(params=["shop", "archive"])
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """An application whose jobs are in its main database, or in the other one."""
    seen.clear()
    app = Flask("orders", instance_path=str(tmp_path))
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{tmp_path}/shop.db"
    app.config["SQLALCHEMY_BINDS"] = {"archive": f"sqlite:///{tmp_path}/archive.db"}
    app.config["BACKBURNER_URL"] = f"sqlite:///{tmp_path}/{request.param}.db"
    db.init_app(app)
    FlaskBackburner(app)
    with app.app_context():
        db.create_all()
    FlaskBackburner().of(app).migrate()
    yield app
    FlaskBackburner().of(app).close()
    with app.app_context():
        db.session.remove()
        for engine in db.engines.values():
            engine.dispose()


@pytest.fixture
def jobs(app: Flask) -> Backburner:
    return FlaskBackburner().of(app)


def enqueue_one(*, is_new: bool) -> None:
    order, document = Order(), Document()
    db.session.add_all([order, document])
    if not is_new:
        db.session.flush()
    document.delay.file(order)


@pytest.mark.parametrize("is_new", [False, True], ids=["flushed", "new"])
def test_a_job_about_records_of_both_is_committed_with_them(app: Flask, jobs: Backburner, is_new: bool) -> None:
    with app.app_context():
        enqueue_one(is_new=is_new)
        assert jobs.jobs.count() == 0
        db.session.commit()
    assert jobs.jobs.count() == 1
    assert jobs.worker().work_off() == (1, 0)
    assert seen == [(1, 1)]
    with app.app_context():
        assert db.session.query(Document).one().is_filed


@pytest.mark.parametrize("is_new", [False, True], ids=["flushed", "new"])
def test_a_rollback_drops_it(app: Flask, jobs: Backburner, is_new: bool) -> None:
    with app.app_context():
        enqueue_one(is_new=is_new)
        db.session.rollback()
        db.session.commit()
        assert db.session.query(Document).count() == 0
    assert jobs.jobs.count() == 0


def test_it_is_written_in_the_same_transaction(app: Flask, jobs: Backburner) -> None:
    with app.app_context():
        enqueue_one(is_new=False)
        db.session.flush()  # now the job is written, and seen by nobody else
        assert jobs.jobs.count() == 0
        db.session.commit()
    assert jobs.jobs.count() == 1
