"""Messages as values, and as Python's own e-mails."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage, MIMEPart
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from backburner.mail import InvalidMessage, Message


def read_back(message: Message) -> EmailMessage:
    email = message_from_bytes(message.to_email().as_bytes(policy=policy.SMTP), policy=policy.default)
    assert isinstance(email, EmailMessage)
    return email


def text_of(part: MIMEPart | None) -> str:
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def test_messages_that_say_the_same_are_equal() -> None:
    message = Message("ann@example.com", "Hello", "Dear Ann", headers={"X-A": "1"})
    assert message == Message(to=["ann@example.com"], subject="Hello", body="Dear Ann", headers={"X-A": "1"})
    assert message != replace(message, subject="Bye")


def test_messages_do_not_share_what_may_be_changed() -> None:
    recipients = ["ann@example.com"]
    one, other = Message(recipients), Message(recipients)
    one.to.append("bob@example.com")
    one.headers["X-A"] = "1"
    assert other == Message("ann@example.com")
    assert recipients == ["ann@example.com"]


def test_headers() -> None:
    email = read_back(
        Message(
            to=["Ann Müller <ann@example.com>", "bob@example.com"],
            cc="cy@example.com",
            bcc="dee@example.com",
            reply_to='"Shop, Inc." <help@example.com>',
            sender="Shop ☕ <shop@example.com>",
            subject="Grüße ☕",
            headers={"X-Campaign": "Frühling"},
        )
    )
    assert email["From"] == "Shop ☕ <shop@example.com>"
    assert email["To"] == "Ann Müller <ann@example.com>, bob@example.com"
    assert [address.addr_spec for address in email["To"].addresses] == ["ann@example.com", "bob@example.com"]
    assert email["Cc"] == "cy@example.com"
    assert email["Bcc"] == "dee@example.com"
    assert email["Reply-To"] == '"Shop, Inc." <help@example.com>'
    assert email["Subject"] == "Grüße ☕"
    assert email["X-Campaign"] == "Frühling"


def test_headers_that_are_not_needed_are_left_out() -> None:
    email = read_back(Message("ann@example.com", sender="shop@example.com"))
    assert {name.lower() for name in email} == {
        *("from", "to", "subject", "date", "message-id", "mime-version", "content-type", "content-transfer-encoding")
    }


def test_a_long_subject_stays_one_header() -> None:
    subject = "Grüße " * 60
    assert read_back(Message("ann@example.com", subject, sender="shop@example.com"))["Subject"] == subject


def test_date_and_message_id() -> None:
    message = Message("ann@example.com", sender="Shop <shop@example.com>")
    email, again = read_back(message), read_back(message)
    assert abs(parsedate_to_datetime(email["Date"]) - datetime.now(UTC)) < timedelta(minutes=1)
    assert email["Message-ID"].endswith("@example.com>")
    assert email["Message-ID"] != again["Message-ID"]


def test_date_and_message_id_may_be_given() -> None:
    headers = {"Date": "Mon, 05 Jan 2026 10:00:00 +0000", "message-id": "<1@example.com>"}
    email = read_back(Message("ann@example.com", sender="shop@example.com", headers=headers))
    assert email["Date"] == headers["Date"]
    assert email.get_all("Message-ID") == ["<1@example.com>"]


def test_a_domain_beyond_ascii() -> None:
    email = read_back(Message("Ann <ann@bücher.example>", sender="shop@bücher.example"))
    assert email["To"] == "Ann <ann@xn--bcher-kva.example>"
    assert email["Message-ID"].endswith("@xn--bcher-kva.example>")


def test_a_domain_that_cannot_be() -> None:
    with pytest.raises(InvalidMessage, match=r"^to: expected the domain of an address, got 'ü..example'$"):
        Message("ann@ü..example", sender="shop@example.com").to_email()


def test_text_alone() -> None:
    email = read_back(Message("ann@example.com", "Hello", "Dear Änn,\nbye\n", sender="shop@example.com"))
    assert email.get_content_type() == "text/plain"
    assert text_of(email) == "Dear Änn,\nbye\n"


def test_html_alone() -> None:
    email = read_back(Message("ann@example.com", "Hello", html="<p>Dear Ann</p>", sender="shop@example.com"))
    assert email.get_content_type() == "text/html"
    assert text_of(email) == "<p>Dear Ann</p>\n"


def test_text_and_html_are_alternatives() -> None:
    email = read_back(
        Message("ann@example.com", "Hello", "Dear Ann", html="<p>Dear Ann</p>", sender="shop@example.com")
    )
    assert email.get_content_type() == "multipart/alternative"
    assert text_of(email.get_body(("plain",))) == "Dear Ann\n"
    assert text_of(email.get_body(("html",))) == "<p>Dear Ann</p>\n"


def test_an_empty_message() -> None:
    assert text_of(read_back(Message("ann@example.com", sender="shop@example.com"))).strip() == ""


def test_attachments() -> None:
    files: list[Any] = [
        ("invoice.pdf", b"%PDF-1"),
        ("Grüße.txt", "ü".encode()),
        ("data", b"\x00\xff", "application/x-data"),
        ("archive.tar.gz", b"\x1f\x8b"),
        ("unknown", b"?"),
    ]
    message = Message(
        "ann@example.com", "Hello", "Dear Ann", html="<p>Hi</p>", sender="shop@example.com", attachments=files
    )
    email = read_back(message)
    assert email.get_content_type() == "multipart/mixed"
    assert text_of(email.get_body(("plain",))) == "Dear Ann\n"
    found = [
        (part.get_filename(), part.get_payload(decode=True), part.get_content_type())
        for part in email.iter_attachments()
    ]
    assert found == [
        ("invoice.pdf", b"%PDF-1", "application/pdf"),
        ("Grüße.txt", "ü".encode(), "text/plain"),
        ("data", b"\x00\xff", "application/x-data"),
        ("archive.tar.gz", b"\x1f\x8b", "application/octet-stream"),
        ("unknown", b"?", "application/octet-stream"),
    ]


def test_a_message_without_a_sender() -> None:
    with pytest.raises(InvalidMessage) as raised:
        Message("ann@example.com").to_email()
    assert str(raised.value) == "sender: expected sender= on the message or `sender` on the mailer's class, got neither"


def test_a_message_without_recipients() -> None:
    with pytest.raises(InvalidMessage) as raised:
        Message(sender="shop@example.com").to_email()
    assert str(raised.value) == "to: expected a recipient in to, cc or bcc, got none"


def test_a_message_to_hidden_recipients_alone() -> None:
    email = read_back(Message(bcc=["ann@example.com", "bob@example.com"], sender="shop@example.com"))
    assert email["To"] is None
    assert email["Bcc"] == "ann@example.com, bob@example.com"


def test_what_was_put_into_a_list_is_checked_too() -> None:
    message = Message("ann@example.com", sender="shop@example.com")
    message.to.append("bob@example.com\r\nBcc: all@example.com")
    with pytest.raises(InvalidMessage, match=r"^to\[1\]: expected one line"):
        message.to_email()
