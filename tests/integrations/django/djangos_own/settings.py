"""A project with nothing but backburner and Django's tests of tasks."""

from __future__ import annotations

SECRET_KEY = "nothing depends on it"
USE_TZ = True
INSTALLED_APPS = ["backburner.integrations.django"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TASKS = {"default": {"BACKEND": "backburner.integrations.django.TaskBackend", "QUEUES": []}}
