"""The Django app."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.signals import setting_changed

from backburner.authoring.apps import current_app


class BackburnerConfig(AppConfig):
    """Makes the project's app the current one, which is made when it is first used."""

    name = "backburner.integrations.django"
    label = "backburner"
    verbose_name = "Background jobs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Say how the app is made, and what is to be checked."""
        from backburner.integrations.django import checks
        from backburner.integrations.django.project import project
        from backburner.integrations.django.tasks_loading import load_jobs_of_tasks

        checks.register()
        load_jobs_of_tasks()
        current_app.set_default(project.app)
        setting_changed.connect(project.note_change, dispatch_uid="backburner")
