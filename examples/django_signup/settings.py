"""The settings. SIGNUP_DATABASE and SIGNUP_MAIL_PORT in the environment say where database and mail server are."""

from __future__ import annotations

import os
from typing import Any

import django

DEBUG = True
SECRET_KEY = "only for an example"  # noqa: S105
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "django_signup.urls"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "backburner.integrations.django",
    "django_signup",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES: list[dict[str, Any]] = [
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
STATIC_URL = "static/"
TIME_ZONE = "UTC"
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ.get("SIGNUP_DATABASE", "signup.sqlite3")}
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DEFAULT_FROM_EMAIL = "Simmer <hello@simmer.example>"

MAIL_SERVER = {"host": "127.0.0.1", "port": int(os.environ.get("SIGNUP_MAIL_PORT", "2525"))}
if django.VERSION >= (6, 1):
    MAILERS = {"default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": MAIL_SERVER}}
else:
    EMAIL_HOST, EMAIL_PORT = MAIL_SERVER.values()

# Jobs are kept in the database `default`, and written in its transactions.
BACKBURNER = {"QUEUE_ATTRIBUTES": {"mail": {"priority": -10}}}
