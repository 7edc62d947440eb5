"""Operations on a store, written once for blocking and awaiting callers.

An operation is a generator that does no I/O: it yields commands and is sent replies.

::

    def count_jobs() -> Op[int]:
        reply = yield Statement("SELECT count(*) FROM jobs")
        return reply.rows[0][0]

    run(count_jobs(), session)           # a blocking session executes each command
    await arun(count_jobs(), session)    # an awaiting one does the same

An exception of the session is thrown into the operation at the `yield`, so `try`/`except` works there.
One operation is one transaction: the session that runs it commits when it returns and rolls back when it raises,
unless the caller brought the connection; then the operation joins the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from functools import wraps
from typing import Any, NamedTuple, ParamSpec, Protocol, TypeAlias, TypeVar

T = TypeVar("T")
P = ParamSpec("P")
Op: TypeAlias = Generator[Any, Any, T]


class Statement(NamedTuple):
    """One SQL statement with its parameters: in order, or by the names that the text has for them."""

    text: str
    parameters: Sequence[object] | Mapping[str, object] = ()


class Frequent(Statement):
    """A statement that is sent again and again with the same text."""


class Slow(Frequent):
    """A statement whose reply takes a while: an operation that was begun is left here until its result is asked for."""


class Many(NamedTuple):
    """One SQL statement, executed once for each row of parameters."""

    text: str
    rows: Sequence[Sequence[object]]


class Copy(NamedTuple):
    """Rows for a table, in bulk and all or none; the only command of its transaction.

    The reply is None, and nothing is stored, when a row with the same key is there already, and always on the caller's
    own connection, whose transaction that would break.
    """

    text: str
    types: Sequence[str]
    """The database's names of the types of the columns."""
    rows: Iterable[Sequence[object]]


class Begin(NamedTuple):
    """Open the transaction of this operation as a writing one, before anything is read for the change."""


BEGIN = Begin()


class Reply(NamedTuple):
    """What a command gave: the rows, and how many rows it changed."""

    rows: Sequence[tuple[Any, ...]]
    changed: int


class Renewable(Generator[Any, Any, T]):
    """An operation that can be begun anew, once the database has undone what it did."""

    def __init__(self, make: Callable[[], Op[T]]) -> None:
        self._make = make
        self._op = make()

    def again(self) -> Renewable[T]:
        """Return the same operation from its beginning."""
        return type(self)(self._make)

    def send(self, value: Any) -> Any:
        return self._op.send(value)

    def throw(self, *error: Any) -> Any:
        return self._op.throw(*error)

    def close(self) -> None:
        self._op.close()


class Repeatable(Renewable[T]):
    """An operation that does no harm when it is applied twice.

    Who runs it and loses the connection before the reply has come cannot know whether it was applied, and may run
    `again()` on another connection, unless it is part of the caller's transaction.
    """


def renewable(operation: Callable[P, Op[T]]) -> Callable[P, Op[T]]:
    """Make what an operation returns `Renewable`."""

    @wraps(operation)
    def made(*args: P.args, **kwargs: P.kwargs) -> Op[T]:
        return Renewable(lambda: operation(*args, **kwargs))

    return made


def repeatable(operation: Callable[P, Op[T]]) -> Callable[P, Op[T]]:
    """Make what an operation returns `Repeatable`."""

    @wraps(operation)
    def made(*args: P.args, **kwargs: P.kwargs) -> Op[T]:
        return Repeatable(lambda: operation(*args, **kwargs))

    return made


class Session(Protocol):
    """Executes commands and blocks."""

    def execute(self, command: Any) -> Any:
        """Execute one command and return its reply."""


class AsyncSession(Protocol):
    """Executes commands and awaits."""

    async def execute(self, command: Any) -> Any:
        """Execute one command and return its reply."""


def run(op: Op[T], session: Session) -> T:
    """Drive an operation with a blocking session and return its value."""
    try:
        command = next(op)
        while True:
            try:
                reply = session.execute(command)
            except BaseException as error:
                command = op.throw(error)
            else:
                command = op.send(reply)
    except StopIteration as stop:
        value: T = stop.value
        return value


async def arun(op: Op[T], session: AsyncSession) -> T:
    """Drive an operation with an awaiting session and return its value."""
    try:
        command = next(op)
        while True:
            try:
                reply = await session.execute(command)
            except BaseException as error:
                command = op.throw(error)
            else:
                command = op.send(reply)
    except StopIteration as stop:
        value: T = stop.value
        return value
