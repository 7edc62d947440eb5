"""The pytest plugin: fixtures that put an app under test. Registered by the package, so there is nothing to load.

===================== ==================================================================================
`backburner`          the app under test, with assertions, `drain()` and `perform()`; clean for each test
`backburner_settings` settings of that app, `{}`; override it to give some: `{"allow": ["shop"]}`
`backburner_app`      the app itself, in memory; override it to put an app of your own under test
`backburner_clock`    the clock of that app
===================== ==================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

# The rest is imported by the fixtures: this module is loaded by every test run on a machine that has the package.
if TYPE_CHECKING:
    from backburner.app import AppSettings, Backburner
    from backburner.testing.clock import Clock
    from backburner.testing.harnessing import Harness


@pytest.fixture
def backburner_settings() -> AppSettings:
    """Return the settings of the app under test."""
    return {}


@pytest.fixture
def backburner_clock() -> Clock:
    """Return the clock of the app under test."""
    from backburner.testing.clock import Clock

    return Clock()


@pytest.fixture
def backburner_app(
    request: pytest.FixtureRequest, backburner_settings: AppSettings, backburner_clock: Clock
) -> Iterator[Backburner]:
    """Make an in-memory app; jobs may name what is defined in the package of the test."""
    from backburner.testing.harnessing import clean_app

    module = getattr(request.node, "module", None)
    modules = [] if module is None else [module.__name__]
    with clean_app(modules, backburner_clock, **backburner_settings) as app:
        yield app


@pytest.fixture
def backburner(backburner_app: Backburner, backburner_clock: Clock) -> Iterator[Harness]:
    """Put a clean in-memory app under test: it is the current one, and its mail is kept in `Mailer.deliveries`."""
    from backburner.testing.harnessing import harness

    with harness(backburner_app, clock=backburner_clock) as under_test:
        yield under_test
