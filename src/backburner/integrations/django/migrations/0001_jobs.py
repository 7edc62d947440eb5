"""The tables of the first version, and the models that read them."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import migrations, models

from backburner.integrations.django.fields import JobIdField, MomentField
from backburner.integrations.django.migrating import Tables

SHARED: list[tuple[str, Any]] = [
    ("id", JobIdField(primary_key=True, serialize=False)),
    ("name", models.TextField()),
    ("queue", models.TextField()),
    ("priority", models.IntegerField(help_text="Lower numbers run first.")),
    ("run_at", MomentField()),
    ("state", models.TextField()),
    ("attempts", models.IntegerField()),
    ("max_attempts", models.IntegerField()),
    ("crashes", models.IntegerField(help_text="How many workers were lost while they performed it.")),
    ("created_at", MomentField()),
    ("tags", models.TextField(null=True)),
    ("progress", models.TextField(null=True)),
    ("last_error", models.TextField(null=True)),
    ("handler", models.TextField()),
]
FINISHED: list[tuple[str, Any]] = [
    ("finished_at", MomentField()),
    ("locked_by", models.TextField(null=True)),
    ("result", models.TextField(null=True)),
]


def options(table: str, **others: Any) -> dict[str, Any]:
    """Return the options of a model of one of these tables."""
    return {"db_table": table, "managed": False, **others}


class Migration(migrations.Migration):
    """Jobs."""

    initial = True
    dependencies: ClassVar[list[Any]] = []
    operations: ClassVar[list[Any]] = [
        Tables(1),
        migrations.CreateModel(
            name="Job",
            fields=[*SHARED, ("failed_at", MomentField(null=True))],
            options=options("backburner_jobs", ordering=("-id",), verbose_name="job"),
        ),
        migrations.CreateModel(
            name="FinishedJob",
            fields=[*SHARED, *FINISHED],
            options=options("backburner_finished", ordering=("-id",), verbose_name="finished job"),
        ),
    ]
