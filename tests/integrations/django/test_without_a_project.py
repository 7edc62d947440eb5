"""Processes in which Django is imported, and there is no project of it."""

from __future__ import annotations

from backburner import Backburner, job
from backburner.app import use


@job
def greet(name: str) -> None: ...


def test_an_app_does_without_djangos_settings() -> None:
    import django.db.models  # noqa: F401  # that makes the app look for Django's records and transactions

    with Backburner("memory://") as app, use(app):
        greet.delay("Ann")
        assert app.worker().work_off() == (1, 0)


def test_the_package_is_imported_without_settings() -> None:
    import backburner.integrations.django as package

    assert not hasattr(package, "Nothing")
