"""The reference names exactly what there is, and the lifecycle page the moves that there are."""

from __future__ import annotations

import inspect
import json
import re
from argparse import SUPPRESS, ArgumentParser
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

import backburner
from backburner import Backburner, mail, testing
from backburner import app as app_module
from backburner.cli.catalogue import SUMMARIES, load
from backburner.core import errors
from backburner.core.codec import Codec
from backburner.core.events import EVENTS
from backburner.core.hooks import HOOKS
from backburner.core.lifecycle import MOVES, State
from backburner.core.options import KNOWN_OPTIONS, PAYLOAD_OPTIONS, QUEUE_OPTIONS, DecoratorOptions
from backburner.core.payload import Call
from backburner.core.settings import Settings
from tests.docs.blocks import DOCS
from tests.docs.running import PageRunner

Row = list[str]


def text_of(page: str) -> str:
    return (DOCS / page).read_text()


def table(page: str, heading: str) -> list[Row]:
    """Return the rows of the table whose first column has this heading, without backticks."""
    lines = text_of(page).splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {heading} |"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().strip("`") for cell in line[1:-1].split("|")])
    return rows


def test_settings() -> None:
    shown = {
        name: eval(default, {"timedelta": timedelta})  # noqa: S307  # the page is ours
        for name, default, _ in table("reference/settings.md", "setting")
    }
    assert shown == {name: getattr(Settings(), name) for name in Settings.__slots__}
    assert ", ".join(f"`{name}`" for name in sorted(QUEUE_OPTIONS)[:-1]) in text_of("reference/settings.md")


def test_options() -> None:
    rows = table("reference/options.md", "option")
    said = [{row[0] for row in rows if row[place] == "yes"} for place in (2, 3, 4, 5)]
    assert said == [set(KNOWN_OPTIONS), set(PAYLOAD_OPTIONS), set(DecoratorOptions.__annotations__), set(QUEUE_OPTIONS)]
    assert [row[0] for row in table("how-to/making-jobs.md", "option")] == list(KNOWN_OPTIONS)


def test_hooks_and_events() -> None:
    assert [row[0] for row in table("how-to/making-jobs.md", "hook")] == [*HOOKS, "reschedule_at"]
    shown = {event: tuple(called_with.split(", ")) for event, called_with, _ in table("how-to/plugins.md", "event")}
    assert shown == EVENTS


def test_errors() -> None:
    shown = {name: bases.replace("`", "").split(", ") for name, bases, *_ in table("reference/errors.md", "error")}
    there = {
        name: [base.__name__ for base in value.__bases__]
        for name, value in vars(errors).items()
        if isinstance(value, type) and value.__module__ == errors.__name__
    }
    assert shown == there


def test_every_public_name_is_in_the_reference() -> None:
    documented = set(re.findall(r"auto\w+:: (?:backburner\.)?([\w.]+)", text_of("reference/api.md")))
    shown_elsewhere = {row[0] for row in table("reference/errors.md", "error")} | {"jobs"}
    assert set(backburner.__all__) - documented - shown_elsewhere == set()
    assert {f"mail.{name}" for name in mail.__all__} - documented == set()
    assert {f"testing.{name}" for name in testing.__all__} - documented == set()


def test_every_command_and_option_is_on_the_page_of_the_command_line() -> None:
    page = text_of("how-to/command-line.md")
    assert [" ".join(words) for words in SUMMARIES if f"`{' '.join(words)}" not in page] == []
    assert [option for words in SUMMARIES for option in options_of(words) if f"{option}" not in page] == []


def options_of(words: tuple[str, ...]) -> Iterator[str]:
    """Yield the options of a command that are for people."""
    parser = ArgumentParser(add_help=False)
    load(words).add_arguments(parser)
    for action in parser._actions:
        if action.help == SUPPRESS:
            continue
        yield from [name for name in action.option_strings if name.startswith("--")][:1]


def test_environment_variables() -> None:
    named = [row[0] for row in table("how-to/command-line.md", "variable")]
    assert named == re.findall(r'"([A-Z]+_URL)"', inspect.getsource(app_module))


@pytest.fixture
def format_page(home: Any, request: pytest.FixtureRequest) -> PageRunner:
    runner = PageRunner(DOCS / "reference/handler-format.md", home, request)
    runner.run_all()
    return runner


def test_tags_of_the_handler_format(format_page: PageRunner) -> None:
    names = format_page.module.__dict__
    app = Backburner("memory://", allow=["shop"])
    rows = table("reference/handler-format.md", "tag")
    for tag, source, written in rows:
        value = eval(source, {**names, "shop": format_page.module})  # noqa: S307  # the page is ours
        handler = app.codec.dump(Call(names["send"], None, (value,)))
        assert json.loads(handler)["call"]["args"] == [json.loads(written)]
        assert written.startswith(f'{{"{tag}":')
        assert app.codec.load(handler).args == (value,)
    assert {tag for tag, *_ in rows} == set(Codec(app.allowed)._reader._readers)


def test_payloads_of_the_handler_format(format_page: PageRunner) -> None:
    app = Backburner("memory://", allow=["shop"])
    for _, handler in table("reference/handler-format.md", "payload"):
        assert app.codec.dump(app.codec.load(handler)) == handler


def test_the_lifecycle_page_has_the_moves_that_there_are() -> None:
    shown = {
        move: (frozenset(begin.split(", ")), end) for move, begin, end, _ in table("explanation/lifecycle.md", "move")
    }
    assert shown == {str(move): (frozenset(map(str, begin)), str(end)) for move, (begin, end) in MOVES.items()}


def test_the_lifecycle_page_says_of_each_state_which_moves_lead_in_and_out() -> None:
    page = text_of("explanation/lifecycle.md")
    sections = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##)", page, re.M | re.S))
    assert list(sections) == list(State)
    for state in State:
        facts = dict(re.findall(r"^- \*(Comes in|Goes out|Stays)\*: (.*?)(?=^-|\n\n)", sections[state], re.M | re.S))
        ways_in = {move for move, (_, end) in MOVES.items() if end is state}
        ways_out = {move for move, (begin, _) in MOVES.items() if state in begin}
        assert set(re.findall(r"`(\w+)`", facts.get("Comes in", ""))) >= ways_in, state
        assert set(re.findall(r"`(\w+)`", facts["Goes out"])) >= ways_out, state
        assert facts["Stays"], state
