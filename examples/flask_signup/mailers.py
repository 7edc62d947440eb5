"""What the application writes to people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import url_for

from backburner import mail

if TYPE_CHECKING:
    from .models import User


class Mailer(mail.Mailer):
    sender = "Simmer <hello@simmer.example>"

    @classmethod
    def hello(cls, user: User) -> mail.Message:
        """Build the welcome mail. The worker calls this, in a context of the application."""
        return mail.Message(
            to=user.email,
            subject=f"Welcome, {user.name}",
            body=f"Hello {user.name},\n\nthank you for signing up at {url_for('pages.sign_up', _external=True)}\n",
        )
