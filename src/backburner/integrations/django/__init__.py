"""Django: jobs in its transactions and about its models, with its settings, commands, admin and tests.

Needs `"backburner.integrations.django"` in INSTALLED_APPS. Of all modules here only this one may be imported before the
apps are loaded: settings name backends by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backburner.app import Backburner
    from backburner.authoring.libraries import Library

_HOMES = {"EmailBackend": "mail", "TaskBackend": "tasks_backend"}


def library(app: Backburner) -> Library:
    """Return what an app is to know of Django."""
    from backburner.integrations.django.django_library import DjangoLibrary

    return DjangoLibrary(app)


def __getattr__(name: str) -> Any:
    """Import a backend when it is first used."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{home}"), name)
