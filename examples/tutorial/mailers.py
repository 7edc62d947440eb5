"""What the application writes to people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backburner import mail

from . import settings

if TYPE_CHECKING:
    from .models import User

HELLO = """\
Hello {name},

thank you for signing up. One click, and you are in:

    {link}

Good things take their time, but this mail did not keep you waiting.
"""


class Mailer(mail.Mailer):
    sender = "Simmer <hello@simmer.example>"

    @classmethod
    def hello(cls, user: User) -> mail.Message:
        link = f"{settings.PAGE_URL}/users/{user.id}/activate/{user.activation_code}"
        return mail.Message(
            to=user.email,
            subject=f"Welcome, {user.name}",
            body=HELLO.format(name=user.name, link=link),
        )
