"""System checks, and the setting BACKBURNER."""

from __future__ import annotations

import unittest
from typing import Any

from django.core.checks import run_checks
from django.db import connection
from django.test import override_settings

from backburner import current, jobs
from backburner.core.errors import ConfigurationError

WRONG: list[tuple[Any, str]] = [
    ({"ALOW": []}, "E001.* BACKBURNER: expected only DATABASE, URL, EMAIL_BACKEND, .*DEFAULT_QUEUE.*, got ALOW"),
    ({"DATABASE": "nowhere"}, "E001.*one of DATABASES, which are default, same, other, got 'nowhere'"),
    ({"DATABASE": "other", "URL": "sqlite://"}, "E001.*expected DATABASE or URL, got both"),
    ({"URL": 5}, "E001.*URL: expected a text, got 5"),
    ({"MAX_ATTEMPTS": "many"}, "E001.*BACKBURNER: max_attempts: "),
    (["no dictionary"], "E001.*expected a dictionary"),
    ({"URL": "oracle://there"}, "E002.*jobs cannot be kept there: expected the URL of a store"),
]


def ours(**options: Any) -> str:
    return "\n".join(str(message) for message in run_checks(**options) if message.id.startswith("backburner."))


class Checks(unittest.TestCase):
    def test_a_right_setting_is_none(self) -> None:
        self.assertEqual(ours(), "")

    def test_a_wrong_setting_is_an_error(self) -> None:
        for setting, expected in WRONG:
            with self.subTest(setting=setting), override_settings(BACKBURNER=setting):
                self.assertRegex(ours(), expected)

    def test_a_wrong_setting_is_an_error_where_the_app_is_used(self) -> None:
        with override_settings(BACKBURNER={"ALOW": []}), self.assertRaisesRegex(ConfigurationError, "got ALOW"):
            jobs.count()

    def test_settings_are_those_of_the_app_in_capitals(self) -> None:
        with override_settings(BACKBURNER={"DEFAULT_QUEUE": "slow", "MAX_ATTEMPTS": 3, "ALLOW": ["json"]}):
            self.assertEqual(current().settings.default_queue, "slow")
            self.assertEqual(current().allowed.prefixes, ("json", "shop", "django.contrib.auth.models"))
        self.assertEqual(current().settings.default_queue, "default")

    def test_missing_tables_are_a_warning_where_databases_may_be_asked(self) -> None:
        with override_settings(BACKBURNER={"DATABASE": "default"}):
            self.assertEqual(ours(databases=["default"]), "")
            with connection.cursor() as cursor:
                cursor.execute("ALTER TABLE backburner_schema RENAME TO hidden_schema")
            try:
                self.assertEqual(ours(), "")
                self.assertEqual(ours(databases=["other"]), "")
                self.assertIs("W001" in ours(databases=["default"]), connection.vendor != "sqlite")
            finally:
                with connection.cursor() as cursor:
                    cursor.execute("ALTER TABLE hidden_schema RENAME TO backburner_schema")
