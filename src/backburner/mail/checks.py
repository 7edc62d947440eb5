"""What may stand in a message: each part in its normal form, or a clear error.

A line break in an address or a header would let its author write headers of their own, so none gets through.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from backburner.mail.errors import InvalidMessage

_NAMED = re.compile(r"\s*(?P<name>.*?)\s*<(?P<address>[^<>]*)>\s*", re.DOTALL)
_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\"\\]+@[^\s@<>()\[\],;:\"\\]+")
_HEADER_NAME = re.compile(r"[!-9;-~]+")
_CONTENT_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+")

OWN_HEADERS = {
    "from": "sender",
    "to": "to",
    "cc": "cc",
    "bcc": "bcc",
    "reply-to": "reply_to",
    "subject": "subject",
}
"""Headers that a message has a field for."""

_MADE_HEADERS = ("content-", "mime-version")
"""Beginnings of headers that follow from the content."""


def check_address(field: str, value: Any) -> str:
    """Return one address, `ann@example.com` or `Ann <ann@example.com>`."""
    text = check_line(field, value)
    split_address(field, text)
    return text.strip()


def split_address(field: str, text: str) -> tuple[str, str]:
    """Return the name, which may be empty, and the bare address."""
    named = _NAMED.fullmatch(text)
    name, address = (named["name"], named["address"]) if named else ("", text.strip())
    if not _ADDRESS.fullmatch(address) or any(sign in name for sign in "<>"):
        raise InvalidMessage(f"{field}: expected 'ann@example.com' or 'Ann <ann@example.com>', got {text!r}")
    return _unquoted(name), address


def check_addresses(field: str, value: Any) -> list[str]:
    """Return addresses, given as one text or several."""
    if isinstance(value, str):
        return [check_address(field, value)]
    if not isinstance(value, Iterable):
        raise InvalidMessage(f"{field}: expected an address or a list of them, got {value!r}")
    return [check_address(f"{field}[{index}]", address) for index, address in enumerate(value)]


def check_optional_address(field: str, value: Any) -> str | None:
    """Return an address, or None for none."""
    return None if value is None else check_address(field, value)


def check_line(field: str, value: Any) -> str:
    """Return a text of one line."""
    text = check_text(field, value)
    if "\0" in text or text.splitlines() not in ([], [text]):
        raise InvalidMessage(f"{field}: expected one line, got {text!r}: a line break would begin another header")
    return text


def check_text(field: str, value: Any) -> str:
    """Return a text that can be encoded."""
    if not isinstance(value, str):
        raise InvalidMessage(f"{field}: expected a text, got {value!r}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InvalidMessage(f"{field}: expected Unicode text, got {value[error.start]!r} at {error.start}") from None
    return value


def check_optional_text(field: str, value: Any) -> str | None:
    """Return a text that can be encoded, or None for none."""
    return None if value is None else check_text(field, value)


def check_headers(field: str, value: Any) -> dict[str, str]:
    """Return further headers by name."""
    if not isinstance(value, Mapping):
        raise InvalidMessage(f"{field}: expected a mapping of names to texts, got {value!r}")
    return {_header_name(field, name): check_line(f"{field}[{name!r}]", text) for name, text in value.items()}


def check_content_type(field: str, value: Any) -> str:
    """Return a media type such as `application/pdf`."""
    if not isinstance(value, str) or not _CONTENT_TYPE.fullmatch(value):
        raise InvalidMessage(f"{field}: expected a type such as 'application/pdf', got {value!r}")
    return value


def _header_name(field: str, name: Any) -> str:
    if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
        raise InvalidMessage(f"{field}: expected the name of a header, such as 'X-Campaign', got {name!r}")
    own = OWN_HEADERS.get(name.lower())
    if own is not None:
        raise InvalidMessage(f"{field}: expected {name} to be given as {own}=")
    if name.lower().startswith(_MADE_HEADERS):
        raise InvalidMessage(f"{field}: expected no {name}: it follows from the body, html and attachments")
    return name


def _unquoted(name: str) -> str:
    """Return a display name without the quotation marks that it is written in."""
    if len(name) >= 2 and name[0] == name[-1] == '"':
        return re.sub(r"\\(.)", r"\1", name[1:-1])
    return name
