"""Helpers for tests of code that enqueues jobs; those for pytest are in `backburner_pytest`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backburner.testing import faults
    from backburner.testing.case import BackburnerTestCase, BackburnerTestMixin
    from backburner.testing.clock import Clock
    from backburner.testing.happening import Event
    from backburner.testing.harnessing import Harness, harness
    from backburner.testing.modes import Enqueued, fake, inline
    from backburner.testing.stand_ins import matching, within

__all__ = [
    "BackburnerTestCase",
    "BackburnerTestMixin",
    "Clock",
    "Enqueued",
    "Event",
    "Harness",
    "fake",
    "faults",
    "harness",
    "inline",
    "matching",
    "within",
]

_HOMES = {
    "BackburnerTestCase": "case",
    "BackburnerTestMixin": "case",
    "Clock": "clock",
    "Enqueued": "modes",
    "Event": "happening",
    "Harness": "harnessing",
    "fake": "modes",
    "harness": "harnessing",
    "inline": "modes",
    "matching": "stand_ins",
    "within": "stand_ins",
}


def __getattr__(name: str) -> Any:
    """Import a name when it is first used: pytest loads this package for its plugin alone."""
    from importlib import import_module

    if name == "faults":
        return import_module(f"{__name__}.faults")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
