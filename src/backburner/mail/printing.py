"""An e-mail as text for people: its headers and its texts, decoded."""

from __future__ import annotations

from email.message import Message as AnyEmail

RULE = "-" * 72


def readable(email: AnyEmail) -> str:
    """Return an e-mail as people read it, between two rules; of attachments their names only."""
    headers = "\n".join(f"{name}: {value}" for name, value in email.items() if not _is_technical(name))
    parts = [_part(part) for part in email.walk() if not part.is_multipart()]
    return "\n".join([RULE, headers, *(f"\n{part}" for part in parts), RULE, ""])


def _is_technical(name: str) -> bool:
    return name.lower() in ("content-type", "content-transfer-encoding", "mime-version")


def _part(part: AnyEmail) -> str:
    content = part.get_payload(decode=True)
    data = content if isinstance(content, bytes) else b""
    if part.get_content_maintype() != "text" or part.get_filename() is not None:
        return f"[{part.get_filename() or 'attachment'}: {part.get_content_type()}, {len(data)} bytes]"
    text = data.decode(part.get_content_charset("utf-8"), errors="replace").rstrip("\n")
    return text if part.get_content_subtype() == "plain" else f"[{part.get_content_type()}]\n{text}"
