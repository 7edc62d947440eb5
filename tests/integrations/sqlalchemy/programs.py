"""Random programs of what applications do with a session.

Whenever a program makes a row, it enqueues a job that bears the same number. Whatever happens then, once the program
has ended there must be jobs for exactly the rows that are there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeAlias

from hypothesis import strategies as st
from sqlalchemy import Engine, event
from sqlalchemy.exc import IntegrityError, PendingRollbackError
from sqlalchemy.ext.asyncio import AsyncSession, AsyncSessionTransaction
from sqlalchemy.orm import Session

from backburner import abulk, bulk, delay
from tests.integrations.sqlalchemy.models import Seat, User, note

numbers = count(1)


class Boom(Exception):
    """What goes wrong in an application."""


TROUBLE = (Boom, IntegrityError, PendingRollbackError)
"""What an application answers with a rollback. The last one comes of going on behind a flush that has failed."""


@dataclass(frozen=True)
class Pair:
    """A row and its job: which comes first, what the job is about, and whether it is flushed between them and after."""

    row_first: bool
    about: str
    flushes: tuple[bool, bool]


@dataclass(frozen=True)
class Do:
    """Anything else."""

    what: str


@dataclass(frozen=True)
class Block:
    """Steps in a savepoint, or in a `bulk()` in a savepoint; an exception leaves it, and is caught behind it.

    So a `bulk()` may have savepoints around it and inside of it.
    """

    steps: Sequence[Step]
    is_bulk: bool = False


Step: TypeAlias = "Pair | Do | Block"
Program: TypeAlias = tuple[list[Step], str]

pairs = st.builds(
    Pair, st.booleans(), st.sampled_from(["row", "user", "nothing"]), st.tuples(st.booleans(), st.booleans())
)
dos = st.sampled_from(["flush", "read", "rename", "fail", "raise", "expire", "merge"]).map(Do)
small = st.one_of(pairs, pairs, dos)
blocks = st.recursive(
    st.builds(Block, st.lists(small, max_size=4), st.booleans()),
    lambda blocks: st.builds(Block, st.lists(st.one_of(small, blocks), max_size=4), st.booleans()),
    max_leaves=4,
)
ends = st.sampled_from(["commit", "rollback", "close"]).map(Do)
programs: st.SearchStrategy[Program] = st.tuples(
    st.lists(st.one_of(small, blocks, blocks, ends), max_size=8),
    st.sampled_from(["commit", "commit", "rollback", "raise"]),
)


def parts_of(pair: Pair, session: Session) -> list[Callable[[], object]]:
    """Return the two parts of a pair in their order."""
    number = next(numbers)
    seat = Seat(row="r", number=number)
    options = {"tags": [str(number)]}

    def enqueue() -> None:
        if pair.about == "row":
            session.add(seat)  # else it would be in no session yet
            seat.delay(**options).take()
        elif pair.about == "user":
            with session.no_autoflush:
                user = session.query(User).filter_by(name="Ann").one()
            user.delay(**options).activate(str(number))
        else:
            delay(note, connection=session, **options)(number)

    parts: list[Callable[[], object]] = [lambda: session.add(seat), enqueue]
    return parts if pair.row_first else parts[::-1]


fatal_statements = st.one_of(st.none(), st.integers(1, 25))
"""The number of the statement that fails, counted from the beginning of a program."""


@contextmanager
def failing_at(number: int | None, engine: Engine) -> Iterator[None]:
    """Let this one of the statements that read or write rows fail, before it reaches the database."""
    left = number or 0

    def executing(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        nonlocal left
        if statement.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE", "SELECT")):
            left -= 1
            if left == 0:
                raise Boom

    event.listen(engine, "before_cursor_execute", executing)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", executing)


def run(program: Program, session: Session) -> None:
    """Run a program with a session, which is new."""
    steps, end = program
    with session:
        for step in [*steps, *([] if end == "raise" else [Do(end)])]:
            try:
                run_step(step, session)
            except TROUBLE:
                session.rollback()


def run_step(step: Step, session: Session) -> None:
    match step:
        case Pair():
            for part, flushes in zip(parts_of(step, session), step.flushes, strict=True):
                part()
                if flushes:
                    session.flush()
        case Block():
            savepoint = session.begin_nested()  # when this fails, the whole transaction has
            with suppress(Boom, IntegrityError), savepoint, bulk() if step.is_bulk else nullcontext():
                for inner in step.steps:
                    run_step(inner, session)
        case Do("read"):
            session.query(Seat).count()
        case Do("commit" | "rollback" | "close" | "flush" as what):
            getattr(session, what)()
        case Do(what):
            do(what, session)


async def arun(program: Program, session: AsyncSession) -> None:
    """Run a program with an AsyncSession, which is new."""
    steps, end = program
    async with session:
        for step in [*steps, *([] if end == "raise" else [Do(end)])]:
            try:
                await arun_step(step, session)
            except TROUBLE:
                await session.rollback()


async def arun_step(step: Step, session: AsyncSession) -> None:
    match step:
        case Pair():
            if step.about == "user":  # which is read, and that is to be awaited
                await session.run_sync(lambda inside: run_step(step, inside))
                return
            for part, flushes in zip(parts_of(step, session.sync_session), step.flushes, strict=True):
                part()
                if flushes:
                    await session.flush()
        case Block():
            savepoint = await session.begin_nested()
            with suppress(Boom, IntegrityError):
                async with ending(savepoint), abulk() if step.is_bulk else nullcontext():
                    for inner in step.steps:
                        await arun_step(inner, session)
        case Do("commit" | "rollback" | "close" | "flush" as what):
            await getattr(session, what)()
        case Do():
            await session.run_sync(lambda inside: run_step(step, inside))


@asynccontextmanager
async def ending(savepoint: AsyncSessionTransaction) -> AsyncIterator[None]:
    """End a savepoint that has begun as `async with` would."""
    try:
        yield
        await savepoint.commit()
    except BaseException:
        await savepoint.rollback()
        raise


def do(what: str, session: Session) -> None:
    """Do what is no part of a pair."""
    match what:
        case "raise":
            raise Boom
        case "fail":
            session.add(User(name="Ann"))  # there is one
            session.flush()
        case "rename":
            session.query(User).filter_by(name="Ann").one().nickname = str(next(numbers))
        case "expire":
            session.expire_all()
        case "merge":
            session.merge(Seat(row="taken", number=0))
        case _:
            raise AssertionError(what)
