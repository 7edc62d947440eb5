"""The pages become HTML without a warning: each link within leads somewhere, and nothing is loaded from elsewhere."""

from __future__ import annotations

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.docs.blocks import DOCS, PAGES

LOADED = {"img": "src", "script": "src", "link": "href", "iframe": "src", "source": "src"}
"""What a browser fetches by itself."""


class Html(HTMLParser):
    """The links of a page, the places in it that links may lead to, and what it loads."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.places: set[str] = set()
        self.links: set[str] = set()
        self.loaded: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value for name, value in attrs if value is not None}
        self.places |= {said[name] for name in ("id", "name") if name in said}
        self.links |= {said["href"]} if tag == "a" and "href" in said else set()
        self.loaded |= {said[LOADED[tag]]} if LOADED.get(tag) in said else set()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, str]:
    """Where the HTML is, how the build ended, and what it warned of."""
    pytest.importorskip("sphinx", reason="only the developers' part of the environment can build the documentation")
    folder = tmp_path_factory.mktemp("html")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", str(DOCS), str(folder)]
    result = subprocess.run(command, check=False, capture_output=True, text=True)
    return folder, result.returncode, result.stderr


@pytest.fixture(scope="module")
def html(built: tuple[Path, int, str]) -> dict[Path, Html]:
    return {path: Html(path) for path in built[0].rglob("*.html")}


def test_they_become_html_without_a_warning(built: tuple[Path, int, str]) -> None:
    _, code, warnings = built
    assert (code, warnings) == (0, "")


def test_every_page_is_there(html: dict[Path, Html], built: tuple[Path, int, str]) -> None:
    expected = {built[0] / page.relative_to(DOCS).with_suffix(".html") for page in PAGES if page.is_relative_to(DOCS)}
    assert expected - html.keys() == set()


def test_every_link_within_leads_to_a_page_and_a_place_in_it(html: dict[Path, Html]) -> None:
    within = [(page, link) for page in html.values() for link in page.links if not urlsplit(link).scheme]
    assert len(within) > 1000
    assert [f"{page.path.name}: {link}" for page, link in within if not leads_somewhere(page, link, html)] == []


def leads_somewhere(page: Html, link: str, html: dict[Path, Html]) -> bool:
    parts = urlsplit(link)
    target = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path
    if target not in html:
        return target.is_file() and not parts.fragment
    return not parts.fragment or unquote(parts.fragment) in html[target].places


def test_a_page_loads_only_what_is_beside_it(html: dict[Path, Html]) -> None:
    loaded = [(page, urlsplit(source)) for page in html.values() for source in page.loaded]
    assert [f"{page.path.name}: {source.geturl()}" for page, source in loaded if source.netloc] == []
    files = [(page, source.path) for page, source in loaded if source.path and not source.scheme]
    assert [f"{page.path.name}: {path}" for page, path in files if not (page.path.parent / path).is_file()] == []
