"""The types of the package are told completely: no checker has to guess one, and none is unknown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

FROM_DJANGO = ("admin", "apps", "fields", "mail", "management", "migrating", "migrations", "models", "tasks_backend")
UNTOLD = tuple(f"backburner.integrations.django.{module}." for module in FROM_DJANGO)
"""What is made of classes of Django, which tells no types: every checker has to guess them."""

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def symbols() -> list[dict[str, Any]]:
    """Return what pyright says about each public name of every module."""
    command = [sys.executable, "-m", "pyright", "--outputjson", "--verifytypes", "backburner", "--ignoreexternal"]
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    told = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, check=False, env={**os.environ, "PATH": path}
    )
    found: list[dict[str, Any]] = json.loads(told.stdout)["typeCompleteness"]["symbols"]
    return found


def test_every_public_name_was_looked_at(symbols):
    names = {symbol["name"] for symbol in symbols}
    assert {"backburner.app.Backburner.delay_jobs", "backburner.authoring.verbs.Verbs.enqueue"} <= names


def test_every_type_is_known_and_not_guessed(symbols):
    incomplete = {
        symbol["name"]: [what["message"] for what in symbol["diagnostics"] if "docstring" not in what["message"]]
        for symbol in symbols
        if symbol["isExported"] and (symbol["isTypeAmbiguous"] or not symbol["isTypeKnown"])
    }
    assert {name: why for name, why in incomplete.items() if not name.startswith(UNTOLD)} == {}
