"""Whether what was done in an atomic block still stands.

Django forgets what was registered with `on_commit` when the savepoint, or the transaction, is rolled back that it was
registered in. So what is registered there is still there, or was called at the commit.
"""

from __future__ import annotations

from typing import Any

from backburner.authoring.bulk import Stands


class _Mark:
    """Registered with `on_commit`."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._is_committed = False

    def __call__(self) -> None:
        self._is_committed = True

    def stands(self) -> bool:
        """Say whether nothing was rolled back since."""
        return self._is_committed or any(entry[1] is self for entry in self._connection.run_on_commit)


def stands(connection: Any) -> Stands:
    """Return what says later whether what is done now in the atomic block of a connection still stands."""
    mark = last_registered(connection)
    if not isinstance(mark, _Mark):
        mark = _Mark(connection)
        connection.on_commit(mark)
    return mark.stands


def last_registered(connection: Any) -> object | None:
    """Return what was registered last with `on_commit`, if that was since the last savepoint."""
    registered = connection.run_on_commit
    if not registered or registered[-1][0] != set(connection.savepoint_ids):
        return None
    last: object = registered[-1][1]
    return last
