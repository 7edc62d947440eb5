"""URLs of databases, taken apart and put together."""

from __future__ import annotations

from urllib.parse import quote, urlsplit, urlunsplit


def with_parts(
    url: str,
    *,
    database: str | None = None,
    user: str | None = None,
    password: str | None = None,
    port: int | None = None,
    host: str | None = None,
    scheme: str | None = None,
) -> str:
    """Return a URL with some of its parts replaced. Another user does not inherit the password."""
    parts = urlsplit(url)
    credentials, _, _ = parts.netloc.rpartition("@")
    if user is not None:
        credentials = quote(user, safe="") + (f":{quote(password, safe='')}" if password is not None else "")
    place = f"{host or parts.hostname or 'localhost'}"
    if port or parts.port:
        place += f":{port or parts.port}"
    return urlunsplit(
        parts._replace(
            scheme=scheme or parts.scheme,
            netloc=f"{credentials}@{place}" if credentials else place,
            path=parts.path if database is None else f"/{quote(database, safe='')}",
        )
    )
