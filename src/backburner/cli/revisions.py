"""The SQL that makes the tables, as a revision of Alembic's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_END_OF_STATEMENT = re.compile(r";[ \t]*$", re.MULTILINE)
_COMMENT = re.compile(r"--.*$", re.MULTILINE)
_NOTE = re.compile(r"INSERT INTO \S*schema\b[^;]*?VALUES \((\d+), '\d{4}_", re.DOTALL)
_TABLE = re.compile(r"CREATE TABLE (?:IF NOT EXISTS )?([\w.\"]+)")
_PARAMETER = re.compile(r"(?<![:\w\\]):(?=\w+(?!:)\b)")
"""What SQLAlchemy would take for a parameter."""


class Revision(NamedTuple):
    """What is to be executed, there and back; nothing leads back from tables that were only changed."""

    statements: Sequence[str]
    undone: Sequence[str]
    name: str
    """What Alembic knows it by: the version of the tables that it leads to."""

    @classmethod
    def of(cls, script: str, version: int = 0) -> Revision:
        """Return what brings the tables from a version, 0 for none, to where a script brings an empty database."""
        statements = _statements_of(script)
        noted = [index for index, text in enumerate(statements) for found in versions_in(text) if found <= version]
        missing = statements[max(noted, default=-1) + 1 :]
        tables = _TABLE.findall(script) if version == 0 else []
        undone = [f"DROP TABLE IF EXISTS {table}" for table in reversed(tables)]
        return cls(missing, undone, f"backburner_{max(versions_in(script)):04}")


def versions_in(text: str) -> list[int]:
    """Return the versions of the tables that a script, or a revision, takes note of."""
    return [int(version) for version in _NOTE.findall(text)]


def bodies(revision: Revision) -> tuple[str, str]:
    """Return what is in the functions `upgrade` and `downgrade`; their first lines are indented by whoever has them."""
    forth = map(_execute, revision.statements)
    back = map(_execute, revision.undone)
    return "\n    ".join(forth), "\n    ".join(back) or 'raise NotImplementedError("no way leads back from here")'


def program(revision: Revision) -> str:
    """Return the two functions."""
    forth, back = bodies(revision)
    return f"from alembic import op\n\n\ndef upgrade() -> None:\n    {forth}\n\n\ndef downgrade() -> None:\n    {back}"


def _execute(statement: str) -> str:
    text = _PARAMETER.sub(r"\:", statement)
    return f'op.execute(r"""{text}""")' if "\n" in text or '"' in text else f'op.execute("{text}")'


def _statements_of(script: str) -> list[str]:
    parts = (part.strip() for part in _END_OF_STATEMENT.split(script))
    return [part for part in parts if _COMMENT.sub("", part).strip()]
