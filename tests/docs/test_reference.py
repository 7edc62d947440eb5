"""The reference names exactly what there is, and the lifecycle page the moves that there are."""

from __future__ import annotations

import inspect
import json
import re
from argparse import SUPPRESS, ArgumentParser
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from datetime import timedelta
from importlib import import_module
from pathlib import Path
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
from backburner.inspection import Jobs
from docs.reference import generated
from tests.docs import api_page
from tests.docs.api_page import Entry, text_about
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


@pytest.mark.parametrize("page", generated.PAGES, ids=lambda page: page.name)
def test_what_is_made_from_the_code_is_as_it_would_be_made_now(page: Path) -> None:
    text = page.read_text()
    assert text == generated.PAGES[page](text), "run `make reference`"


def test_the_pages_of_commands_and_errors_have_all_of_them() -> None:
    commands, there = text_of("reference/command-line.md"), table("reference/errors.md", "error")
    assert [words for words in SUMMARIES if f"\n## backburner {' '.join(words)}\n" not in commands] == []
    assert {row[0] for row in there} == {name for name, value in vars(errors).items() if is_error_of_ours(value)}
    assert "`SomeRefused`" in text_of("reference/errors.md")
    assert [row for row in there if not row[2]] == []


def is_error_of_ours(value: Any) -> bool:
    return isinstance(value, type) and value.__module__ == errors.__name__


def test_every_option_is_in_the_section_of_its_command() -> None:
    sections = dict(
        re.findall(r"^## backburner (.+?)\n(.*?)(?=^## |\Z)", text_of("reference/command-line.md"), re.M | re.S)
    )
    for words in SUMMARIES:
        section = sections[" ".join(words)]
        assert [option for option in options_of(words) if not re.search(rf"`{option}[ `]", section)] == [], words


def options_of(words: tuple[str, ...]) -> Iterator[str]:
    """Yield the options of a command that are for people."""
    parser = ArgumentParser(add_help=False)
    load(words).add_arguments(parser)
    for action in parser._actions:
        if action.help != SUPPRESS:
            yield from action.option_strings


def test_every_command_is_on_the_page_that_shows_them_at_work() -> None:
    page = text_of("how-to/command-line.md")
    assert [" ".join(words) for words in SUMMARIES if f"`{' '.join(words)}" not in page] == []


FRAMEWORKS = ("django.testing", "fastapi", "flask", "sqlalchemy")
NOT_FOR_USERS = {"backburner.integrations.sqlalchemy.library"}
"""What the application itself asks of each integration."""


def test_every_public_name_is_in_the_reference_once() -> None:
    documented = Counter(id(entry.value) for entry in api_page.entries())
    documented.update({id(backburner.jobs): documented[id(Jobs)]})
    for module in (errors, mail):
        documented.update(id(value) for name, value in vars(module).items() if f"| `{name}` |" in error_page())
    assert {name: documented[id(value)] for name, value in public_names().items() if documented[id(value)] != 1} == {}


def error_page() -> str:
    return text_of("reference/errors.md")


def public_names() -> dict[str, Any]:
    """Return what users may import, by its whole name."""
    frameworks = [import_module(f"backburner.integrations.{name}") for name in FRAMEWORKS]
    modules = (backburner, mail, testing, testing.faults, *frameworks)
    names = {f"{module.__name__}.{name}": getattr(module, name) for module in modules for name in module.__all__}
    return {name: value for name, value in names.items() if name not in NOT_FOR_USERS}


SAID_ELSEWHERE = {
    "Backburner": {"delay", "enqueue", "enqueue_all", "bulk", "job", "handle_asynchronously"},
    "Delayable": {"delay"},
    "Message": {field.name for field in fields(mail.Message)},
    "Attachment": {field.name for field in fields(mail.Attachment)},
}
"""What is documented as a function, or in the docstring of the class."""

INTERNAL = {
    "Backburner": {"enqueuer", "keep_jobs_in", "settings", "allowed", "libraries", "codec", "events", "telemetry"}
    | {"store", "parts", "jobs", "queues"},
    "Job": {"reader", "handle", "cached_payload", "late", "lease", "place", "is_duplicate"},
    "Retry": {"moment"},
    "Snooze": {"moment"},
    "Worker": {"leave", "abort", "show_jobs", "exit_code", "must_stop", "queues"},
    "Message": {"delay", "perform", "remember", "identify", "identity", "check"},
    "Harness": {"codec", "fitting"},
    "Enqueued": {"codec", "fitting"},
    "BackburnerTestMixin": {"codec", "fitting", "setUp", "backburner"},
    "Fault": {"statements", "has_performed"},
}
"""What has no leading underscore as other parts of the package need it, or as it is not for users yet."""


@pytest.mark.parametrize("entry", api_page.classes(), ids=lambda entry: entry.name)
def test_every_public_member_is_in_the_reference(entry: Entry) -> None:
    name = entry.value.__name__
    said = {*entry.members, *SAID_ELSEWHERE.get(name, ())}
    twins = {f"a{member}" for member in said}
    assert api_page.own_members(entry.value) - said - twins - INTERNAL.get(name, set()) == set()


def test_everything_in_the_reference_says_something() -> None:
    silent = [entry.name for entry in api_page.entries() if not (entry.value.__doc__ or "").strip()]
    for entry in api_page.entries():
        silent += [f"{entry.name}.{member}" for member in entry.members if not text_about(entry.value, member)]
    assert silent == []


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
