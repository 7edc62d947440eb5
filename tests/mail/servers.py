"""Real mail servers, each in a thread of its own."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

CERTIFICATE = Path(__file__).parent / "server.pem"
USER, PASSWORD = "ann@shop", "s3cr:t/@?#"


@dataclass
class Received:
    """A mail as the server got it."""

    sender: str
    recipients: list[str]
    email: EmailMessage
    was_encrypted: bool
    user: str | None


@dataclass
class MailServer:
    """What a server does and what it got."""

    host: str = ""
    port: int = 0
    refuses: set[str] = field(default_factory=set)
    is_rude_at_the_end: bool = False
    received: list[Received] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802  # aiosmtpd looks for this name
        if address in self.refuses:
            return "550 nobody of this name here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  # and for this one
        email = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(email, EmailMessage)
        user = session.auth_data.login.decode() if session.auth_data else None
        encrypted = server.transport.get_extra_info("ssl_object") is not None
        self.received.append(Received(envelope.mail_from, envelope.rcpt_tos, email, encrypted, user))
        return "250 OK"

    async def handle_QUIT(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  # and for this one
        return "421 in a bad mood" if self.is_rude_at_the_end else "221 Bye"


def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: LoginPassword) -> AuthResult:
    right = data.login.decode() == USER and data.password.decode() == PASSWORD
    return AuthResult(success=right, handled=False, auth_data=data)


@contextmanager
def running(server: MailServer, *, tls: bool = False, **options: Any) -> Iterator[MailServer]:
    """Run a mail server within the block; `options` are those of `aiosmtpd.smtp.SMTP`."""
    controller = Controller(
        server,
        hostname="localhost",
        port=free_port(),
        ssl_context=tls_context() if tls else None,
        ready_timeout=20,
        **options,
    )
    controller.start()
    server.host, server.port = "localhost", controller.port
    try:
        yield server
    finally:
        controller.stop()


def tls_context() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)
    return context


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("localhost", 0))
        port: int = probe.getsockname()[1]
        return port
