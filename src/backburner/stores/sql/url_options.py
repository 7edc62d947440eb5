"""The options in a URL that are ours, whatever the database."""

from __future__ import annotations

import re
from collections.abc import Iterable

from backburner.core.errors import ConfigurationError

SHORTEST_SECRET = 3
"""Characters; to hide a shorter one wherever it occurs would make every text unreadable."""


def checked_pool_size(value: str) -> int:
    """Return how many connections there may be. Raises ConfigurationError."""
    if not re.fullmatch(r"[0-9]{1,4}", value) or int(value) < 1:
        raise ConfigurationError(f"expected pool_size to be a number of connections from 1 to 9999, got {value!r}")
    return int(value)


def checked_timeout(value: str) -> float:
    """Return seconds. Raises ConfigurationError."""
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 86_400:
        raise ConfigurationError(f"expected timeout to be a number of seconds above 0, got {value!r}")
    return seconds


def secrets_of(url: str, known: Iterable[str | None]) -> tuple[str, ...]:
    """Return what must be hidden wherever it occurs: known passwords, and the one of a URL as it is written there."""
    written = re.findall(r"://[^:/@?]*:([^?]*)@", url)
    found = {secret for secret in [*known, *written] if secret and len(secret) >= SHORTEST_SECRET}
    return tuple(sorted(found, key=len)[::-1])
