"""What an app knows of Django."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.connection import ConnectionProxy

from backburner.app import Backburner
from backburner.authoring.libraries import Joint
from backburner.integrations.django.connections import fresh_connections, leave_to_parent_when_forked
from backburner.integrations.django.database import DatabaseStore
from backburner.integrations.django.executing import executor
from backburner.integrations.django.joining import Behind, Inside
from backburner.integrations.django.own_apps import own_modules
from backburner.integrations.django.records import Models
from backburner.integrations.django.setting import expect_alias

VENDORS = {"sqlite": "sqlite", "postgresql": "postgresql", "mysql": "mysql", "mariadb": "mysql"}
"""Django's names of the databases that URLs of stores begin with."""


class DjangoLibrary(Models):
    """Django, as far as one app has to do with it. In a process without Django's settings that is nothing."""

    def __init__(self, app: Backburner) -> None:
        self._store: Any = app.store
        self._leads: dict[tuple[str, Any], bool] = {}
        if settings.configured:
            app.around("perform")(fresh_connections)
            leave_to_parent_when_forked()
        if self._is_for_tests and apps.ready and apps.is_installed(__package__):
            app.allow(*own_modules())  # as the project's own app does

    def joint(self, connection: object) -> Joint | None:
        """See `Library.joint`: an alias of DATABASES, or a connection of Django's."""
        alias = _alias_of(connection)
        if alias is None or self._is_for_tests:
            return None
        return Inside(self._store, alias) if self._leads_here(alias) else Behind(self._store, alias)

    def default(self) -> object | None:
        """See `Library.default`: the alias of the database that the store is in, if it is one of DATABASES."""
        if isinstance(self._store, DatabaseStore):
            return self._store.alias
        if not settings.configured or DEFAULT_DB_ALIAS not in connections.settings:
            return None
        return DEFAULT_DB_ALIAS if self._leads_here(DEFAULT_DB_ALIAS) else None

    def bind(self, source: object) -> bool:  # noqa: ARG002  # Django's connections are known without being given
        """See `Library.bind`."""
        return False

    @property
    def _is_for_tests(self) -> bool:
        """Whether the app is one in memory, for tests, which takes jobs whatever their connection is."""
        return bool(getattr(self._store, "ignores_connections", False))

    def _leads_here(self, alias: str) -> bool:
        """Say whether this alias leads to the store's database; it is asked once, while that is called the same."""
        if isinstance(self._store, DatabaseStore) and self._store.alias == alias:
            return True
        connection = connections[alias]
        if VENDORS.get(self._store.url.partition("://")[0]) != getattr(connection, "vendor", None):
            return False
        place = (alias, str(connection.settings_dict["NAME"]))
        if place not in self._leads:
            self._leads[place] = self._store.leads_here(executor(connection))
        return self._leads[place]


def _alias_of(connection: object) -> str | None:
    """Return the alias that a `connection=` means, None if it means none. ConfigurationError if it is unknown."""
    if not settings.configured:
        return None
    if isinstance(connection, str):
        expect_alias(connection, "connection")
        return connection
    return str(connection.alias) if isinstance(connection, (BaseDatabaseWrapper, ConnectionProxy)) else None
