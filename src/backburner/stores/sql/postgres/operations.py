"""All operations on PostgreSQL: the shared ones, and those whose shape is its own."""

from __future__ import annotations

from backburner.stores.sql.postgres.claiming import Claiming
from backburner.stores.sql.postgres.days import Days
from backburner.stores.sql.postgres.enqueueing import Enqueueing
from backburner.stores.sql.postgres.keeping import Keeping
from backburner.stores.sql.postgres.looking import LookingByTable


class PostgresOperations(Claiming, Enqueueing, Keeping, Days, LookingByTable):
    """The ports of a store, made of the database's clock or another one, and the names of its tables."""
