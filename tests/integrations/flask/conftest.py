"""What holds for every test of the Flask extension."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from backburner.authoring.apps import current_app
from backburner.integrations.flask import found


@pytest.fixture(autouse=True)
def _as_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Begin without any app, and leave none behind that would be found outside of a context."""
    monkeypatch.setattr(found, "_latest", None)
    with current_app.use(None):  # type: ignore[type-var]  # no app was configured
        yield
