"""A custom job: an object with `perform`, which may choose its priority and listen to its own life."""

from __future__ import annotations

from dataclasses import dataclass

from backburner import Cancel, JobHooks

from .mailers import Mailer
from .models import User


@dataclass
class HelloEmailJob(JobHooks):
    """Sends the welcome mail again, to somebody who sits before the page and waits for it."""

    user: User

    priority = -10  # lower numbers run first
    max_attempts = 3

    def before(self) -> None:
        """Call the mail off if the first one has been found in the meantime."""
        if self.user.is_active:
            raise Cancel(f"{self.user.email} is active already")

    def perform(self) -> None:
        Mailer.hello(self.user).deliver()
