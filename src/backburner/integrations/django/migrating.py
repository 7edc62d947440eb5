"""What the migrations of this app consist of."""

from __future__ import annotations

from typing import Any

from django.db import router
from django.db.migrations.operations.base import Operation

from backburner.integrations.django.setting import chosen
from backburner.integrations.django.tables import state_on, step_to


class Tables(Operation):
    """Make the tables of one version, in the database that BACKBURNER names, if the database routers agree.

    Where they are there already, made by `backburner migrate` or by the first use of SQLite, nothing is done.
    """

    reversible = True
    reduces_to_sql = True

    def __init__(self, version: int) -> None:
        self.version = version

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Change nothing: the models are not managed."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:  # noqa: ARG002  # Django's signature
        """Execute what is missing, or collect it for `sqlmigrate`."""
        connection = schema_editor.connection
        if _is_wanted(connection, app_label) and (
            schema_editor.collect_sql or state_on(connection).found < self.version
        ):
            _execute(schema_editor, step_to(connection.vendor, self.version).statements)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:  # noqa: ARG002  # Django's signature
        """Drop the tables, and all jobs with them."""
        connection = schema_editor.connection
        if _is_wanted(connection, app_label):
            tables = step_to(connection.vendor, self.version).tables
            _execute(schema_editor, [f"DROP TABLE IF EXISTS {name}" for name in reversed(tables)])

    def describe(self) -> str:
        """Say what it does."""
        return f"Make the tables of jobs, version {self.version}"


def _is_wanted(connection: Any, app_label: str) -> bool:
    return connection.alias == chosen().alias and bool(router.allow_migrate(connection.alias, app_label))


def _execute(schema_editor: Any, texts: list[str]) -> None:
    for text in texts:
        schema_editor.execute(text, params=None)
