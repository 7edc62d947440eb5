"""`backburner doctor`: find what is wrong with this set-up."""

from __future__ import annotations

import platform
from argparse import ArgumentParser, Namespace
from collections import Counter
from importlib.metadata import version
from typing import Any

from backburner.cli import exits, output, serving
from backburner.cli.apps import import_named_code, opened_app
from backburner.cli.arguments import add_json
from backburner.cli.checkup import Finding, Subject, examine, risks
from backburner.cli.command import Command
from backburner.cli.phrases import count
from backburner.core.errors import BackburnerError
from backburner.core.text import printable

LONGEST_LINE = 2_000


def add_arguments(parser: ArgumentParser) -> None:
    """Add what only this command has."""
    serving.add_packages(parser)
    add_json(parser)


def run(options: Namespace) -> int:
    """Examine the set-up."""
    facts: dict[str, Any] = {"version": version("backburner"), "python": platform.python_version(), "risks": []}
    named = import_named_code(options)
    try:
        with opened_app(options, named) as app:
            facts["url"] = app.store.url
            subject = Subject(app, app.store.now())
            facts |= _facts(subject)
            facts["risks"] = risks(subject)
            findings = list(examine(subject))
    except BackburnerError as error:
        findings = [Finding("database", str(error), "")]
    if options.json:
        output.say_json({"ok": not findings, **facts, "findings": [finding._asdict() for finding in findings]})
    else:
        _report(facts, findings)
    return exits.NO if findings else exits.DONE


def _facts(subject: Subject) -> dict[str, Any]:
    tables = {"tables": subject.schema.found, "needed_tables": subject.schema.needed}
    if not subject.schema.is_current:
        return tables
    jobs: Counter[str] = Counter()
    for queue in subject.queues:
        jobs.update({state.value: number for state, number in queue.counts.items()})
    return {**tables, "jobs": dict(jobs), "workers": len(subject.live_workers)}


def _report(facts: dict[str, Any], findings: list[Finding]) -> None:
    output.say(f"backburner {facts['version']}, Python {facts['python']}")
    if "url" in facts:
        output.say(f"{facts['url']}: {_state(facts)}" if "tables" in facts else facts["url"])
    if findings or facts["risks"]:
        output.say("")
    for finding in findings:
        _say("!", finding.message)
        if finding.advice:
            _say(" ", finding.advice)
    for risk in facts["risks"]:
        _say("?", risk)
    found = count(len(findings), "finding") if findings else "nothing is wrong"
    output.say(f"\n{found}, {count(len(facts['risks']), 'risk')}" if facts["risks"] else f"\n{found}")


def _say(mark: str, text: str) -> None:
    output.say(f"{mark} {printable(text, LONGEST_LINE)}")


def _state(facts: dict[str, Any]) -> str:
    if "jobs" not in facts:
        return f"tables of version {facts['tables']}" if facts["tables"] else "no tables yet"
    jobs = [f"{number:,} {state}" for state, number in sorted(facts["jobs"].items())] or ["no jobs"]
    return ", ".join([*jobs, count(facts["workers"], "worker")])


COMMAND = Command(
    about="""\
Find what is wrong with this set-up, and say what to do about it: the URL and its driver, the tables and their version,
the clocks, queued jobs whose code cannot be found or may not run, failed jobs, lost workers, paused queues, queues that
no worker serves, jobs that wait too long. What is wrong is marked with `!`. What is only risky about this database is
marked with `?` and does not change the exit code. Changes nothing.""",
    examples=(
        ("backburner doctor shop", "with the packages that workers name"),
        ("backburner doctor --app shop.web:app --json", ""),
    ),
    exit_codes={exits.DONE: "nothing is wrong", exits.NO: "something is wrong"},
    add_arguments=add_arguments,
    run=run,
)
