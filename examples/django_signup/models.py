"""The model of the example: a member, whose first save enqueues a welcome mail."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.signals import post_save
from django.dispatch import receiver

from backburner import Delayable

from .mailers import Mailer


class Member(Delayable, models.Model):
    """Somebody who signed up."""

    name = models.CharField(max_length=80)
    email = models.EmailField(unique=True, error_messages={"unique": "This address has signed up already."})

    def __str__(self) -> str:
        return str(self.name)


@receiver(post_save, sender=Member)
def send_welcome(instance: Member, created: bool, **_: Any) -> None:
    """Enqueue the welcome mail in the transaction of the saving: commit keeps both, rollback drops both."""
    if created:
        Mailer.delay(queue="mail").hello(instance)
