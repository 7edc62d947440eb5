"""The tables, made by Django's migrations."""

from __future__ import annotations

import re
import unittest
from io import StringIO
from typing import Any

from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader
from django.test import override_settings
from shop.jobs import welcome

from backburner import current, jobs
from backburner.core.errors import SchemaMissing
from backburner.integrations.django.migrating import Tables
from backburner.integrations.django.tables import migrator_for

TABLES = {"backburner_jobs", "backburner_finished", "backburner_workers", "backburner_queues", "backburner_schema"}


class Case(unittest.TestCase):
    def setUp(self) -> None:
        self.addCleanup(self.remove)

    def remove(self) -> None:
        for alias in ("default", "other"):
            for table in tables(alias):
                with connections[alias].cursor() as cursor:
                    cursor.execute(f"DROP TABLE IF EXISTS {table}")
            if "django_migrations" in connections[alias].introspection.table_names():
                with connections[alias].cursor() as cursor:
                    cursor.execute("DELETE FROM django_migrations WHERE app = 'backburner'")
        current().close()


def tables(alias: str = "default") -> set[str]:
    names = connections[alias].introspection.table_names()
    return {name for name in names if name.startswith("backburner_") and name != "backburner_finished_rest"}


def said_by(*command: str, **options: Any) -> str:
    out = StringIO()
    call_command(*command, stdout=out, **options)
    return out.getvalue()


def migrate(*target: str, alias: str = "default") -> None:
    call_command("migrate", "backburner", *target, verbosity=0, database=alias)


def without_comments(sql: str) -> str:
    return " ".join(re.sub(r"--.*$", "", sql, flags=re.M).split())


class Migrations(Case):
    def test_they_make_what_backburner_would(self) -> None:
        migrate()
        self.assertLessEqual(TABLES, tables())
        self.assertTrue(current().store.schema_state().is_current)
        welcome.delay(1)
        self.assertEqual(jobs.count(), 1)

    def test_sqlmigrate_prints_what_is_executed(self) -> None:
        printed = without_comments(said_by("sqlmigrate", "backburner", "0001"))
        self.assertIn(without_comments(current().store.migration_sql()), printed)
        self.assertNotIn("cannot be written as sql", printed.lower())
        self.assertIn(
            "DROP TABLE IF EXISTS backburner_jobs", said_by("sqlmigrate", "backburner", "0001", backwards=True)
        )

    def test_they_can_be_taken_back_and_made_again(self) -> None:
        for _ in range(2):
            migrate()
            self.assertLessEqual(TABLES, tables())
            migrate("zero")
            self.assertEqual(tables(), set())

    def test_tables_that_are_there_are_left_as_they_are(self) -> None:
        current().migrate()
        welcome.delay(1)
        migrate()
        self.assertEqual(jobs.count(), 1)

    def test_other_databases_get_none(self) -> None:
        migrate()
        migrate(alias="other")
        self.assertLessEqual(TABLES, tables())
        self.assertEqual(tables("other"), set())

    def test_they_are_made_in_the_database_of_the_setting(self) -> None:
        with override_settings(BACKBURNER={"DATABASE": "other"}):
            migrate()
            migrate(alias="other")
        self.assertEqual(tables(), set())
        self.assertLessEqual(TABLES, tables("other"))

    def test_with_a_url_they_are_made_nowhere(self) -> None:
        with override_settings(BACKBURNER={"URL": "memory://"}):
            migrate()
        self.assertEqual(tables(), set())

    def test_a_database_router_may_refuse_them(self) -> None:
        with override_settings(DATABASE_ROUTERS=["config.routers.NoJobs"]):
            migrate()
        self.assertEqual(tables(), set())

    def test_there_is_one_for_each_of_backburners_own(self) -> None:
        found = MigrationLoader(None).disk_migrations
        operations = [each for key in found if key[0] == "backburner" for each in found[key].operations]
        versions = [operation.version for operation in operations if isinstance(operation, Tables)]
        needed = [migrator_for(vendor).needed for vendor in ("sqlite", "postgresql", "mysql")]
        self.assertEqual(versions, list(range(1, max(needed) + 1)))

    def test_the_models_and_the_migrations_agree(self) -> None:
        self.assertIn("No changes detected", said_by("makemigrations", check_changes=True, dry_run=True))

    def test_without_them_a_job_names_the_command(self) -> None:
        if connection.vendor == "sqlite":  # makes its tables by itself
            welcome.delay(1)
            self.assertLessEqual(TABLES, tables())
            return
        with self.assertRaisesRegex(SchemaMissing, "backburner migrate"):
            welcome.delay(1)
