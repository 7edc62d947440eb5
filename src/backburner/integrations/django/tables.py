"""The tables of jobs, made on a connection of Django's from the same SQL as `backburner migrate`."""

from __future__ import annotations

import re
from typing import Any

from backburner.core import ops
from backburner.core.errors import ConfigurationError, SchemaMissing
from backburner.core.ops import Reply, Statement
from backburner.core.ports import SchemaState
from backburner.integrations.django.executing import executor
from backburner.stores.sql.lent import MISSING, LentSession
from backburner.stores.sql.migrate import Migrator

_CREATED = re.compile(r"^CREATE TABLE (?:IF NOT EXISTS )?(\w+)", re.MULTILINE)


def migrator_for(vendor: str) -> Migrator:
    """Return the migrations for a kind of database. Raises ConfigurationError."""
    match vendor:
        case "sqlite":
            from backburner.stores.sql.dialect import SQLITE

            return Migrator(SQLITE)
        case "postgresql":
            from backburner.stores.sql.postgres.dialect import POSTGRES

            return Migrator(POSTGRES)
        case "mysql":
            from backburner.stores.sql.mysql.dialect import MYSQL
            from backburner.stores.sql.mysql.migrator import MySQLMigrator

            return MySQLMigrator(MYSQL)
    raise ConfigurationError(f"expected a database that is SQLite, PostgreSQL, MySQL or MariaDB, got {vendor}")


def state_on(connection: Any) -> SchemaState:
    """Return which tables a database has."""
    execute = executor(connection)

    def look(statement: Statement) -> Reply:
        try:
            return execute(statement)
        except Exception as error:
            if any(missing in str(error) for missing in MISSING):
                raise SchemaMissing("there are no tables") from error
            raise

    return ops.run(migrator_for(connection.vendor).state(), LentSession(look))


def steps(vendor: str, version: int) -> list[str]:
    """Return the statements that bring the tables of the version before to this one."""
    return migrator_for(vendor).steps(version)


def drops(vendor: str, version: int) -> list[str]:
    """Return the statements that remove the tables which this version brought, the last one first."""
    made = [found[1] for step in steps(vendor, version) if (found := _CREATED.search(step))]
    return [f"DROP TABLE IF EXISTS {name}" for name in reversed(made)]
