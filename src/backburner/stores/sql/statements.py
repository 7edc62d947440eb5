"""SQL statements in files, by name.

A file holds statements like this one; the comment is for its reader and is not sent::

    -- name: beat
    -- A worker says that it is alive.
    UPDATE backburner_workers SET beat_at = ? WHERE number = ?

`{live}`, `{history}` and `{moved}` stand for lists of columns, see `rows`; `{now}` for the present time and `{clock}`
for the database's own time, see `Dialect`.
The tables get the names that are in use; see `names`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from backburner.stores.sql.dialect import Dialect
from backburner.stores.sql.names import Names
from backburner.stores.sql.rows import COLUMN_LISTS

HEADING = "-- name: "


@cache
def statements_of(dialect: Dialect, names: Names) -> Mapping[str, str]:
    """Return the statements of a dialect by name."""
    folder = files("backburner.stores.sql").joinpath(dialect.name, "statements")
    sources = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    found = dict(named for file in sources for named in parse(file.read_text("utf-8")))
    clock = dialect.clock or ""
    parts = {"{now}": dialect.now, "{clock}": clock, "{live_state}": dialect.live_state}
    for part, meaning in parts.items():
        found = {name: text.replace(part, meaning) for name, text in found.items()}
    return MappingProxyType({name: names.applied(text) for name, text in found.items()})


def parse(source: str) -> Iterator[tuple[str, str]]:
    """Yield names and statements; what stands before the first name is for the reader."""
    for part in source.split(f"\n{HEADING}" if not source.startswith(HEADING) else HEADING)[1:]:
        name, _, body = part.partition("\n")
        yield name.strip(), _filled(_bare(body))


def _bare(body: str) -> str:
    # Comments must go: sqlite3 looks at the first word to see whether a transaction must begin.
    lines = map(str.strip, body.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("--"))


def _filled(text: str) -> str:
    for name, columns in COLUMN_LISTS.items():
        text = text.replace(f"{{{name}}}", columns)
    return text
