"""The processes of an example: a mail server, the page and a worker, listened to and ended whatever happens."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

EXAMPLES = Path(__file__).parents[2] / "examples"
PATIENCE = 40.0


class Listened:
    """A process whose output is read."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._said = ""
        self._unseen = 0
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Return the next place in the output that fits; fail when the process has ended, or after a while."""
        deadline = time.monotonic() + PATIENCE
        with self._news:
            while (found := re.compile(pattern).search(self._said, self._unseen)) is None:
                assert self._reader.is_alive(), f"ended without {pattern!r}:\n{self._said}"
                assert self._news.wait(deadline - time.monotonic()), f"expected {pattern!r}, got:\n{self._said}"
            self._unseen = found.end()
        return found

    def end(self) -> int:
        """Ask the process to end, and return its exit code."""
        self._process.terminate()
        return self._process.wait(PATIENCE)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._news:
                self._said += line
                self._news.notify_all()
        with self._news:
            self._news.notify_all()


@contextmanager
def started(*arguments: str, **environment: str) -> Iterator[Listened]:
    """Run Python in the folder of the examples within the block."""
    with subprocess.Popen(
        [sys.executable, *arguments],
        cwd=EXAMPLES,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield Listened(process)
        finally:
            process.kill()


@contextmanager
def mail_server(folder: Path) -> Iterator[tuple[Listened, str]]:
    """Run a mail server within the block, and give it and its URL. It prints what it receives."""
    arguments = ("-m", "tutorial.mail_server", "--port=0", "--seconds=0")
    with started(*arguments, TUTORIAL_HOME=str(folder / "mail")) as server:
        yield server, server.wait_for(r"listening on (\S+)")[1]


def get(url: str) -> str:
    """Return the page at a URL."""
    return _open(url, None)[1]


def post(url: str, **fields: str) -> tuple[int, str]:
    """Send a form, follow where that leads, and return the status and the page."""
    return _open(url, urlencode(fields).encode())


def post_json(url: str, body: Any) -> tuple[int, Any]:
    """Send a body, and return the status and the body of the answer."""
    status, answer = _open(url, json.dumps(body).encode(), **{"Content-Type": "application/json"})
    return status, json.loads(answer)


def _open(url: str, data: bytes | None, **headers: str) -> tuple[int, str]:
    opener = build_opener(ProxyHandler({}))  # no proxy: it could not reach this machine's own addresses
    try:
        with opener.open(Request(url, data, headers), timeout=PATIENCE) as answer:  # noqa: S310  # of our own server
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()
