"""The mails that the catch-all server received, read from its folder."""

from __future__ import annotations

import email
import email.policy
import mailbox
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from . import settings


class Mail(NamedTuple):
    received_at: datetime
    sender: str
    to: str
    subject: str
    text: str


def path() -> Path:
    return settings.HOME / "inbox"


def mails() -> list[Mail]:
    """Return all mails, newest first."""
    folder = mailbox.Maildir(path(), factory=None)
    return sorted((_mail(message) for message in folder), reverse=True)


def _mail(stored: mailbox.MaildirMessage) -> Mail:
    message = email.message_from_bytes(stored.as_bytes(), policy=email.policy.default)
    body = message.get_body(("plain",))
    return Mail(
        received_at=datetime.fromtimestamp(stored.get_date(), UTC),
        sender=str(message["From"]),
        to=str(message["To"]),
        subject=str(message["Subject"]),
        text=body.get_content() if body else "",
    )
