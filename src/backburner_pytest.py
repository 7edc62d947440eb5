"""The pytest plugin: fixtures that put an app under test, and a marker. Registered by the package: nothing to load.

It stands beside the package, which it imports when it is used: pytest loads its plugins in every run on a machine that
has them, also in those that have nothing to do with jobs.

======================= ================================================================================
`backburner`            the app under test, with assertions, `drain()` and `perform()`; clean for each test
`backburner_settings`   settings of that app, `{}`; override it to give some: `{"allow": ["shop"]}`
`backburner_app`        the app itself, in memory; override it to put an app of your own under test
`backburner_connection` None; override it to give the connection in whose transaction all is done
`backburner_clock`      the clock of that app
`backburner_faults`     kills jobs everywhere, one place after the other
======================= ================================================================================

`@pytest.mark.backburner(mode="inline")` puts an app under test whose jobs are performed where they are enqueued, also
for a test that does not ask for the fixture; "fake" only collects them, "drain" is what happens without the marker.
Other keyword arguments are settings of the app.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from backburner.app import AppSettings, Backburner
    from backburner.testing.clock import Clock
    from backburner.testing.faults import Fault
    from backburner.testing.harnessing import Harness

MARKER = "backburner"
MODES = ("drain", "inline", "fake")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers",
        'backburner(mode="drain", **settings): put an app under test whose jobs are stored until they are drained, '
        'performed where they are enqueued ("inline") or only collected ("fake"); the rest are settings of the app.',
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Check the markers of all tests at once, those too that a conftest has added, which is quicker than one by one."""
    for item in items:
        mark = item.get_closest_marker(MARKER)
        if mark is not None:
            _expect_good(mark, item.nodeid)
            _ask_for_fixture(item)


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
def backburner_connection() -> object | None:
    """Return the connection in whose transaction all is done with jobs; None: the app's store has its own."""
    return None


@pytest.fixture
def backburner_app(
    request: pytest.FixtureRequest, backburner_settings: AppSettings, backburner_clock: Clock
) -> Iterator[Backburner]:
    """Make an in-memory app; jobs may name what is defined in the package of the test."""
    from backburner.testing.harnessing import clean_app

    module = getattr(request.node, "module", None)
    modules = [] if module is None else [module.__name__]
    settings: Any = {**backburner_settings, **_marked(request)[1]}
    with clean_app(modules, backburner_clock, **settings) as app:
        yield app


@pytest.fixture
def backburner(
    request: pytest.FixtureRequest,
    backburner_app: Backburner,
    backburner_clock: Clock,
    backburner_connection: object | None,
) -> Iterator[Harness]:
    """Put a clean in-memory app under test: it is the current one, and its mail is kept in `Mailer.deliveries`."""
    from backburner.testing.harnessing import harness

    mode, settings = _marked(request)
    _expect_settings(backburner_app, settings)
    with harness(backburner_app, clock=backburner_clock, mode=mode, connection=backburner_connection) as under_test:
        yield under_test


@pytest.fixture
def backburner_faults(backburner: Harness) -> Iterator[Callable[..., Iterator[Fault]]]:
    """Kill jobs everywhere, one place after the other, in a loop over the faults that this gives when it is called."""
    from backburner.testing.faults import Faults

    with Faults(backburner) as faults:
        yield faults


def _ask_for_fixture(item: Any) -> None:
    """See to it that a test with the marker has the fixture."""
    names = getattr(item, "fixturenames", None)  # not every kind of test has fixtures
    if names is not None and "backburner" not in names:
        # A list of its own: siblings with other parameters, and without the marker perhaps, share the old one.
        item.fixturenames = ["backburner", *names]


def _marked(request: pytest.FixtureRequest) -> tuple[Any, dict[str, Any]]:
    """Return the mode that a test asks for, and the settings."""
    mark = request.node.get_closest_marker(MARKER)
    settings = {} if mark is None else dict(mark.kwargs)
    return settings.pop("mode", "drain"), settings


def _expect_good(mark: pytest.Mark, test: str) -> None:
    mode = mark.kwargs.get("mode", "drain")
    if mark.args or mode not in MODES:
        got = ", ".join([*map(repr, mark.args), *([] if mode in MODES else [f"mode={mode!r}"])])
        modes = ", ".join(f"mode={mode!r}" for mode in MODES)
        raise pytest.UsageError(f"{test}: @pytest.mark.backburner: expected one of {modes}, or settings, got {got}")


def _expect_settings(app: Backburner, settings: dict[str, Any]) -> None:
    """Raise UsageError when an app of the test's own does not have what the marker says."""
    if not settings:
        return
    from backburner.core.settings import Settings

    wanted = Settings.of(settings)
    wrong = [name for name in settings if getattr(app.settings, name) != getattr(wanted, name)]
    if wrong:
        raise pytest.UsageError(
            f"@pytest.mark.backburner({', '.join(f'{name}=…' for name in wrong)}): expected an app that the plugin "
            "makes, got one of your fixture backburner_app: make it with these settings there"
        )
