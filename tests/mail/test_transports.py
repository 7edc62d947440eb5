"""Where mail goes: the URLs, and the transports for tests and development."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from backburner import Backburner, ConfigurationError
from backburner.app import use
from backburner.mail import InvalidMessage, Mailer, Message
from backburner.mail.smtp import SmtpServer
from backburner.mail.transports import open_transport

MESSAGE = Message("Ann Müller <ann@example.com>", "Grüße", "Dear Ann,\n\nbye", sender="shop@example.com")


@pytest.mark.parametrize("url", ["memory:", "memory://", "MEMORY:"])
def test_memory_keeps_messages(url: str) -> None:
    Mailer.deliveries.clear()
    open_transport(url).deliver(MESSAGE)
    assert Mailer.deliveries == [MESSAGE]


def test_memory_refuses_what_could_not_be_sent(app: Backburner) -> None:
    with pytest.raises(InvalidMessage, match="^sender: expected"):
        Message("ann@example.com").deliver()
    assert Mailer.deliveries == []


@pytest.mark.parametrize("url", ["console:", "console://"])
def test_console_prints_what_people_read(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    headers = {"Date": "Mon, 05 Jan 2026 10:00:00 +0000", "Message-ID": "<1@example.com>"}
    attachments = [("Grüße.pdf", b"%PDF"), ("notes.txt", b"n")]
    message = Message(
        MESSAGE.to,
        MESSAGE.subject,
        MESSAGE.body,
        html="<p>Grüße</p>",
        bcc="bob@example.com",
        sender=MESSAGE.sender,
        headers=headers,
        attachments=attachments,
    )
    open_transport(url).deliver(message)
    rule = "-" * 72
    assert capsys.readouterr().out == (
        f"{rule}\n"
        "From: shop@example.com\n"
        "To: Ann Müller <ann@example.com>\n"
        "Bcc: bob@example.com\n"
        "Subject: Grüße\n"
        "Date: Mon, 05 Jan 2026 10:00:00 +0000\n"
        "Message-ID: <1@example.com>\n"
        "\n"
        "Dear Ann,\n\nbye\n"
        "\n"
        "[text/html]\n<p>Grüße</p>\n"
        "\n"
        "[Grüße.pdf: application/pdf, 4 bytes]\n"
        "\n"
        "[notes.txt: text/plain, 1 bytes]\n"
        f"{rule}\n"
    )


def test_console_prints_standard_emails(capsys: pytest.CaptureFixture[str]) -> None:
    email = EmailMessage()
    email["From"], email["To"] = "shop@example.com", "ann@example.com"
    email.set_content("Dear Ann")
    open_transport("console:").deliver(email)
    assert "\nTo: ann@example.com\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("pigeon://user:s3cret@loft", "pigeon:…"),
        ("localhost", "localhost"),
        ("memory://mail", "memory:…"),
        ("console:stderr", "console:…"),
        ("http://example.com", "http:…"),
    ],
)
def test_an_unknown_transport(url: str, shown: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        open_transport(url)
    assert str(raised.value) == (
        f"mail: expected smtp://host:port, smtps://host:port, console: or memory:, got {shown!r}"
    )


def test_the_current_app_says_where_mail_goes(app: Backburner, capsys: pytest.CaptureFixture[str]) -> None:
    with Backburner("memory://", mail="console:") as other, use(other):
        MESSAGE.deliver()
    assert "Dear Ann" in capsys.readouterr().out
    assert Mailer.deliveries == []
    MESSAGE.deliver()
    assert Mailer.deliveries == [MESSAGE]


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail", SmtpServer("mail", 25)),
        ("smtp://mail:2525/", SmtpServer("mail", 2525)),
        ("SMTP://[::1]:2525", SmtpServer("::1", 2525)),
        ("smtp://mail?starttls=1", SmtpServer("mail", 587, "starttls")),
        ("smtp://mail?starttls=true&timeout=2.5", SmtpServer("mail", 587, "starttls", timeout=2.5)),
        ("smtp://mail?starttls=0", SmtpServer("mail", 25)),
        ("smtps://mail", SmtpServer("mail", 465, "tls")),
        ("smtp://ann@mail", SmtpServer("mail", 25, username="ann")),
        (
            "smtps://ann%40shop:s3cr%3At%2F%40%3F%23@mail:1465",
            SmtpServer("mail", 1465, "tls", "ann@shop", "s3cr:t/@?#"),
        ),
    ],
)
def test_the_url_of_a_mail_server(url: str, server: SmtpServer) -> None:
    assert SmtpServer.of(url) == server


PORT = "a port is a number from 1 to 65535, and :/?#@ in a password are written %3A %2F %3F %23 %40"


@pytest.mark.parametrize(
    ("url", "shown", "reason"),
    [
        ("smtp://", "smtp://", "it names no host"),
        ("smtp:mail", "smtp://mail", "it names no host"),
        ("smtp://mail/inbox", "smtp://mail/inbox", "nothing but ?options may follow the port"),
        ("smtp://mail#x", "smtp://mail#x", "nothing but ?options may follow the port"),
        ("smtp://mail:smtp", "smtp://mail:***", PORT),
        ("smtp://mail:0", "smtp://mail:***", PORT),
        ("smtp://mail:65536", "smtp://mail:***", PORT),
        ("smtp://ann:s3cret", "smtp://ann:***", PORT),
        ("smtp://ann:s3/cret@mail", "smtp://***@mail", PORT),
        ("smtp://ann:s3?cret@mail", "smtp://***@mail", PORT),
        ("smtp://ann:25?s3cret@mail", "smtp://***@mail", PORT),
        ("smtp://ann:s3\uff0fcret@mail", "smtp://***@mail", PORT),
        ("smtp://ann:25#s3cret@mail", "smtp://***@mail", "nothing but ?options may follow the port"),
        ("smtp://ann:s3cret@mail?tls=1", "smtp://***@mail?tls=1", "unknown option tls, expected starttls or timeout"),
        ("smtp://mail?starttls=yes", "smtp://mail?starttls=yes", "starttls is 1 or 0, not 'yes'"),
        (
            "smtps://mail?starttls=1",
            "smtps://mail?starttls=1",
            "smtps:// is encrypted from the start, without starttls",
        ),
        (
            "smtp://mail?timeout=soon",
            "smtp://mail?timeout=soon",
            "timeout is a number of seconds greater than 0, not 'soon'",
        ),
        ("smtp://mail?timeout=0", "smtp://mail?timeout=0", "timeout is a number of seconds greater than 0, not '0'"),
        (
            "smtp://mail?timeout=nan",
            "smtp://mail?timeout=nan",
            "timeout is a number of seconds greater than 0, not 'nan'",
        ),
    ],
)
def test_a_url_that_names_no_mail_server(url: str, shown: str, reason: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        open_transport(url)
    expected = "smtp://user:password@host:port?starttls=1&timeout=30 (or smtps://…, without starttls)"
    assert str(raised.value) == f"mail: expected {expected}, got {shown!r}: {reason}"
    assert raised.value.__cause__ is None
    assert "cret" not in str(raised.value)


def test_a_mail_server_never_shows_its_password() -> None:
    server = SmtpServer.of("smtps://ann:s3cret@mail")
    assert str(server) == "smtps://ann@mail:465"
    assert "s3cret" not in repr(server)
