"""The connections of one process, for operations that block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Generic, NamedTuple, Protocol, TypeVar, cast

from backburner.core import ops
from backburner.core.errors import BackburnerError, StoreUnavailable
from backburner.core.ops import Op, Statement
from backburner.stores.sql.base import LOOK
from backburner.stores.sql.stock import Stock

T = TypeVar("T")

NOT_FOR_LOOKS = 2
"""Connections that are kept free of looks, which may take long: there is always one for a beat and one for a claim."""


class Receive(NamedTuple):
    """Receive the reply to the command that was sent."""


RECEIVE = Receive()


class Slot(Protocol):
    """A place for a connection, and what an operation goes through there.

    It is for the one operation that has taken it.
    """

    def is_ready(self) -> bool:
        """Say whether a statement can be executed as things are; if so, the slot counts as used from now on."""

    def performing(self, op: Op[T], first: Any, patience: float | None = None, *, is_ready: bool = False) -> Op[T]:
        """Run an operation of which the first command is known: connect if need be, repeat it where that is safe.

        `is_ready`: as the method of this name has said.
        """

    def execute(self, command: Any) -> Any:
        """Execute one command and return its reply."""

    def send(self, command: Any) -> bool:
        """Send a command whose reply takes a while, to be received with RECEIVE; return False for any other."""

    def leave(self) -> None:
        """Note that the operation has ended; whatever is odd about the connection, it is closed."""

    def discard(self) -> None:
        """Close the connection."""

    def discard_if_rested(self) -> None:
        """Close the connection if it has not been needed for long."""

    def abandon(self) -> None:
        """Leave the connection to the process that this one was forked from, without a word to the server."""


class Limits(Protocol):
    """What a URL says about the use of connections."""

    @property
    def pool_size(self) -> int:
        """How many there may be."""

    @property
    def timeout(self) -> float:
        """Seconds that one is waited for."""

    @property
    def shown(self) -> str:
        """Where they lead to, for messages."""


class Pool:
    """A number of slots for connections, which are made when they are needed."""

    generation: int = 0
    """Connections of earlier generations are not used again."""

    def __init__(self, make_slot: Callable[[Pool], Slot], limits: Limits) -> None:
        self._make_slot = make_slot
        self._limits = limits
        self._size = limits.pool_size
        self.start_afresh()

    def start_afresh(self) -> None:
        """Begin with new slots."""
        self.slots: list[Slot] = [self._make_slot(self) for _ in range(self._size)]
        self.stock: Stock[Slot] = Stock(self.slots)
        self._looks = Stock(range(max(1, self._size - NOT_FOR_LOOKS)))

    def run(self, op: Op[T], patience: float | None = None) -> T:
        """Run an operation as one transaction. `patience`: seconds that the server may say nothing."""
        try:
            first = op.send(None)  # what `next` does, by a shorter way
        except StopIteration as stop:
            value: T = stop.value
            return value
        return self._look(op, first, patience) if first is LOOK else self._run(op, first, patience)

    def begin(self, op: Op[T]) -> Begun[T]:
        """Run an operation up to a slow statement, send that and return."""
        begun = Begun(self, op)
        begun.start()
        return begun

    def drop(self) -> None:
        """Close the connections that are not in use, and the others when they are not in use any more."""
        self.generation += 1
        self.stock.for_all(lambda slot: slot.discard())

    def tidy(self) -> None:
        """Close the connections that have not been needed for long."""
        self.stock.for_all(lambda slot: slot.discard_if_rested())

    def abandon(self) -> None:
        """Leave all connections to the process that this one was forked from, and begin afresh."""
        for slot in self.slots:
            slot.abandon()
        self.start_afresh()

    def take(self, stock: Stock[Slot], held: list[Slot]) -> None:
        """Put a slot into an empty list. Raises StoreUnavailable when none is given back in time."""
        self._expect(stock.take(held, self._limits.timeout))

    def _look(self, op: Op[T], first: Any, patience: float | None) -> T:
        looks = self._looks
        held: list[int] = []
        returning = iter(held)
        try:
            self._expect(looks.take(held, self._limits.timeout))
            return self._run(op, first, patience)
        finally:
            try:
                looks.put_back(returning)
            finally:
                looks.say_so()

    def _run(self, op: Op[T], first: Any, patience: float | None) -> T:
        stock = self.stock
        held: list[Slot] = []
        returning = iter(held)
        try:
            self.take(stock, held)
            return run_in(held[0], op, first, patience)
        finally:
            try:
                stock.put_back(returning)
            finally:
                stock.say_so()

    def _expect(self, was_taken: bool) -> None:
        if not was_taken:
            raise StoreUnavailable(
                f"all {self._size} connections to {self._limits.shown} have been in use for "
                f"{self._limits.timeout:g} s: raise pool_size in the URL, or use fewer threads"
            )


def run_in(slot: Slot, op: Op[T], first: Any, patience: float | None = None) -> T:
    """Run an operation in a slot that was taken."""
    try:
        if patience is None and isinstance(first, Statement) and slot.is_ready():
            return _run_at_once(op, first, slot)
        return ops.run(slot.performing(op, first, patience), slot)
    except Exception:
        raise
    except BaseException:
        slot.discard()  # at once, so that the server undoes what was not committed
        raise
    finally:
        slot.leave()


def _run_at_once(op: Op[T], statement: Statement, slot: Slot) -> T:
    """Run an operation whose first statement needs nothing before it; what follows goes the general way.

    To enqueue a job, or to claim the next ones, is that one statement. It spares a third of what we add to the driver's
    time: since the last time the processor has forgotten our code, and of that the general way takes a lot.
    """
    try:
        reply = slot.execute(statement)
    except BaseException as error:
        return ops.run(cast("Op[T]", _Failing(slot.performing(op, statement, is_ready=True), error)), slot)
    try:
        command = op.send(reply)
    except StopIteration as stop:
        value: T = stop.value
        return value
    return ops.run(slot.performing(op, command, is_ready=True), slot)


class Begun(Generic[T]):
    """An operation that was begun: a slow statement of it is on its way, and holds a connection until it is received.

    The connection of one whose result nobody asks for is closed. `result` may be called in another thread.
    """

    _running: Op[T] | None = None

    def __init__(self, pool: Pool, op: Op[T]) -> None:
        self._pool = pool
        self._stock = pool.stock
        self._op = op
        self._held: list[Slot] = []
        self._returning: Iterator[Slot] = iter(self._held)
        self._error: Exception | None = None
        self._value: Any = None

    def __del__(self) -> None:
        if self._running is not None:
            self._end(is_broken=True)

    def start(self) -> None:
        """Run the operation until a slow statement has been sent, or to its end."""
        try:
            first = next(self._op)
            self._pool.take(self._stock, self._held)
            slot = self._held[0]
            self._running = slot.performing(self._op, first)
            _run_until_slow(self._running, slot)
        except StopIteration as stop:
            self._value = stop.value
            self._end()
        except Exception as error:
            self._error = error
            self._end()
        except BaseException:
            self._end(is_broken=True)
            raise

    def result(self) -> T:
        """Receive the reply, run the operation to its end and return its value."""
        if self._running is None:
            return self._ended()
        slot = self._held[0]
        try:
            value = ops.run(cast("Op[T]", _Resumed(self._running)), slot)
        except Exception:
            self._end()
            raise
        except BaseException:
            self._end(is_broken=True)
            raise
        self._end()
        return value

    def _ended(self) -> T:
        if self._error is not None:
            raise self._error
        value: T = self._value
        return value

    def _end(self, *, is_broken: bool = False) -> None:
        """Give the slot back; its connection is closed if it stands in the middle of something."""
        try:
            self._running = None
            for slot in self._held:
                if is_broken:
                    slot.discard()
                slot.leave()
        finally:
            self._stock.put_back(self._returning)
        self._stock.say_so()


def failing(error: BackburnerError) -> Op[Any]:
    """Return an operation that raises an error, for those who want it when they ask for the result."""
    raise error
    yield


class _Resumed:
    """An operation of which the reply to a statement is still to be received."""

    def __init__(self, op: Op[Any]) -> None:
        self.send = op.send
        self.throw = op.throw

    def __next__(self) -> Receive:
        return RECEIVE


class _Failing:
    """An operation of which the first command has met an error."""

    def __init__(self, op: Op[Any], error: BaseException) -> None:
        self.send = op.send
        self.throw = op.throw
        self._op = op
        self._error = error

    def __next__(self) -> Any:
        next(self._op)
        return self.throw(self._error)


def _run_until_slow(op: Op[Any], slot: Slot) -> None:
    """Drive an operation until a slow statement of it has been sent. Raises StopIteration when there is none."""
    command = next(op)
    while True:
        try:
            if slot.send(command):
                return
            reply = slot.execute(command)
        except BaseException as error:
            command = op.throw(error)
        else:
            command = op.send(reply)
