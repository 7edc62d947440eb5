"""System checks: whether jobs can be kept where the setting BACKBURNER says, and whether the tables are there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.core import checks
from django.db import connections

from backburner.core.errors import ConfigurationError
from backburner.integrations.django.addresses import url_of
from backburner.integrations.django.setting import chosen
from backburner.integrations.django.tables import state_on
from backburner.stores.open import open_store


def register() -> None:
    """Let `manage.py check` know of these."""
    checks.register(check_setting)
    checks.register(check_tables, checks.Tags.database)


def check_setting(**_: Any) -> list[Any]:
    """Check the setting, and that there is a store for what it names."""
    try:
        choice = chosen()
    except ConfigurationError as error:
        return [checks.Error(str(error), id="backburner.E001")]
    try:
        open_store(choice.url or url_of(connections[choice.database]))
    except ConfigurationError as error:
        return [checks.Error(f"jobs cannot be kept there: {error}", id="backburner.E002")]
    return []


def check_tables(databases: Sequence[str] | None = None, **_: Any) -> list[Any]:
    """Check that the tables are there, in a database that may be asked."""
    try:
        alias = chosen().alias
    except ConfigurationError:
        return []  # the other check says so
    if alias is None or alias not in (databases or ()):
        return []
    return list(_missing(connections[alias]))


def _missing(connection: Any) -> Iterator[Any]:
    state = state_on(connection)
    if not state.is_current and connection.vendor != "sqlite":  # which makes them at its first use
        which = f"of version {state.found}, and version {state.needed} is needed" if state.found else "missing"
        yield checks.Warning(
            f"the tables of jobs in the database {connection.alias!r} are {which}",
            hint="run `manage.py migrate`",
            id="backburner.W001",
        )
