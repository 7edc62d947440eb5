"""How transactions are opened."""

from __future__ import annotations

from backburner.core.ops import Begin
from backburner.stores.sql.base import LOOK, Look
from backburner.stores.sql.postgres.dialect import SETTINGS
from backburner.stores.sql.postgres.server import milliseconds

FREELY = "; SET LOCAL plan_cache_mode = force_custom_plan" + "".join(
    f"; SET LOCAL {name} TO DEFAULT" for name in SETTINGS if name.startswith("enable_")
)
"""What lets the server plan for what is asked: the best way to look for something may be to read a table or to sort."""


def opening_of(command: Begin | Look, patience: float | None, *, is_shared: bool) -> str:
    """Return the SQL that opens a transaction; `patience` is for one that differs from the session's.

    `is_shared`: the session is not set up by us.
    """
    text = "BEGIN ISOLATION LEVEL READ COMMITTED"
    if command is LOOK:
        text = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"  # all statements see the same moment
        text += "" if is_shared else FREELY
    if patience is not None:
        text += f"; SET LOCAL statement_timeout = {milliseconds(patience)}"
    return text
