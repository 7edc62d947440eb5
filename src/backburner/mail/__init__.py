"""Mail that is sent by jobs: messages, mailers that build them, and transports that take them to where they go."""

from __future__ import annotations

from backburner.mail.errors import InvalidMessage, SomeRefused
from backburner.mail.mailer import Mailer, deliver
from backburner.mail.message import Attachment, Message

__all__ = ["Attachment", "InvalidMessage", "Mailer", "Message", "SomeRefused", "deliver"]
