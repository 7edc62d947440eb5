"""The tutorial's mailer."""

from __future__ import annotations

import backburner.mail
from backburner.mail import Message
from tests.tutorial.records import Record


class Mailer(backburner.mail.Mailer):
    sender = "hello@example.com"

    @classmethod
    def hello(cls, user: Record) -> Message:
        return Message(to=user.email, subject="Welcome", body=f"Hello {user.name}!")
