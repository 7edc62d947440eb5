"""An e-mail backend that sends in the background: `EMAIL_BACKEND = "backburner.integrations.django.EmailBackend"`."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.message import Message, MIMEPart
from email.mime.base import MIMEBase
from typing import Any

from django.core import mail
from django.core.mail import DNS_NAME, EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.utils.module_loading import import_string

from backburner import JobHooks, enqueue_all
from backburner.core.errors import ConfigurationError
from backburner.integrations.django.setting import chosen

KNOWN = frozenset(
    [
        "_connection",
        "alternatives",
        "attachments",
        "bcc",
        "body",
        "cc",
        "connection",
        "content_subtype",
        "encoding",
        "extra_headers",
        "from_email",
        "reply_to",
        "subject",
        "to",
    ]
)
"""The attributes of a message that have a field of their own in a job."""


class EmailBackend(BaseEmailBackend):
    """Makes a job of each message, in the transaction of the database that jobs are in.

    Workers hand the messages to the backend that the setting BACKBURNER names as EMAIL_BACKEND.
    """

    def __init__(self, username: str | None = None, password: str | None = None, **others: Any) -> None:
        if username or password:
            raise ConfigurationError(
                "expected no username and password: a job does not keep them; set EMAIL_HOST_USER and "
                "EMAIL_HOST_PASSWORD, which the worker uses"
            )
        super().__init__(**others)

    def send_messages(self, email_messages: Sequence[Any]) -> int:
        """Enqueue the messages that are for anybody, and return how many these are.

        Raises NotSerializable for a message with something in it that a job cannot hold.
        """
        emails = [Email.of(message) for message in email_messages if message.recipients()]
        options: Any = {} if (queue := chosen().email_queue) is None else {"queue": queue}
        if emails:
            enqueue_all(emails, **options)
        return len(emails)


@dataclass(frozen=True, kw_only=True)
class Part(JobHooks):
    """An attachment that is a part of a message already, as it is written in it."""

    written: bytes
    is_legacy: bool = False

    @classmethod
    def of(cls, part: Message) -> Part:
        """Keep a part."""
        return cls(written=part.as_bytes(), is_legacy=isinstance(part, MIMEBase))

    def part(self) -> Message:
        """Return the part, of the kind that it was."""
        if not self.is_legacy:
            return email.message_from_bytes(self.written, _class=MIMEPart, policy=email.policy.default)
        read = email.message_from_bytes(self.written)
        made = MIMEBase(read.get_content_maintype(), read.get_content_subtype())
        made._headers = read._headers  # type: ignore[attr-defined]  # a MIMEBase brings headers of its own
        made.set_payload(read.get_payload())
        return made


@dataclass(frozen=True, kw_only=True)
class Email(JobHooks):
    """A message, and how it is sent."""

    subject: str
    body: str
    from_email: str
    to: list[str]
    cc: list[str] = field(default_factory=list)
    bcc: list[str] = field(default_factory=list)
    reply_to: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    content_subtype: str = "plain"
    encoding: str | None = None
    alternatives: list[tuple[str, str]] = field(default_factory=list)
    attachments: list[Part | tuple[str | None, str | bytes, str | None]] = field(default_factory=list)
    others: dict[str, Any] = field(default_factory=dict)
    """What backends of services read: tags, templates."""

    @classmethod
    def of(cls, message: Any) -> Email:
        """Keep a message; it has the same Message-ID at each attempt."""
        return cls(
            subject=str(message.subject),
            body=str(message.body),
            from_email=str(message.from_email),
            to=_texts(message.to),
            cc=_texts(message.cc),
            bcc=_texts(message.bcc),
            reply_to=_texts(message.reply_to),
            headers=_identified(message.extra_headers),
            content_subtype=message.content_subtype,
            encoding=None if message.encoding is None else str(message.encoding),
            alternatives=[(str(content), mimetype) for content, mimetype in getattr(message, "alternatives", ())],
            attachments=[Part.of(part) if isinstance(part, Message) else tuple(part) for part in message.attachments],
            others={name: value for name, value in vars(message).items() if name not in KNOWN},
        )

    def perform(self) -> None:
        """Send the message."""
        sending_backend().send_messages([self.message()])

    def message(self) -> Any:
        """Return the message."""
        message = EmailMultiAlternatives(
            self.subject,
            self.body,
            self.from_email,
            self.to,
            bcc=self.bcc,
            headers=self.headers,
            cc=self.cc,
            reply_to=self.reply_to,
        )
        message.content_subtype = self.content_subtype
        message.encoding = self.encoding
        self._complete(message)
        return message

    def _complete(self, message: Any) -> None:
        for content, mimetype in self.alternatives:
            message.attach_alternative(content, mimetype)
        for attached in self.attachments:
            message.attach(*((attached.part(),) if isinstance(attached, Part) else attached))
        for name, value in self.others.items():
            setattr(message, name, value)


def sending_backend() -> Any:
    """Return the backend that sends: a class by its dotted name, or one of MAILERS, which newer Djangos have."""
    name = chosen().email_backend
    mailers: Any = getattr(mail, "mailers", ())
    return mailers[name] if name in mailers else import_string(name)()


def _texts(addresses: Sequence[Any]) -> list[str]:
    return [str(address) for address in addresses]


def _identified(headers: Mapping[str, Any]) -> dict[str, str]:
    """Return headers with a Message-ID, so that receivers know what a second attempt repeats."""
    given = {name: str(value) for name, value in headers.items()}
    if not any(name.lower() == "message-id" for name in given):
        from email.utils import make_msgid

        given["Message-ID"] = make_msgid(domain=DNS_NAME)
    return given
