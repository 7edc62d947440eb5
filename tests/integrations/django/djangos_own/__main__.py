"""Runs Django's own tests of tasks with our backend: `python -m tests.integrations.django.djangos_own [SDIST]`.

The tests are in Django's source distribution, which is fetched into a temporary folder unless its path is given. What
they say of Django's backends they then say of ours.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import django

OURS = "tests.integrations.django.djangos_own.backends"
REPLACED = (
    ("django.tasks.backends.dummy.DummyBackend", f"{OURS}.StoringBackend"),
    ("django.tasks.backends.immediate.ImmediateBackend", f"{OURS}.PerformingBackend"),
    ("from django.tasks.backends.dummy import DummyBackend", f"from {OURS} import StoringBackend as DummyBackend"),
    (
        "from django.tasks.backends.immediate import ImmediateBackend",
        f"from {OURS} import PerformingBackend as ImmediateBackend",
    ),
    ("(SimpleTestCase)", "(InTheDatabase, TestCase)"),
    ("(TransactionTestCase)", "(InTheDatabase, TransactionTestCase)"),
    ("    available_apps = []\n", ""),
    (
        "import SimpleTestCase",
        f"import TestCase\nfrom {OURS} import InTheDatabase\nfrom django.test import SimpleTestCase",
    ),
    ("def setUp(self):\n", "def setUp(self):\n        super().setUp()\n"),
)
"""What is written in Django's tests, and what instead."""

CANNOT_HOLD = {
    "test_cannot_get_result": "our backend gives results",
    "test_cannot_refresh_result": "our backend gives results",
    "test_cannot_pass_run_after": "our backend supports run_after",
    "test_throws_keyboard_interrupt": "a worker is not in the caller of enqueue()",
    "test_refresh_result": "it changes a result that the dummy keeps in a list",
    "test_refresh_result_async": "it changes a result that the dummy keeps in a list",
}
"""Tests that say what a backend in memory does and ours does not, each with the reason."""


def sources(archive: Path) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each file of Django's tests of tasks."""
    with tarfile.open(archive) as tar:
        for member in tar:
            if re.fullmatch(r"django-[^/]+/tests/tasks/\w+\.py", member.name):
                file = tar.extractfile(member)
                assert file is not None
                yield Path(member.name).name, file.read().decode()


def fetched(folder: Path) -> Path:
    """Fetch the source distribution of the Django that is installed."""
    wanted = f"django=={django.get_version()}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", wanted]
    subprocess.run([*command, "--dest", str(folder)], check=True)
    [archive] = folder.glob("*.tar.gz")
    return archive


def rewritten(text: str) -> str:
    for theirs, ours in REPLACED:
        text = text.replace(theirs, ours)
    for name, reason in CANNOT_HOLD.items():
        text = re.sub(
            rf"^    ((?:async )?def {name}\()",
            rf"    @__import__('unittest').skip({reason!r})\n    \1",
            text,
            flags=re.MULTILINE,
        )
    return text


def run(archive: Path, folder: Path) -> int:
    package = folder / "tasks"
    package.mkdir()
    for name, text in sources(archive):
        (package / name).write_text(rewritten(text) if name.startswith("test_") else text)
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.integrations.django.djangos_own.settings",
        "PYTHONPATH": os.pathsep.join((str(folder), os.getcwd())),
    }
    command = [sys.executable, "-m", "django", "test", "-v", "2", "tasks"]
    return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    with TemporaryDirectory() as place:
        given = Path(sys.argv[1]) if len(sys.argv) > 1 else fetched(Path(place))
        sys.exit(run(given, Path(place)))
