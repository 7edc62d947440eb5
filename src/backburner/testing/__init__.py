"""Helpers for tests of code that enqueues jobs; `backburner.testing.plugin` has the fixtures for pytest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backburner.testing.case import BackburnerTestCase
    from backburner.testing.clock import Clock
    from backburner.testing.harnessing import Harness, harness
    from backburner.testing.modes import Enqueued, fake, inline

__all__ = ["BackburnerTestCase", "Clock", "Enqueued", "Harness", "fake", "harness", "inline"]

_HOMES = {
    "BackburnerTestCase": "case",
    "Clock": "clock",
    "Enqueued": "modes",
    "Harness": "harnessing",
    "fake": "modes",
    "harness": "harnessing",
    "inline": "modes",
}


def __getattr__(name: str) -> Any:
    """Import a name when it is first used: pytest loads this package for its plugin alone."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{home}"), name)
