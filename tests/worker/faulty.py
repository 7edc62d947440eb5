"""A store whose requests and replies go astray, as they do when a connection is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from backburner import StoreUnavailable
from backburner.core.ops import Op
from backburner.core.ports import Store

WATCHED = ("claim", "settle", "check_in")


class Faulty:
    """Lets operations of a real store fail: before they are applied, or after."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self._run = store.run
        self._made: list[tuple[str, Op[Any]]] = []
        self._held: list[Op[Any]] = []
        self._plan: dict[str, list[Callable[[Op[Any]], Any]]] = {name: [] for name in WATCHED}
        self.counts = dict.fromkeys(WATCHED, 0)
        """How often each operation was asked for."""
        for name in WATCHED:
            monkeypatch.setattr(store, name, self._noting(name, getattr(store, name)))
        monkeypatch.setattr(store, "run", self.run)

    def lose_reply(self, name: str, times: int = 1) -> None:
        """Apply the next operation of this name, and say that it failed."""
        self._plan[name] += [self._apply_and_fail] * times

    def lose_request(self, name: str, times: int = 1) -> None:
        """Do not apply the next operation of this name, and say that it failed; `deliver` applies it all the same."""
        self._plan[name] += [self._hold_and_fail] * times

    def let_pass(self, name: str, times: int = 1) -> None:
        """Leave the next operations of this name alone."""
        self._plan[name] += [self._run] * times

    def deliver(self) -> list[Any]:
        """Apply what was held up on its way; return what that gave, which nobody hears of."""
        held, self._held = self._held, []
        return [self._run(op) for op in held]

    def run(self, op: Op[Any], connection: object | None = None) -> Any:
        """Run an operation as the store does, but for what is planned."""
        for made in self._made:
            if made[1] is op:
                self._made.remove(made)
                self.counts[made[0]] += 1
                plan = self._plan[made[0]]
                return plan.pop(0)(op) if plan else self._run(op, connection)
        return self._run(op, connection)

    def _noting(self, name: str, make: Callable[..., Op[Any]]) -> Callable[..., Op[Any]]:
        def noted(*args: Any, **kwargs: Any) -> Op[Any]:
            op = make(*args, **kwargs)
            self._made.append((name, op))
            return op

        return noted

    def _apply_and_fail(self, op: Op[Any]) -> Any:
        self._run(op)
        raise StoreUnavailable("the reply was lost")

    def _hold_and_fail(self, op: Op[Any]) -> Any:
        self._held.append(op)
        raise StoreUnavailable("the request was lost")
