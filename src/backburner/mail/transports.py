"""Where mail goes, by URL: `smtp://`, `smtps://`, `console:`, `memory:`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from backburner.app import current
from backburner.core.errors import ConfigurationError

if TYPE_CHECKING:
    from email.message import Message as AnyEmail

    from backburner.mail.message import Message

    Mail: TypeAlias = Message | AnyEmail
    """A message, or an e-mail of Python's own."""

EXPECTED = "smtp://host:port, smtps://host:port, console: or memory:"

DELIVERIES: Final[list[Any]] = []
"""What went to `memory:` in this process, oldest first."""


class Transport(Protocol):
    """Takes mail to where it goes."""

    def deliver(self, mail: Mail) -> None:
        """Deliver one mail, or raise."""


def current_transport() -> Transport:
    """Return the transport that the current app's `mail` names. Raises ConfigurationError."""
    return open_transport(current().settings.mail)


def open_transport(url: str) -> Transport:
    """Return the transport that a URL names. Connects to nothing. Raises ConfigurationError."""
    scheme, colon, rest = url.partition(":")
    match scheme.lower():
        case "smtp" | "smtps":
            return _open_smtp(url)
        case "console" if not rest.strip("/"):
            return Console()
        case "memory" if not rest.strip("/"):
            return Memory()
    # What follows the scheme may hold a password.
    shown = f"{scheme}:{'…' if rest else ''}" if colon else url
    raise ConfigurationError(f"mail: expected {EXPECTED}, got {shown!r}")


def email_of(mail: Mail) -> AnyEmail:
    """Return a mail as Python's own, complete with a date and a message id."""
    from backburner.mail.composing import complete

    email = mail.to_email() if hasattr(mail, "to_email") else mail
    complete(email)
    return email


class Memory:
    """Keeps mail in `Mailer.deliveries`; for tests."""

    def deliver(self, mail: Mail) -> None:
        """Keep a mail that could be sent."""
        email_of(mail)
        DELIVERIES.append(mail)


class Console:
    """Prints mail to the standard output; for development."""

    def deliver(self, mail: Mail) -> None:
        """Print a mail as people read it."""
        from backburner.mail.printing import readable

        sys.stdout.write(readable(email_of(mail)))
        sys.stdout.flush()


def _open_smtp(url: str) -> Transport:
    from backburner.mail.smtp import Smtp, SmtpServer

    return Smtp(SmtpServer.of(url))
