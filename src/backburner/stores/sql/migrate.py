"""Making and upgrading the tables: numbered files of SQL, applied in order, noted in `backburner_schema`.

Migrate first, then deploy: new code refuses old tables, naming the command; old code goes on working on new tables as
long as their migrations say so, in a line `-- Works with code that expects version N`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple

from backburner.core.errors import SchemaMissing
from backburner.core.ops import BEGIN, Op, Reply, Statement
from backburner.core.schema import MigrationStep, SchemaState
from backburner.stores.sql.dialect import Dialect
from backburner.stores.sql.names import Names
from backburner.stores.sql.statements import statements_of

_FILE_NAME = re.compile(r"(\d{4})_\w+\.sql")
_END_OF_STATEMENT = re.compile(r";[ \t]*$", re.MULTILINE)
_COMMENT = re.compile(r"--.*$", re.MULTILINE)
_CREATED = re.compile(r"^CREATE TABLE (?:IF NOT EXISTS )?(\S+)", re.MULTILINE)
_WORKS_WITH = re.compile(r"^-- Works with code that expects version (\d+)", re.MULTILINE)


class Migration(NamedTuple):
    """One file: `0001_jobs.sql` is version 1."""

    version: int
    name: str
    source: str

    def statements(self) -> list[str]:
        """Return its statements; each ends with a semicolon at the end of a line."""
        parts = _END_OF_STATEMENT.split(self.source)
        return [part.strip() for part in parts if _COMMENT.sub("", part).strip()]

    @property
    def works_with(self) -> int:
        """The oldest version of the tables whose code may work on these; its own when the file does not say."""
        said = _WORKS_WITH.search(self.source)
        return int(said[1]) if said else self.version


class Migrator:
    """The migrations of a dialect, as operations. `folder` is where the files are; by default, the package's own."""

    def __init__(self, dialect: Dialect, folder: Traversable | None = None, names: Names = Names()) -> None:  # noqa: B008 # a value
        self._sql = statements_of(dialect, names)
        self._names = names
        self._migrations = _own(dialect.name, names) if folder is None else sorted(_read(folder, names))
        self.needed: int = self._migrations[-1].version

    def state(self) -> Op[SchemaState]:
        """Compare the tables with what this code needs."""
        exists: Reply = yield Statement(self._sql["has_schema"])
        if not exists.rows[0][0]:
            return SchemaState(0, self.needed)
        version: Reply = yield Statement(self._sql["schema_version"])
        found, works_with = version.rows[0]
        return SchemaState(found, self.needed, works_with)

    def migrate(self) -> Op[list[str]]:
        """Apply what is missing, in one transaction; return the names. Raises SchemaMissing for newer tables."""
        yield BEGIN
        yield from self._hook("begin_migrating")
        names = yield from self._apply()
        return names

    def script(self) -> str:
        """Return what `migrate` does to an empty database."""
        parts = [f"{text};\n" for text in self._making_schema()]
        parts += [f"{migration.source.strip()}\n\n{self._note(migration)};\n" for migration in self._migrations]
        return "\n".join(parts)

    def steps(self) -> list[MigrationStep]:
        """Return the same version by version, for others to execute."""
        return list(map(self._step, self._migrations))

    def _apply(self) -> Op[list[str]]:
        """Apply what is missing, while nobody else does."""
        # Only now does the version stand still: another process may be migrating too.
        state = yield from self.state()
        refuse_newer(state)
        if self._names.schema is not None:
            yield from self._hook("make_namespace")
        yield Statement(self._sql["make_schema"])
        missing = [migration for migration in self._migrations if migration.version > state.found]
        for migration in missing:
            for text in migration.statements():
                yield from self._perform(text)
            yield Statement(self._note(migration))
        return [migration.name for migration in missing]

    def _perform(self, text: str) -> Op[None]:
        """Perform a statement of a migration."""
        yield Statement(text)

    def _making_schema(self) -> list[str]:
        """Return what makes the table that versions are noted in."""
        made = ["make_schema"] if self._names.schema is None else ["make_namespace", "make_schema"]
        return list(map(self._text, made))

    def _step(self, migration: Migration) -> MigrationStep:
        before = self._making_schema() if migration is self._migrations[0] else []
        statements = [*before, *migration.statements(), self._note(migration)]
        tables = [found[1] for text in statements if (found := _CREATED.search(text))]
        return MigrationStep(migration.version, statements, tables)

    def _hook(self, name: str) -> Op[None]:
        """Run a statement that only some databases have."""
        if name in self._sql:
            yield Statement(self._text(name))

    def _text(self, name: str) -> str:
        return self._sql[name].replace("{namespace}", self._names.schema or "")

    def _note(self, migration: Migration) -> str:
        text = self._sql["note_migration"]
        values = {"version": migration.version, "name": migration.name, "works_with": migration.works_with}
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", str(value))
        return text


def refuse_newer(state: SchemaState) -> None:
    """Raise SchemaMissing when the tables are of a later version that does not work with this code."""
    if state.works_with > state.needed:
        raise SchemaMissing(
            f"the tables are newer than this code: expected version {state.needed} of the tables, got {state.found}; "
            "upgrade backburner here to the version that is used elsewhere"
        )


@cache  # tests make an app each, and read no files for it
def _own(dialect: str, names: Names) -> Sequence[Migration]:
    """Return the package's own migrations for a dialect."""
    return tuple(sorted(_read(files("backburner.stores.sql").joinpath(dialect, "migrations"), names)))


def _read(folder: Traversable, names: Names) -> Iterator[Migration]:
    for file in folder.iterdir():
        if found := _FILE_NAME.fullmatch(file.name):
            yield Migration(int(found[1]), file.name.removesuffix(".sql"), names.applied(file.read_text("utf-8")))
