"""What `migrate`, and those who migrate in their own way, ask of a store: its tables, and how these are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol


@dataclass(frozen=True, slots=True)
class SchemaState:
    """How the tables in the store compare with what this version of the code needs."""

    found: int
    """0: no tables."""
    needed: int
    works_with: int = 0
    """The oldest version whose code may work on these tables."""

    @property
    def is_current(self) -> bool:
        """Whether nothing needs to be migrated: the tables may be newer, as long as they work with this code."""
        return self.works_with <= self.needed <= self.found


class MigrationStep(NamedTuple):
    """What brings tables of the version before to this one, for those who execute it themselves."""

    version: int
    statements: list[str]
    """In order; the last one takes note of the version."""
    tables: list[str]
    """Those that it makes, in order."""


class Schema(Protocol):
    """The tables themselves."""

    def schema_state(self) -> SchemaState:
        """Compare the tables with what this version needs. Makes nothing."""

    def migrate(self) -> list[str]:
        """Make or upgrade the tables; return the names of the migrations applied. Two at once are harmless."""

    def migration_sql(self) -> str:
        """Return the SQL that `migrate` would run on an empty database."""

    def migration_steps(self) -> list[MigrationStep]:
        """Return the same version by version; nothing for a store that has no tables."""
