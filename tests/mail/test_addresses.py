"""Addresses, headers and texts: what may stand in a message, and how the rest is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backburner.core.errors import BackburnerError
from backburner.mail import Attachment, InvalidMessage, Message
from backburner.mail.checks import check_address, split_address


@pytest.mark.parametrize(
    ("text", "name", "address"),
    [
        ("ann@example.com", "", "ann@example.com"),
        ("  ann@example.com ", "", "ann@example.com"),
        ("Ann <ann@example.com>", "Ann", "ann@example.com"),
        ("Ann Müller <ann@example.com>", "Ann Müller", "ann@example.com"),
        ('"Müller, Ann" <ann@example.com>', "Müller, Ann", "ann@example.com"),
        (r'"Ann \"A\" M." <ann@example.com>', 'Ann "A" M.', "ann@example.com"),
        ("<ann@example.com>", "", "ann@example.com"),
        ("ann+tag@bücher.example", "", "ann+tag@bücher.example"),
    ],
)
def test_an_address_with_or_without_a_name(text: str, name: str, address: str) -> None:
    assert split_address("to", text) == (name, address)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "ann",
        "ann@",
        "@example.com",
        "a@b@c",
        "a@x, b@y",
        "Ann ann@example.com",
        "Ann <ann>",
        "Ann <a@b> x",
        "<a@b",
    ],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(InvalidMessage) as raised:
        Message(to=text)
    assert str(raised.value) == f"to: expected 'ann@example.com' or 'Ann <ann@example.com>', got {text!r}"


@pytest.mark.parametrize("field", ["to", "cc", "bcc", "reply_to", "sender", "subject"])
@pytest.mark.parametrize("ending", ["\r\nBcc: all@example.com", "\nx", "\r", "\n", "\x0b", "\u2028", "\0"])
def test_no_line_break_gets_into_a_header(field: str, ending: str) -> None:
    text = f"ann@example.com{ending}"
    with pytest.raises(InvalidMessage) as raised:
        Message(**{field: text})  # type: ignore[arg-type]  # one of the texts
    assert str(raised.value) == f"{field}: expected one line, got {text!r}: a line break would begin another header"


@given(st.text())
def test_no_text_that_passes_as_an_address_holds_a_line_break(text: str) -> None:
    try:
        accepted = check_address("to", text)
    except InvalidMessage:
        return
    assert len(accepted.splitlines()) == 1
    assert accepted.count("@") >= 1


def test_the_place_of_a_wrong_address_is_named() -> None:
    with pytest.raises(InvalidMessage, match=r"^cc\[1\]: expected .* got 'bob'$"):
        Message(to="ann@example.com", cc=["ann@example.com", "bob"])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"to": 7}, "to: expected an address or a list of them, got 7"),
        ({"to": None}, "to: expected an address or a list of them, got None"),
        ({"to": [None]}, "to[0]: expected a text, got None"),
        ({"subject": None}, "subject: expected a text, got None"),
        ({"body": b"x"}, "body: expected a text, got b'x'"),
        ({"html": 1}, "html: expected a text, got 1"),
        ({"body": "a\ud800"}, r"body: expected Unicode text, got '\ud800' at 1"),
        ({"headers": ["X"]}, "headers: expected a mapping of names to texts, got ['X']"),
        ({"headers": {"X Y": "1"}}, "headers: expected the name of a header, such as 'X-Campaign', got 'X Y'"),
        ({"headers": {"X:\r\nY": "1"}}, r"headers: expected the name of a header, such as 'X-Campaign', got 'X:\r\nY'"),
        ({"headers": {"": "1"}}, "headers: expected the name of a header, such as 'X-Campaign', got ''"),
        ({"headers": {"X-A": 1}}, "headers['X-A']: expected a text, got 1"),
        (
            {"headers": {"X-A": "1\r\nBcc: b@x"}},
            r"headers['X-A']: expected one line, got '1\r\nBcc: b@x': a line break would begin another header",
        ),
        ({"headers": {"BCC": "b@example.com"}}, "headers: expected BCC to be given as bcc="),
        ({"headers": {"From": "b@example.com"}}, "headers: expected From to be given as sender="),
        (
            {"headers": {"Content-Type": "text/html"}},
            "headers: expected no Content-Type: it follows from the body, html and attachments",
        ),
        ({"attachments": "a.txt"}, "attachments: expected a list of attachments, got 'a.txt'"),
        (
            {"attachments": [("a.txt",)]},
            "attachments[0]: expected an Attachment or (filename, bytes[, content_type]), got ('a.txt',)",
        ),
        ({"attachments": [("a.txt", "text")]}, "attachment 'a.txt': expected bytes, got 'text'"),
        (
            {"attachments": [("a\n.txt", b"")]},
            r"attachment: expected one line, got 'a\n.txt': a line break would begin another header",
        ),
        (
            {"attachments": [("a.txt", b"", "text")]},
            "attachment 'a.txt': expected a type such as 'application/pdf', got 'text'",
        ),
        (
            {"attachments": [("a.txt", b"", "text/plain\r\nX: y")]},
            r"attachment 'a.txt': expected a type such as 'application/pdf', got 'text/plain\r\nX: y'",
        ),
    ],
)
def test_what_else_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidMessage) as raised:
        Message(**fields)
    assert str(raised.value) == message
    assert isinstance(raised.value, BackburnerError)
    assert isinstance(raised.value, ValueError)


def test_a_field_is_checked_when_it_is_set() -> None:
    message = Message(to="ann@example.com")
    with pytest.raises(InvalidMessage, match=r"^bcc: expected 'ann@example.com'"):
        message.bcc = "bob"  # type: ignore[assignment]  # a text becomes a list
    message.cc = "bob@example.com"  # type: ignore[assignment]
    assert message.cc == ["bob@example.com"]


def test_an_unknown_field_is_refused() -> None:
    message = Message(to="ann@example.com")
    with pytest.raises(AttributeError, match=r"^a message has no 'bdoy': expected one of to, subject, body, "):
        message.bdoy = "Hello"


def test_a_tuple_becomes_an_attachment() -> None:
    message = Message(attachments=[("a.txt", b"A"), ("b.bin", b"B", "application/x-b"), Attachment("c.txt", b"C")])
    assert message.attachments == [
        Attachment("a.txt", b"A"),
        Attachment("b.bin", b"B", "application/x-b"),
        Attachment("c.txt", b"C"),
    ]
