"""A mailer and the users it writes to."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any, ClassVar

from backburner import handle_asynchronously
from backburner.mail import Mailer, Message


class User:
    """A record of a table that is a dictionary."""

    table: ClassVar[dict[int, User]] = {}

    def __init__(self, key: int, name: str) -> None:
        self.key = key
        self.name = name
        self.table[key] = self

    @property
    def email(self) -> str:
        return f"{self.name.lower()}@example.com"

    def __job_key__(self) -> int:
        return self.key

    @classmethod
    def __job_load__(cls, key: int) -> User | None:
        return cls.table.get(key)


class ShopMailer(Mailer):
    sender = "Shop <shop@example.com>"

    @classmethod
    def hello(cls, user: User, *, lang: str = "en") -> Message:
        """Welcome a user."""
        return cls._to(user, {"en": "Welcome", "de": "Willkommen"}[lang])

    @classmethod
    def _to(cls, user: User, subject: str) -> Message:
        return Message(to=user.email, subject=subject, body=f"Dear {user.name}")

    @classmethod
    def from_support(cls, user: User) -> Message:
        return Message(to=user.email, sender="help@example.com")

    @staticmethod
    def static(user: User) -> Message:
        return Message(to=user.email, subject="static")

    @classmethod
    async def slowly(cls, user: User) -> Message:
        return Message(to=user.email, subject="slowly")

    @classmethod
    def standard(cls, user: User) -> EmailMessage:
        email = EmailMessage()
        email["From"], email["To"] = "shop@example.com", user.email
        email.set_content("Dear reader")
        return email

    @handle_asynchronously(queue="mail")
    @classmethod
    def always_later(cls, user: User) -> Message:
        return Message(to=user.email, subject="later")

    @classmethod
    def anything(cls, name: str) -> Any:
        return RESULTS[name]


class Letters(ShopMailer):
    sender = "letters@example.com"

    @classmethod
    def hello(cls, user: User, *, lang: str = "en") -> Message:
        message = super().hello(user, lang=lang)
        message.subject += "!"
        return message


RESULTS: dict[str, Any] = {}
"""What `ShopMailer.anything` returns, by name."""
