"""What the tests of the documentation share."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backburner import Backburner
from backburner.app import use
from backburner.mail import Mailer


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty directory, where code is imported from; what was imported there is forgotten."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    with Backburner("memory://", mail="memory:", allow=["shop"]) as app, use(app):
        yield tmp_path
    Mailer.deliveries.clear()
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]
    sys.modules.pop("shop", None)
