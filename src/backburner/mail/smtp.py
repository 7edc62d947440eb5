"""Mail by SMTP."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from backburner.core.errors import ConfigurationError
from backburner.mail.errors import SomeRefused
from backburner.mail.transports import email_of

if TYPE_CHECKING:
    from backburner.mail.transports import Mail

Security = Literal["none", "starttls", "tls"]

DEFAULT_PORTS: Mapping[Security, int] = {"none": 25, "starttls": 587, "tls": 465}
DEFAULT_TIMEOUT = 30.0
"""Seconds that connecting, and each answer of the server, may take."""

OPTIONS = ("starttls", "timeout")
EXPECTED = "smtp://user:password@host:port?starttls=1&timeout=30 (or smtps://…, without starttls)"


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """A mail server and how to speak to it."""

    host: str
    port: int
    security: Security = "none"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout: float = DEFAULT_TIMEOUT

    @classmethod
    def of(cls, url: str) -> SmtpServer:
        """Read a URL, whose user and password may be percent-encoded.

        Raises ConfigurationError; it does not show the password.
        """
        try:
            return _server(_split(url))
        except ValueError as error:
            raise ConfigurationError(f"mail: expected {EXPECTED}, got {masked(url)!r}: {error}") from None

    def __str__(self) -> str:
        """Return it as people may see it."""
        user = "" if self.username is None else f"{self.username}@"
        return f"smtp{'s' if self.security == 'tls' else ''}://{user}{self.host}:{self.port}"


class Smtp:
    """Sends mail by a server, on a connection of its own for each."""

    def __init__(self, server: SmtpServer) -> None:
        self._server = server

    def deliver(self, mail: Mail) -> None:
        """Send a mail.

        Raises SomeRefused, or as `smtplib` does when the server cannot be reached or refuses.
        """
        email = email_of(mail)
        try:
            with self._connected() as connection:
                refused = connection.send_message(email)
        except OSError as error:  # as are all of smtplib's
            error.add_note(f"raised while mail was delivered to {self._server}")
            raise
        if refused:
            raise SomeRefused(refused)

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        connection = self._connect()
        try:
            if self._server.security == "starttls":
                connection.starttls(context=ssl.create_default_context())
            if self._server.username is not None:
                connection.login(self._server.username, self._server.password or "")
            yield connection
            # The server has the message: what goes wrong from here on must not send it a second time.
            with suppress(OSError):
                connection.quit()
        finally:
            connection.close()

    def _connect(self) -> smtplib.SMTP:
        server = self._server
        if server.security == "tls":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(server.host, server.port, timeout=server.timeout, context=context)
        return smtplib.SMTP(server.host, server.port, timeout=server.timeout)


def masked(url: str) -> str:
    """Return a URL without what may be a password; rather too much is hidden than too little."""
    scheme, _, rest = url.partition(":")
    _, at, host = rest.rpartition("@")
    if at:
        return f"{scheme}://***@{host}"
    host, colon, _ = rest.lstrip("/").partition(":")
    return f"{scheme}://{host}{':***' if colon else ''}"


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        has_port = parts.port != 0
    except ValueError:  # its text may repeat a part of a password
        has_port = False
    if not has_port or "@" in parts.query:
        raise ValueError("a port is a number from 1 to 65535, and :/?#@ in a password are written %3A %2F %3F %23 %40")
    return parts


def _server(parts: SplitResult) -> SmtpServer:
    if not parts.hostname:
        raise ValueError("it names no host")
    if parts.path.strip("/") or parts.fragment:
        raise ValueError("nothing but ?options may follow the port")
    options = _options(parts.query)
    security = _security(parts.scheme, options)
    return SmtpServer(
        host=parts.hostname,
        port=parts.port or DEFAULT_PORTS[security],
        security=security,
        username=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
        timeout=_timeout(options.get("timeout")),
    )


def _options(query: str) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    unknown = sorted(set(options) - set(OPTIONS))
    if unknown:
        raise ValueError(f"unknown option {', '.join(unknown)}, expected {' or '.join(OPTIONS)}")
    return options


def _security(scheme: str, options: Mapping[str, str]) -> Security:
    starttls = options.get("starttls", "0").lower()
    if starttls not in ("0", "1", "false", "true"):
        raise ValueError(f"starttls is 1 or 0, not {starttls!r}")
    wants_starttls = starttls in ("1", "true")
    if scheme == "smtps":
        if wants_starttls:
            raise ValueError("smtps:// is encrypted from the start, without starttls")
        return "tls"
    return "starttls" if wants_starttls else "none"


def _timeout(given: str | None) -> float:
    if given is None:
        return DEFAULT_TIMEOUT
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise ValueError(f"timeout is a number of seconds greater than 0, not {given!r}")
    return seconds
