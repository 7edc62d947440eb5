"""What an app is made of, for those who work on its behalf."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from backburner.core.events import Events
from backburner.core.job import PayloadReader
from backburner.core.ops import Op
from backburner.core.ports import Store
from backburner.core.settings import Settings
from backburner.core.telemetry import Telemetry

TaskDriver: TypeAlias = Callable[[Op[Any], Callable[[Awaitable[Any]], Awaitable[Any]]], Awaitable[Any]]


@dataclass(slots=True)
class Drivers:
    """How attempts are driven to their end, where a library that jobs use wants that done in its own way."""

    in_task: TaskDriver | None = None
    """Drives an attempt in a task of an event loop; it is given what each awaitable of the attempt is awaited by."""
    loads_early: bool = True
    """Whether the payload of a job may be loaded before its attempt begins, in another thread than it then runs in."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts that an app hands to its workers and to the code that makes jobs."""

    store: Store
    settings: Settings
    reader: PayloadReader
    events: Events
    telemetry: Telemetry
    drivers: Drivers = field(default_factory=Drivers)
