"""What the application writes to people."""

from __future__ import annotations

from backburner import mail

from .models import User


class Mailer(mail.Mailer):
    sender = "Simmer <hello@simmer.example>"

    @classmethod
    def hello(cls, user: User) -> mail.Message:
        return mail.Message(
            to=user.email, subject=f"Welcome, {user.name}", body=f"Hello {user.name},\n\nthank you for signing up.\n"
        )
