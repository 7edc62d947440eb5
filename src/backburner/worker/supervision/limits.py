"""After what a worker process makes way for a fresh one."""

from __future__ import annotations

from dataclasses import dataclass

from backburner.core.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Limits:
    """What a worker process may do and take. Raises ConfigurationError when a value is wrong."""

    most_jobs: int | None = None
    """Attempts."""
    most_memory: int | None = None
    """Bytes."""

    def __post_init__(self) -> None:
        for name, value in (("jobs", self.most_jobs), ("bytes of memory", self.most_memory)):
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                raise ConfigurationError(f"expected a whole number of {name} from 1 on, got {value!r}")
