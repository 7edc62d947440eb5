from __future__ import annotations

from typing import Any

from django.db import migrations, models

import backburner


class Migration(migrations.Migration):
    initial = True
    dependencies: list[Any] = []
    operations: list[Any] = [
        migrations.CreateModel(
            name="Member",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80)),
                (
                    "email",
                    models.EmailField(
                        error_messages={"unique": "This address has signed up already."}, max_length=254, unique=True
                    ),
                ),
            ],
            bases=(backburner.Delayable, models.Model),
        ),
    ]
