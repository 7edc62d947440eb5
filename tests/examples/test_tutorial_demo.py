"""`make demo`, run as a person runs it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

DEMO = Path(__file__).parents[2] / "examples" / "tutorial" / "demo.py"
SECONDS = 50

pytestmark = pytest.mark.timeout(2 * SECONDS)


@contextmanager
def demo(folder: Path, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Start the demo with a folder for its temporary files; end it whatever happens."""
    with subprocess.Popen(
        [sys.executable, str(DEMO)],
        env={**os.environ, "TMPDIR": str(folder), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def said_until(process: subprocess.Popen[str], end: str) -> str:
    """Return what the demo says up to a line."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if end in line:
            return said
    raise AssertionError(f"expected {end!r}, got:\n{said}")


def worker_of(said: str) -> int:
    found = re.search(r"worker .* process (\d+)", said)
    assert found is not None
    return int(found[1])


def answers(url: str) -> bool:
    address = urlsplit(url)
    try:
        socket.create_connection((address.hostname, address.port), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True


def test_it_shows_the_whole_story_and_ends(tmp_path: Path) -> None:
    with demo(tmp_path, DEMO_EXIT="1") as process:
        said, _ = process.communicate(timeout=SECONDS)

    assert process.returncode == 0, said
    assert '"$record": "tutorial.models:User"' in said
    assert '"email": "ann@example.com"' in said
    assert len(re.findall(r"\d+ ms +the page answered", said)) == 3
    assert said.count('the mail was delivered to ann@example.com: "Welcome, Ann"') == 2
    assert "Ann is active" in said
    assert "\033" not in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_stays_until_it_is_ended_and_leaves_nothing_behind(tmp_path: Path, ending: signal.Signals) -> None:
    with demo(tmp_path) as process:
        said = said_until(process, "Ctrl-C ends the demo")
        addresses = re.findall(r"(?:http|smtp)://[\d.]+:\d+", said)
        assert all(answers(url) for url in addresses)
        process.send_signal(ending)
        last, _ = process.communicate(timeout=SECONDS)

    assert process.returncode == 0, last
    assert not any(answers(url) for url in addresses)
    with pytest.raises(ProcessLookupError):
        os.kill(worker_of(said), 0)
    assert list(tmp_path.iterdir()) == []


def test_it_says_what_was_not_seen_and_shows_the_log_of_who_has_ended(tmp_path: Path) -> None:
    with demo(tmp_path, DEMO_EXIT="1") as process:
        said = said_until(process, "worker  ")
        os.kill(worker_of(said), signal.SIGKILL)
        last, _ = process.communicate(timeout=SECONDS)

    assert process.returncode == 1, last
    assert "(the worker has ended)" in last
    assert "Log of the worker" in last
    assert "worker started" in last
    assert "Log of the page" not in last
    assert list(tmp_path.iterdir()) == []
