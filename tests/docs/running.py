"""Runs the blocks of a page, one after the other, in a directory and a namespace of the page's own.

`python` with a file's name in its first line is written to that file, other `python` is executed, `pycon` and `console`
are executed and what they print is compared with the page. The namespace is the package `shop`, so that a job may name
what a page defines. A `test_…` function is called, with its fixtures, as soon as it is there.
"""

from __future__ import annotations

import doctest
import importlib
import inspect
import re
import sys
from pathlib import Path
from types import FunctionType, ModuleType

import pytest

from tests.docs.blocks import Block, blocks_of, name_of
from tests.docs.printed import is_as_shown
from tests.docs.terminal import Terminal

SETUPS = Path(__file__).parent / "setups"
"""What a page that begins in the middle of an application takes for granted."""

SHOWN_HOME = "/home/ann/shop"
"""What the pages call the directory in which everything happens."""

SHOWN_URLS = {"postgresql://ann@localhost/shop": "postgres_url", "mysql://ann@localhost/shop": "mysql_url"}
"""What the pages call databases on servers, and the fixtures that give real ones."""


class PageRunner:
    """Everything that the blocks of one page share."""

    def __init__(self, page: Path, home: Path, request: pytest.FixtureRequest) -> None:
        self.page = page
        self.home = home
        self.module = ModuleType("shop")
        self.module.__path__ = [str(home / "shop")]
        sys.modules["shop"] = self.module
        self._request = request
        self._terminal = Terminal(home)

    def run_all(self) -> None:
        """Run every block that is not only to be looked at."""
        setup = SETUPS / f"{self.page.stem}.py"
        if setup.exists():
            self._execute(setup.read_text(), str(setup))
        for block in blocks_of(self.page):
            if block.not_run is None:
                self._run(block._replace(text=self._with_real_urls(block.text)))

    def _with_real_urls(self, text: str) -> str:
        for url, fixture in SHOWN_URLS.items():
            if url in text:
                text = text.replace(url, self._request.getfixturevalue(fixture))
        return text

    def _run(self, block: Block) -> None:
        match block.language:
            case "python" if block.file:
                self._write(block.file, block.text)
            case "python":
                self._execute("\n" * (block.line - 1) + block.text, name_of(self.page))
            case "pycon":
                self._converse(block)
            case "console":
                for part in re.split(r"^\$ ", block.text, flags=re.M)[1:]:
                    self._command(*part.split("\n", 1))

    def _write(self, name: str, text: str) -> None:
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        importlib.invalidate_caches()

    def _execute(self, text: str, name: str) -> None:
        names = self.module.__dict__
        before = dict(names)
        exec(compile(text, name, "exec", dont_inherit=True), names)  # noqa: S102  # the pages are ours
        for name, value in list(names.items()):
            if name.startswith("test_") and before.get(name) is not value:
                self._call(value)

    def _call(self, test: FunctionType) -> None:
        test(**{name: self._request.getfixturevalue(name) for name in inspect.signature(test).parameters})

    def _converse(self, block: Block) -> None:
        names, page = self.module.__dict__, name_of(self.page)
        example = doctest.DocTestParser().get_doctest(block.text, names, page, page, block.line - 1)
        doctest.DebugRunner(optionflags=doctest.ELLIPSIS).run(example, clear_globs=False)

    def _command(self, command: str, shown: str) -> None:
        """Run a command; without anything shown, it is only to succeed."""
        code, printed = self._terminal.run(command, shown)
        printed = printed.replace(str(self.home), SHOWN_HOME)
        is_right = is_as_shown(shown, printed) if shown.strip() else code == 0
        assert is_right, f"{name_of(self.page)}: $ {command}\n{printed}"
