"""A project whose database the environment names: SQLite in a folder, or a server by its URL."""

from __future__ import annotations

import os
from typing import Any

from tests.servers.django_settings import entry_for

HOME = os.environ["SHOP_HOME"]
URL = os.environ.get("SHOP_URL", "")


def database(name: str) -> dict[str, Any]:
    return entry_for(URL or f"sqlite:///{HOME}/{name}.sqlite3")


DATABASES = {
    "default": database("shop"),
    "same": {**database("shop"), "TEST": {"MIRROR": "default"}},
    "other": entry_for(f"sqlite:///{HOME}/other.sqlite3"),
}
if "SHOP_TEST_NAME" in os.environ:  # otherwise tests on SQLite have a database in memory
    DATABASES["default"]["TEST"] = {"NAME": os.environ["SHOP_TEST_NAME"]}

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "backburner.integrations.django",
    "shop",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
ROOT_URLCONF = "config.urls"
SECRET_KEY = "nothing depends on it"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # takes no time
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
