"""Making and upgrading the tables: numbered files of SQL, applied in order, noted in `backburner_schema`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple

from backburner.core.errors import SchemaMissing
from backburner.core.ops import BEGIN, Op, Reply, Statement
from backburner.core.ports import SchemaState
from backburner.stores.sql.dialect import Dialect
from backburner.stores.sql.statements import statements_of

_FILE_NAME = re.compile(r"(\d{4})_\w+\.sql")
_END_OF_STATEMENT = re.compile(r";[ \t]*$", re.MULTILINE)
_COMMENT = re.compile(r"--.*$", re.MULTILINE)


class Migration(NamedTuple):
    """One file: `0001_jobs.sql` is version 1."""

    version: int
    name: str
    source: str

    def statements(self) -> list[str]:
        """Return its statements; each ends with a semicolon at the end of a line."""
        parts = _END_OF_STATEMENT.split(self.source)
        return [part.strip() for part in parts if _COMMENT.sub("", part).strip()]


class Migrator:
    """The migrations of a dialect, as operations. `folder` is where the files are; by default, the package's own."""

    def __init__(self, dialect: Dialect, folder: Traversable | None = None) -> None:
        self._sql = statements_of(dialect.name)
        folder = folder or files("backburner.stores.sql").joinpath("migrations", dialect.name)
        self._migrations = sorted(_read(folder))
        self.needed = self._migrations[-1].version

    def state(self) -> Op[SchemaState]:
        """Compare the tables with what this code needs."""
        found = 0
        exists: Reply = yield Statement(self._sql["has_schema"])
        if exists.rows[0][0]:
            version: Reply = yield Statement(self._sql["schema_version"])
            found = version.rows[0][0]
        return SchemaState(found, self.needed)

    def migrate(self) -> Op[list[str]]:
        """Apply what is missing, in one transaction; return the names. Raises SchemaMissing for newer tables."""
        yield BEGIN
        # Only inside the transaction does the version stand still: another process may be migrating too.
        state = yield from self.state()
        refuse_newer(state)
        yield Statement(self._sql["make_schema"])
        missing = [migration for migration in self._migrations if migration.version > state.found]
        for migration in missing:
            for text in migration.statements():
                yield Statement(text)
            yield Statement(self._note(migration))
        return [migration.name for migration in missing]

    def script(self) -> str:
        """Return what `migrate` does to an empty database."""
        parts = [f"{self._sql['make_schema']};\n"]
        parts += [f"{migration.source.strip()}\n\n{self._note(migration)};\n" for migration in self._migrations]
        return "\n".join(parts)

    def _note(self, migration: Migration) -> str:
        text = self._sql["note_migration"]
        return text.replace("{version}", str(migration.version)).replace("{name}", migration.name)


def refuse_newer(state: SchemaState) -> None:
    """Raise SchemaMissing when the tables were made by a later version of this code."""
    if state.found > state.needed:
        raise SchemaMissing(
            f"the tables are newer than this code: expected version {state.needed} of the tables, got {state.found}; "
            "upgrade backburner here to the version that is used elsewhere"
        )


def _read(folder: Traversable) -> Iterator[Migration]:
    for file in folder.iterdir():
        if found := _FILE_NAME.fullmatch(file.name):
            yield Migration(int(found[1]), file.name.removesuffix(".sql"), file.read_text("utf-8"))
