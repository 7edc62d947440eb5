"""Lets operations of several connections run against each other, one statement at a time, in an order that is given.

An operation is a generator that yields commands. Here each command waits at a gate until it is let through, and so does
the end of the operation, behind which the transaction is committed. A command that the database keeps waiting, because
another transaction holds a lock, is left there, and the others go on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self, TypeVar

from backburner.core.errors import StoreUnavailable
from backburner.core.ops import Op, Renewable, Repeatable
from backburner.core.ports import Store

T = TypeVar("T")

HELD_UP = 0.015
"""Seconds after which a command that has not come back is taken to wait for a lock. Only the order depends on it."""

PATIENCE = 15.0


class Player:
    """One connection, in a thread of its own, and the operation that it is at."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._thread = ThreadPoolExecutor(1)
        self._changed = threading.Condition()
        self._is_at_gate = False
        self._may_pass = False
        self._running: Future[Any] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._thread.shutdown()
        self.store.close()

    @property
    def is_done(self) -> bool:
        """Whether its operation has ended, and is committed."""
        return self._running is not None and self._running.done()

    @property
    def answer(self) -> Any:
        """What the operation gave, or the error that it raised."""
        assert self._running is not None
        error = self._running.exception()
        return self._running.result() if error is None else error

    @property
    def was_locked_out(self) -> bool:
        """Whether its operation was undone because other transactions that stand still were in its way."""
        return self.is_done and isinstance(self.answer, StoreUnavailable)

    def begin(self, make: Callable[[], Op[Any]]) -> None:
        """Bring an operation to its first gate."""
        self._make = make
        self._is_at_gate = self._may_pass = False
        self._running = self._thread.submit(self.store.run, gated(make(), self._gate))
        self._running.add_done_callback(lambda _: self._notify())
        self._wait(PATIENCE)

    def begin_again(self) -> None:
        """Begin the same operation once more."""
        self.begin(self._make)

    def step(self, timeout: float = HELD_UP) -> bool:
        """Execute the next command; return whether it came back in time."""
        with self._changed:
            if self._is_at_gate:
                self._may_pass, self._is_at_gate = True, False
                self._changed.notify_all()
        return self._wait(timeout)

    def to_the_end(self, timeout: float = PATIENCE) -> bool:
        """Execute what is left; return False when a command does not come back in time."""
        while not self.is_done:
            if not self.step(timeout):
                return False
        return True

    def _gate(self) -> None:
        with self._changed:
            self._is_at_gate = True
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: self._may_pass, PATIENCE), "nobody let this operation go on"
            self._may_pass = False

    def _wait(self, timeout: float) -> bool:
        """Wait until it stands at a gate or is done; say whether it does or is."""
        with self._changed:
            return self._changed.wait_for(lambda: self._is_at_gate or self.is_done, timeout)

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()


def gated(op: Op[T], gate: Callable[[], None]) -> Op[T]:
    """Return an operation that waits at a gate before each of its commands, and before it ends well."""
    if isinstance(op, Repeatable):
        return Repeatable(_Anew(op, gate))
    if isinstance(op, Renewable):
        return Renewable(_Anew(op, gate))
    return _gated(op, gate)


class _Anew:
    """Makes an operation of which the first was made already."""

    def __init__(self, op: Renewable[Any], gate: Callable[[], None]) -> None:
        self._next: Renewable[Any] = op
        self._gate = gate

    def __call__(self) -> Op[Any]:
        op, self._next = self._next, self._next.again()
        return _gated(op, self._gate)


def _gated(op: Op[T], gate: Callable[[], None]) -> Op[T]:
    try:
        command = next(op)
        while True:
            gate()
            try:
                reply = yield command
            except BaseException as error:
                command = op.throw(error)
            else:
                command = op.send(reply)
    except StopIteration as stop:
        value: T = stop.value
    gate()
    return value


def interleave(players: Sequence[Player], makes: Sequence[Callable[[], Op[Any]]], steps: Sequence[int]) -> bool:
    """Let each player take so many steps, then let the last one come to its end, then the one before, and so on.

    Returns False when a player came to its end within its steps, so that more of them make no difference. Who is held
    up by another one goes on when that one has ended; who is locked out begins again.
    """
    for player, make in zip(players, makes, strict=True):
        player.begin(make)
    was_cut_short = False
    for player, number in zip(players, steps, strict=False):
        taken = 0
        while taken < number and not player.is_done and player.step():
            taken += 1
        was_cut_short = was_cut_short or taken < number
    rounds = int(PATIENCE / HELD_UP)
    while True:
        are_done = [player.to_the_end(HELD_UP) for player in reversed(players)]  # each gets its turn
        if all(are_done):
            break
        rounds -= 1
        assert rounds, "operations did not come to their ends though nobody else was in their way"
    for player in players:
        while player.was_locked_out:
            player.begin_again()
            player.to_the_end()
    return not was_cut_short
