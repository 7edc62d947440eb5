"""All operations on MySQL and MariaDB: the shared ones, and those whose shape is their own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from backburner.stores.sql.mysql.claiming import Claiming
from backburner.stores.sql.mysql.enqueueing import Enqueueing
from backburner.stores.sql.mysql.upkeeping import Upkeeping
from backburner.stores.sql.names import Names
from backburner.stores.sql.newest import Newest


class MySQLOperations(Claiming, Enqueueing, Upkeeping):
    """The ports of a store, made of the database's clock or another one, and the names of its tables.

    InnoDB may give up any transaction that locks for another one, so each can be begun anew; those that do no harm when
    they are applied twice are repeated as well when nobody knows whether they were.
    """

    def __init__(self, clock: Callable[[], datetime] | None = None, names: Names = Names()) -> None:  # noqa: B008 # a value
        super().__init__(clock, names)
        self._newest = Newest()
