"""Mail by SMTP, to real servers."""

from __future__ import annotations

import smtplib
import socket
import ssl
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any
from urllib.parse import quote

import pytest

from backburner import Backburner
from backburner.app import use
from backburner.mail import Message, SomeRefused
from backburner.mail.transports import open_transport
from tests.mail.mailers import ShopMailer, User
from tests.mail.servers import CERTIFICATE, PASSWORD, USER, MailServer, authenticate, free_port, running, tls_context

MESSAGE = Message(
    to=["Ann Müller <ann@example.com>", "bob@example.com"],
    cc="cy@example.com",
    bcc="dee@example.com",
    subject="Grüße",
    body="Dear Ann,\n.\nbye",
    sender="Shop <shop@example.com>",
)
CREDENTIALS = f"{quote(USER, safe='')}:{quote(PASSWORD, safe='')}"


@pytest.fixture
def server() -> Iterator[MailServer]:
    with running(MailServer()) as server:
        yield server


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this machine trust the certificate of the tests' servers."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))


@contextmanager
def app_with(server: MailServer) -> Iterator[Backburner]:
    """Make an app that delivers to this server the current one within the block."""
    with Backburner("memory://", mail=f"smtp://{server.address}", allow=["tests.mail"]) as app, use(app):
        yield app


def test_a_message_arrives(server: MailServer) -> None:
    open_transport(f"smtp://{server.address}").deliver(MESSAGE)
    (received,) = server.received
    assert received.sender == "shop@example.com"
    assert sorted(received.recipients) == ["ann@example.com", "bob@example.com", "cy@example.com", "dee@example.com"]
    assert received.email["To"] == "Ann Müller <ann@example.com>, bob@example.com"
    assert received.email["Subject"] == "Grüße"
    assert received.email["Bcc"] is None
    assert received.email["Date"] is not None
    assert received.email["Message-ID"].endswith("@example.com>")
    assert received.email.get_content().splitlines() == ["Dear Ann,", ".", "bye"]
    assert (received.was_encrypted, received.user) == (False, None)


def test_a_standard_email_arrives(server: MailServer) -> None:
    email = EmailMessage()
    email["From"], email["To"], email["Bcc"] = "shop@example.com", "ann@example.com", "bob@example.com"
    email.set_content("Dear Ann")
    open_transport(f"smtp://{server.address}").deliver(email)
    (received,) = server.received
    assert received.recipients == ["ann@example.com", "bob@example.com"]
    assert received.email["Bcc"] is None
    assert received.email["Message-ID"].endswith("@example.com>")


def test_an_address_beyond_ascii_needs_a_server_that_knows_it(server: MailServer) -> None:
    message = Message("Änne <änne@bücher.example>", sender="shop@example.com")
    open_transport(f"smtp://{server.address}").deliver(message)
    assert server.received[0].recipients == ["änne@xn--bcher-kva.example"]
    with (
        running(MailServer(), enable_SMTPUTF8=False) as old,
        pytest.raises(smtplib.SMTPNotSupportedError, match="SMTPUTF8"),
    ):
        open_transport(f"smtp://{old.address}").deliver(message)
    assert old.received == []


def test_a_worker_delivers_by_the_setting(server: MailServer) -> None:
    user = User(7, "Ann")
    with app_with(server) as app:
        ShopMailer.delay.hello(user)
        ShopMailer.hello(user).deliver_later()
        assert app.worker().work_off() == (2, 0)
    assert [received.email["To"] for received in server.received] == ["ann@example.com"] * 2


@pytest.mark.usefixtures("trusted")
def test_encrypted_from_the_start() -> None:
    with running(MailServer(), tls=True, authenticator=authenticate, auth_require_tls=False) as server:
        open_transport(f"smtps://{CREDENTIALS}@{server.address}").deliver(MESSAGE)
    (received,) = server.received
    assert (received.was_encrypted, received.user) == (True, USER)


@pytest.mark.usefixtures("trusted")
def test_encrypted_by_starttls() -> None:
    options: dict[str, Any] = {"tls_context": tls_context(), "require_starttls": True, "authenticator": authenticate}
    with running(MailServer(), **options) as server:
        open_transport(f"smtp://{CREDENTIALS}@{server.address}?starttls=1").deliver(MESSAGE)
    (received,) = server.received
    assert (received.was_encrypted, received.user) == (True, USER)


def test_a_certificate_that_nobody_vouches_for() -> None:
    with running(MailServer(), tls=True) as server, pytest.raises(ssl.SSLCertVerificationError) as raised:
        open_transport(f"smtps://{server.address}").deliver(MESSAGE)
    assert raised.value.__notes__ == [f"raised while mail was delivered to smtps://{server.address}"]
    assert server.received == []


def test_a_server_without_starttls_gets_nothing(server: MailServer) -> None:
    with pytest.raises(smtplib.SMTPNotSupportedError, match="STARTTLS extension not supported"):
        open_transport(f"smtp://{CREDENTIALS}@{server.address}?starttls=1").deliver(MESSAGE)
    assert server.received == []


def test_a_wrong_password_is_not_shown() -> None:
    with (
        running(MailServer(), authenticator=authenticate, auth_require_tls=False) as server,
        pytest.raises(smtplib.SMTPAuthenticationError) as raised,
    ):
        open_transport(f"smtp://ann:{'wr' + '0ng'}@{server.address}").deliver(MESSAGE)
    assert raised.value.__notes__ == [f"raised while mail was delivered to smtp://ann@{server.address}"]
    assert "wr0ng" not in "".join(traceback.format_exception(raised.value))
    assert server.received == []


def test_no_server_at_all() -> None:
    address = f"localhost:{free_port()}"
    with pytest.raises(ConnectionRefusedError) as raised:
        open_transport(f"smtp://{address}").deliver(MESSAGE)
    assert raised.value.__notes__ == [f"raised while mail was delivered to smtp://{address}"]


def test_a_server_that_says_nothing() -> None:
    with socket.create_server(("localhost", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(smtplib.SMTPServerDisconnected, match="timed out"):
            open_transport(f"smtp://localhost:{port}?timeout=0.05").deliver(MESSAGE)


def test_when_the_server_refuses_everybody_the_job_is_tried_again() -> None:
    with running(MailServer(refuses={"ann@example.com"})) as server, app_with(server) as app:
        job = ShopMailer.hello(User(7, "Ann")).deliver_later()
        assert app.worker().work_off() == (0, 1)
        job = app.jobs.get(job.id)
    assert (job.state, job.attempts) == ("queued", 1)
    first_line = (job.last_error or "").splitlines()[0]
    assert first_line.startswith("SMTPRecipientsRefused: {'ann@example.com': (550, b'nobody of this name here')}")


def test_when_the_server_refuses_some_the_others_are_not_written_twice() -> None:
    with running(MailServer(refuses={"bob@example.com", "dee@example.com"})) as server, app_with(server) as app:
        job = MESSAGE.deliver_later()
        assert app.worker().work_off() == (0, 1)
        job = app.jobs.get(job.id)
    assert sorted(server.received[0].recipients) == ["ann@example.com", "cy@example.com"]
    assert (job.state, job.attempts) == ("failed", 1)
    assert (job.last_error or "").splitlines()[0] == (
        "SomeRefused: the mail server refused bob@example.com (550 nobody of this name here), "
        "dee@example.com (550 nobody of this name here); "
        "the other recipients have the message, so it is not sent again"
    )


def test_who_was_refused_can_be_asked(server: MailServer) -> None:
    server.refuses = {"bob@example.com"}
    with pytest.raises(SomeRefused) as raised:
        open_transport(f"smtp://{server.address}").deliver(MESSAGE)
    assert raised.value.refused == {"bob@example.com": (550, b"nobody of this name here")}


def test_what_goes_wrong_after_the_server_took_the_message_does_not_send_it_again(server: MailServer) -> None:
    server.is_rude_at_the_end = True
    open_transport(f"smtp://{server.address}").deliver(MESSAGE)
    assert len(server.received) == 1
