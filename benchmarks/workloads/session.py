"""Making jobs in a session of SQLAlchemy."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

from sqlalchemy import Engine, MetaData, Table, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, registry

from benchmarks import jobs
from benchmarks.bench import Bench
from benchmarks.databases.base import Place, new_id
from benchmarks.measure import alternating, rate
from benchmarks.results import Result, line, per_second
from benchmarks.targets import Goal

TURNS = 15

COST = Goal(1.3, "≤ 1.3 ×", is_upper=True)

DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql", "mariadb": "mysql+pymysql"}


class Base(DeclarativeBase):
    """The models of the application."""


class Order(Base):
    """What the application's own transaction is about."""

    __tablename__ = "mapped_orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int]


def enqueue_in_session(bench: Bench) -> list[Result]:
    """A record of the application's own and a job; or, instead of it, a record that is mapped to the table of jobs."""
    count = bench.size(bench.targets.sizes.one_by_one // TURNS)
    with bench.database.fresh() as place:
        engine = create_engine(_url_of(place))
        Base.metadata.create_all(engine)
        add_bare = _bare_rows(place, engine)
        delayed = place.app.delay(jobs.noop)

        def add_job(session: Session) -> None:
            place.app.delay(jobs.noop, connection=session)(1)

        delayed(0)
        floor, ours = alternating(
            lambda: rate(count, lambda: _orders(engine, count, add_bare)),
            lambda: rate(count, lambda: _orders(engine, count, add_job)),
            rounds=TURNS,
        )
        engine.dispose()
    cost = floor.in_relation_to(ours)
    return [
        line(
            "enqueue, in a session of SQLAlchemy",
            per_second(ours.median),
            (COST, cost),
            compared=f"{per_second(floor.median)}: the same with a mapped record in the table of jobs",
            ratio=f"{cost:.2f} × the time",
        )
    ]


def _orders(engine: Engine, count: int, add_job: Callable[[Session], object]) -> None:
    with closing(Session(engine)) as session:
        for number in range(count):
            session.add(Order(number=number))
            add_job(session)
            session.commit()


def _bare_rows(place: Place, engine: Engine) -> Callable[[Session], object]:
    """Return what adds a record that has the columns of a job, as they are in the table, to a session."""
    place.app.delay(jobs.noop)(1)
    table = Table("backburner_jobs", MetaData(), autoload_with=engine)
    with engine.connect() as connection:
        values: dict[str, Any] = dict(connection.execute(select(table)).mappings().one())
    place.app.jobs.clear()
    bare = type("Bare", (), {})
    registry().map_imperatively(bare, table)
    of_id = type(values.pop("id"))

    def add(session: Session) -> None:
        record = bare()
        for name, value in values.items():
            setattr(record, name, value)
        job_id = new_id()
        record.id = job_id.bytes if of_id is bytes else str(job_id) if of_id is str else job_id
        session.add(record)

    return add


def _url_of(place: Place) -> str:
    scheme, _, rest = place.url.partition(":")
    return f"{DRIVERS[scheme]}:{rest}"
