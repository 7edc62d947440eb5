"""The SQL that makes the tables, as a revision of Alembic's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from backburner.core.schema import MigrationStep

_NOTE = re.compile(r"INSERT INTO \S*schema\b[^;]*?VALUES \((\d+), '\d{4}_", re.DOTALL)
_PARAMETER = re.compile(r"(?<![:\w\\]):(?=\w+(?!:)\b)")
"""What SQLAlchemy would take for a parameter."""


class Revision(NamedTuple):
    """What is to be executed, there and back; nothing leads back from tables that were only changed."""

    statements: Sequence[str]
    undone: Sequence[str]
    name: str
    """What Alembic knows it by: the version of the tables that it leads to."""

    @classmethod
    def of(cls, steps: Sequence[MigrationStep], version: int = 0) -> Revision:
        """Return what brings tables of a version, 0 for none, to that of the last step."""
        statements = [text for step in steps if step.version > version for text in step.statements]
        made = [table for step in steps for table in step.tables] if version == 0 else []
        undone = [f"DROP TABLE IF EXISTS {table}" for table in reversed(made)]
        return cls(statements, undone, f"backburner_{steps[-1].version:04}")


def version_in(revision: str) -> int:
    """Return the version of the tables that the text of a revision takes note of; 0 when it has to do with others."""
    return max(map(int, _NOTE.findall(revision)), default=0)


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
