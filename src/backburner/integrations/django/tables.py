"""The tables of jobs, made on a connection of Django's from the same SQL as `backburner migrate`."""

from __future__ import annotations

from typing import Any

from backburner.core import ops
from backburner.core.errors import ConfigurationError, SchemaMissing
from backburner.core.ops import Reply, Statement
from backburner.core.schema import MigrationStep, SchemaState
from backburner.integrations.django.executing import executor
from backburner.stores.sql.lent import MISSING, LentSession
from backburner.stores.sql.migrate import Migrator


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


def step_to(vendor: str, version: int) -> MigrationStep:
    """Return what brings the tables of the version before to this one."""
    return next(step for step in migrator_for(vendor).steps() if step.version == version)
