"""Which command is meant, and what is said when none is."""

from __future__ import annotations

import importlib.metadata
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from backburner import Backburner
from backburner.cli.catalogue import GROUPS, SUMMARIES, load
from backburner.cli.parsing import parse
from tests.cli.conftest import Call
from tests.cli.support import run

NOT_BUILT = ("web",)


def test_the_script_and_the_module_are_the_same_command(here: Path) -> None:
    script = Path(sys.executable).with_name("backburner")
    said = subprocess.run([script, "--version"], capture_output=True, text=True, check=True).stdout
    assert said == run("--version", cwd=here).out == f"backburner {importlib.metadata.version('backburner')}\n"


def test_without_a_command_the_help_is_shown_on_stderr(call: Call) -> None:
    result = call()
    assert (result.code, result.out) == (2, "")
    assert all(" ".join(words) in result.err for words in SUMMARIES)


@pytest.mark.parametrize("words", [words for words in GROUPS if words])
def test_a_group_without_a_command_shows_its_commands(call: Call, words: tuple[str, ...]) -> None:
    result = call(*words)
    assert result.code == 2
    assert [line.split()[:2] for line in result.err.splitlines() if line.startswith(f"  {words[0]} ")] == [
        list(name) for name in SUMMARIES if name[:1] == words
    ]


@pytest.mark.parametrize("words", [(), *SUMMARIES])
def test_help_goes_to_stdout_and_says_what_the_exit_codes_mean(call: Call, words: tuple[str, ...]) -> None:
    result = call(*words, "--help")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(f"usage: {' '.join(('backburner', *words))} ")
    assert "exit codes:\n  0 " in result.out
    assert "\n  2 " in result.out
    assert "--app MODULE:ATTRIBUTE" in result.out


@pytest.mark.parametrize("words", SUMMARIES)
def test_help_teaches_with_examples_that_are_understood(call: Call, words: tuple[str, ...]) -> None:
    command = load(words)
    assert command.about.endswith(".")
    for line, _ in command.examples:
        program, *args = shlex.split(line.replace(" > jobs.sql", "").partition(" | ")[0])
        assert program == "backburner"
        assert parse(args)[0] is command
        assert line in call(*words, "--help").out


def test_help_fits_a_narrow_terminal(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for words in ((), ("jobs",), ("work",)):
        text = call(*words, "--help").out.partition("examples:")[0]
        assert max(map(len, text.splitlines())) <= 80


def test_what_is_not_built_is_not_advertised(call: Call) -> None:
    text = "".join(call(*words, "--help").out for words in ((), *SUMMARIES))
    assert [word for word in NOT_BUILT if f" {word} " in text] == []


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["wrok"], "unknown command 'wrok': did you mean 'work'? (see `backburner --help`)"),
        (["frobnicate"], "unknown command 'frobnicate' (see `backburner --help`)"),
        (["jobs", "lst"], "unknown command 'lst': did you mean 'list'? (see `backburner jobs --help`)"),
        (["work", "--quues", "a"], "unknown option --quues: did you mean '--queues'? (see `backburner work --help`)"),
        (["work", "--quues=a"], "unknown option --quues: did you mean '--queues'? (see `backburner work --help`)"),
        (
            ["--queues", "a", "work"],
            "unknown option --queues: options of a command come after the command (see `backburner --help`)",
        ),
        (["workers", "all"], "unexpected argument 'all' (see `backburner workers --help`)"),
        (["jobs", "show"], "the following arguments are required: ID (see `backburner jobs show --help`)"),
        (["work", "--name"], "argument --name: expected one argument (see `backburner work --help`)"),
        (["migrate", "--sql", "--check"], "argument --check: not allowed with argument --sql (see `backburner migrate"),
        (["jobs", "list", "--state", "faild"], "argument --state: expected one of queued, running, blocked, succeeded"),
        (["jobs", "list", "--state", "queued,faild"], "got 'faild': did you mean 'failed'? (see"),
        (["jobs", "list", "--limit", "-3"], "argument --limit: expected a whole number from 0 on, got '-3'"),
        (["jobs", "list", "--limit", "many"], "argument --limit: expected a whole number, got 'many'"),
        (["work", "--concurrency", "0"], "argument --concurrency: expected a whole number from 1 on, got '0'"),
        (["work", "--grace", "-1"], "argument --grace: expected a number of seconds, got '-1'"),
        (["work", "--grace", "nan"], "argument --grace: expected a number of seconds, got 'nan'"),
        (["work", "--queues", "a,,b"], "expected a name of 1 to 200 printable characters, got ''"),
        (["work", "--max-priority", "3000000000"], "argument --max-priority: expected an integer from -2147483648 to"),
        (
            ["work", "--min-priority", "5", "--max-priority", "1"],
            "expected --min-priority to be at most --max-priority",
        ),
        (["check", "--max-age", "old"], "argument --max-age: expected a number of seconds, got 'old'"),
        (["jobs", "retry"], "expected the ids of jobs, or --all or --queue QUEUE for the failed ones"),
        (["jobs", "retry", "--all", "019a"], "expected the ids of jobs, or --all or --queue QUEUE for the failed ones"),
        (["workers", "--app", "shop:app", "--url", "memory://"], "expected --app or --url, got both"),
        (["start", "--app", "shop:app", "--url", "memory://"], "expected --app or --url, got both"),
        (["work", "--health-port", "65536"], "argument --health-port: expected a port from 0 to 65535, got '65536'"),
        (["work", "--log-file", "shop.py/log"], "cannot write the log file shop.py/log: File exists"),
    ],
)
def test_wrong_use_is_said_in_one_line(call: Call, args: list[str], message: str) -> None:
    result = call(*args)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert result.err.startswith("backburner: ")
    assert result.err.count("\n") == 1


def test_options_are_not_abbreviated(call: Call) -> None:
    assert "unknown option --conc" in call("work", "--conc", "2").err


@pytest.mark.parametrize(
    "args",
    [
        ["--url", "{url}", "jobs", "list", "--json"],
        ["jobs", "--url={url}", "list", "--json"],
        ["jobs", "list", "--json", "--url", "{url}"],
    ],
)
def test_the_app_stands_on_either_side_of_the_command(
    call: Call, app: Backburner, monkeypatch: pytest.MonkeyPatch, args: list[str]
) -> None:
    monkeypatch.delenv("BACKBURNER_URL")
    import shop  # type: ignore[import-not-found]  # made by a fixture

    job = shop.send_welcome.delay(1)
    assert [found["id"] for found in call(*(arg.format(url=app.store.url) for arg in args)).json] == [str(job.id)]
