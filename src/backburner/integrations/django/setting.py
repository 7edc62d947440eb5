"""The setting BACKBURNER: where the project keeps its jobs, and the settings of its app in capitals.

DATABASE is an alias of DATABASES, in whose database and transactions jobs are written; URL names a store elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections

from backburner.core.errors import ConfigurationError
from backburner.core.settings import Settings

NAME = "BACKBURNER"

OWN = ("DATABASE", "URL", "EMAIL_BACKEND", "EMAIL_QUEUE")
"""Those that are not settings of an app."""

KNOWN = (*OWN, *(name.upper() for name in Settings.__slots__))


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What the project chose."""

    database: str = DEFAULT_DB_ALIAS
    """The alias of the database that jobs are kept in, unless there is a URL."""
    url: str | None = None
    email_backend: str = "django.core.mail.backends.smtp.EmailBackend"
    email_queue: str | None = None
    app: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the app, as it takes them."""

    @property
    def alias(self) -> str | None:
        """The database of Django's that holds the jobs; None when a URL says where they are."""
        return self.database if self.url is None else None


def chosen() -> Chosen:
    """Return what the project chose just now. Raises ConfigurationError."""
    given = getattr(settings, NAME, {})
    if not isinstance(given, Mapping):
        raise ConfigurationError(f"{NAME}: expected a dictionary, got {given!r}")
    _refuse_unknown(given)
    own = {name.lower(): value for name, value in given.items() if name in OWN and value is not None}
    _check_place(own)
    app = {name.lower(): value for name, value in given.items() if name not in OWN}
    _check_app(app)
    return Chosen(**own, app=app)


def _refuse_unknown(given: Mapping[str, Any]) -> None:
    unknown = sorted(str(name) for name in given if name not in KNOWN)
    if unknown:
        raise ConfigurationError(f"{NAME}: expected only {', '.join(KNOWN)}, got {', '.join(unknown)}")


def _check_place(own: Mapping[str, Any]) -> None:
    if "url" in own and "database" in own:
        raise ConfigurationError(f"{NAME}: expected DATABASE or URL, got both")
    for name, value in own.items():
        if not isinstance(value, str):
            raise ConfigurationError(f"{NAME}: {name.upper()}: expected a text, got {value!r}")
    if "url" not in own:
        expect_alias(own.get("database", DEFAULT_DB_ALIAS), f"{NAME}: DATABASE")


def _check_app(app: Mapping[str, Any]) -> None:
    try:
        Settings.of(app)
    except ConfigurationError as error:
        raise ConfigurationError(f"{NAME}: {error}") from None


def expect_alias(alias: str, what: str) -> None:
    """Raise ConfigurationError unless this is an alias of DATABASES; `what` is what it is given as."""
    known = connections.settings
    if alias not in known:
        raise ConfigurationError(f"{what}: expected one of DATABASES, which are {', '.join(known)}, got {alias!r}")
