"""A project whose database the environment names: SQLite in a folder, or a server by its URL."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import unquote, urlsplit

HOME = os.environ["SHOP_HOME"]
URL = os.environ.get("SHOP_URL", "")
ENGINES = {"postgresql": "django.db.backends.postgresql", "mysql": "django.db.backends.mysql"}

if URL.startswith("mysql"):
    import pymysql

    pymysql.version_info = (2, 2, 7, "final", 0)  # what Django expects of the other driver
    pymysql.install_as_MySQLdb()


def database(name: str) -> dict[str, Any]:
    if not URL:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{HOME}/{name}.sqlite3"}
    parts = urlsplit(URL)
    return {
        "ENGINE": ENGINES[parts.scheme],
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
    }


DATABASES = {
    "default": database("shop"),
    "same": {**database("shop"), "TEST": {"MIRROR": "default"}},
    "other": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{HOME}/other.sqlite3"},
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
