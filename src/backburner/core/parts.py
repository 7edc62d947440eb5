"""What an app is made of, for those who work on its behalf."""

from __future__ import annotations

from dataclasses import dataclass

from backburner.core.events import Events
from backburner.core.job import PayloadReader
from backburner.core.ports import Store
from backburner.core.settings import Settings
from backburner.core.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts that an app hands to its workers and to the code that makes jobs."""

    store: Store
    settings: Settings
    reader: PayloadReader
    events: Events
    telemetry: Telemetry
