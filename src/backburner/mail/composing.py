"""From a message to Python's own `email.message.EmailMessage`."""

from __future__ import annotations

from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.message import Message as AnyEmail
from email.utils import format_datetime, make_msgid, parseaddr
from mimetypes import guess_type
from typing import TYPE_CHECKING

from backburner.mail.checks import split_address
from backburner.mail.errors import InvalidMessage

if TYPE_CHECKING:
    from backburner.mail.message import Attachment, Message


def compose(message: Message) -> EmailMessage:
    """Write a message. Raises InvalidMessage when it has no sender or no recipient, or cannot be written."""
    message.check()
    if message.sender is None:
        raise InvalidMessage("sender: expected sender= on the message or `sender` on the mailer's class, got neither")
    if not (message.to or message.cc or message.bcc):
        raise InvalidMessage("to: expected a recipient in to, cc or bcc, got none")
    email = EmailMessage()
    _write_headers(email, message)
    _write_content(email, message)
    complete(email, message.identity)
    return email


def complete(email: AnyEmail, identity: str | None = None) -> None:
    """Give an e-mail the date and the message id that it lacks."""
    if email["Date"] is None:
        email["Date"] = format_datetime(datetime.now(UTC))
    if email["Message-ID"] is None:
        email["Message-ID"] = _message_id(identity, _domain_of(email))


def _message_id(identity: str | None, domain: str) -> str:
    # Without a domain, `make_msgid` would look up the name of this machine, which may take seconds.
    return make_msgid(domain=domain) if identity is None else f"<{identity}@{domain}>"


def _write_headers(email: EmailMessage, message: Message) -> None:
    email["From"] = _to_address("sender", message.sender or "")
    for header, field in (("To", "to"), ("Cc", "cc"), ("Bcc", "bcc"), ("Reply-To", "reply_to")):
        addresses = getattr(message, field)
        if addresses:
            email[header] = [_to_address(field, address) for address in addresses]
    email["Subject"] = message.subject
    for name, value in message.headers.items():
        email[name] = value


def _write_content(email: EmailMessage, message: Message) -> None:
    if message.body or message.html is None:
        email.set_content(message.body)
    if message.body and message.html is not None:
        email.add_alternative(message.html, subtype="html")
    elif message.html is not None:
        email.set_content(message.html, subtype="html")
    for attachment in message.attachments:
        _attach(email, attachment)


def _attach(email: EmailMessage, attachment: Attachment) -> None:
    maintype, _, subtype = _content_type(attachment).partition("/")
    email.add_attachment(attachment.content, maintype=maintype, subtype=subtype, filename=attachment.filename)


def _content_type(attachment: Attachment) -> str:
    if attachment.content_type is not None:
        return attachment.content_type
    guessed, encoding = guess_type(attachment.filename)
    # What is compressed is not of the type that it has inside.
    return "application/octet-stream" if guessed is None or encoding is not None else guessed


def _to_address(field: str, text: str) -> Address:
    name, address = split_address(field, text)
    username, _, domain = address.rpartition("@")
    return Address(name, username, _ascii_domain(field, domain))


def _ascii_domain(field: str, domain: str) -> str:
    """Return a domain as mail servers know it: `bücher.example` as `xn--bcher-kva.example`."""
    if domain.isascii():
        return domain
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        raise InvalidMessage(f"{field}: expected the domain of an address, got {domain!r}") from None


def _domain_of(email: AnyEmail) -> str:
    _, address = parseaddr(str(email["From"] or email["Sender"] or ""))
    return address.rpartition("@")[2] or "localhost"
