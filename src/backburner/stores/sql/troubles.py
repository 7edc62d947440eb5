"""What may go wrong between us and a server, by what may be done about it."""

from __future__ import annotations

from backburner.core.errors import StoreUnavailable


class ConnectionLost(StoreUnavailable):
    """The connection ended; nobody knows whether the last statement was applied."""


class Undone(ConnectionLost):
    """The connection ended before the transaction was committed, so nothing of it is applied."""


class Unanswered(StoreUnavailable):
    """The server said nothing in time; nobody knows whether the last statement was or will be applied."""


class Locked(StoreUnavailable):
    """Somebody else holds a lock for longer than was to be waited for."""


class Conflict(StoreUnavailable):
    """The database gave this transaction up for another one; it may be repeated."""


class NoRoom(StoreUnavailable):
    """The server takes no more connections."""
