"""How the tables are called in one database."""

from __future__ import annotations

import re
from dataclasses import dataclass

from backburner.core.errors import ConfigurationError

DEFAULT_PREFIX = "backburner_"
_TABLES = re.compile(r"\bbackburner_(jobs|ready|finished_rest|finished|workers|queues|schema)\b")
_OTHER = re.compile(r"\bbackburner_(?=\w)")
_NAME = re.compile(r"[a-z_][a-z0-9_]*")
LONGEST = 30
"""Characters; the longest name of ours and the day of a partition come behind a prefix, and databases cut at 63."""


@dataclass(frozen=True, slots=True)
class Names:
    """What stands before the names of tables and indexes.

    Statements are written with the default, `backburner_jobs`, and get the names that are in use when they are loaded.
    """

    prefix: str = DEFAULT_PREFIX
    schema: str | None = None
    """The schema that the tables are in, where the database has schemas; None: the one that the connection is in."""

    def applied(self, text: str) -> str:
        """Return a statement with these names; indexes lie where their table lies, and take no schema."""
        schema = f'"{self.schema}".' if self.schema else ""
        text = _TABLES.sub(lambda found: f"{schema}{self.prefix}{found[1]}", text)
        return text if self.prefix == DEFAULT_PREFIX else _OTHER.sub(self.prefix, text)


def checked_name(option: str, value: str) -> str:
    """Return a schema or prefix that can stand in a statement. Raises ConfigurationError."""
    if len(value) > LONGEST or not _NAME.fullmatch(value):
        raise ConfigurationError(
            f"expected {option} to be 1 to {LONGEST} lower-case letters, digits and underscores, no digit first, "
            f"got {value!r}"
        )
    return value
