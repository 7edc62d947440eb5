"""Where output goes, and what becomes of it when nobody reads it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from backburner import Backburner
from backburner.cli.phrases import age, count, duration, listing
from backburner.cli.tables import Column, cut, layout, width_of
from backburner.core.times import EPOCH
from tests.cli.support import BACKBURNER, PATIENCE, environment, run


def shell(script: str, here: Path) -> subprocess.CompletedProcess[str]:
    """Run a script in which "$@" is backburner."""
    command = ["sh", "-c", script, "sh", *BACKBURNER]
    return subprocess.run(command, cwd=here, env=environment(), capture_output=True, text=True, timeout=PATIENCE)


@pytest.fixture
def many_jobs(app: Backburner) -> None:
    import shop  # type: ignore[import-not-found]  # made by a fixture

    with app.bulk():
        for number in range(3_000):
            shop.send_welcome.delay(number)


@pytest.mark.parametrize("options", ["", "--json"])
def test_a_reader_that_goes_away_is_harmless(many_jobs: None, here: Path, options: str) -> None:
    script = f'{{ "$@" jobs list --limit 0 {options}; echo "code $?" >&2; }} | head -n 1'
    ended = shell(script, here)
    assert ended.stdout.count("\n") == 1
    assert ended.stderr == "code 0\n"


@pytest.mark.parametrize("command", ["jobs list --limit 5", "queues list", "migrate", "--help", "--version", "check"])
def test_a_closed_stdout_is_harmless(many_jobs: None, here: Path, command: str) -> None:
    ended = shell(f'"$@" {command} >&-', here)
    assert (ended.returncode, ended.stdout) == (0, "")
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("command", ["work shop --exit-on-complete", "workoff shop"])
def test_closed_streams_do_not_keep_a_worker_from_its_jobs(
    many_jobs: None, app: Backburner, here: Path, command: str
) -> None:
    ended = shell(f'"$@" {command} >&- 2>&-', here)
    assert ended.returncode == 0
    assert app.jobs.count() == 0


def test_a_full_disk_is_said_in_one_line(many_jobs: None, here: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    ended = shell('"$@" jobs list > /dev/full', here)
    assert ended.returncode == 2
    assert ended.stderr == "backburner: cannot write the output: No space left on device\n"


def test_characters_that_the_encoding_lacks_are_escaped(app: Backburner, here: Path) -> None:
    import shop

    shop.send_welcome.options(queue="größe-日本").delay(1)
    ended = run("queues", "list", cwd=here, env={"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"})
    assert ended.code == 0
    assert "\\u65e5\\u672c" in ended.out


def test_an_interrupted_command_ends_without_a_traceback(here: Path, app: Backburner) -> None:
    script = (
        "import sys, signal\n"
        "from backburner.cli import main as cli\n"
        "def interrupted(argv): raise KeyboardInterrupt\n"
        "cli.parse = interrupted\n"
        "sys.exit(cli.main(['workers']))\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], cwd=here, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (130, "")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (119, "119 s"),
        (120, "2 min"),
        (3600, "60 min"),
        (7200, "2 h"),
        (172_799, "47 h"),
        (172_800, "2 days"),
        (1e9, "11574 days"),
    ],
)
def test_a_duration_has_one_unit(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_ages_say_which_way() -> None:
    from datetime import timedelta

    now = EPOCH + timedelta(days=1)
    assert age(now - timedelta(minutes=3), now) == "3 min ago"
    assert age(now + timedelta(hours=5), now) == "in 5 h"
    assert age(now - timedelta(seconds=1), now) == age(now + timedelta(seconds=1), now) == "just now"


def test_counts_and_lists() -> None:
    assert [count(number, "job") for number in (0, 1, 2, 12345)] == ["0 jobs", "1 job", "2 jobs", "12,345 jobs"]
    assert listing("abc") == "a, b, c"
    assert listing("abcdefgh", most=3) == "a, b, c, 5 more"


def test_columns_are_aligned_by_the_places_that_characters_take() -> None:
    columns = (Column("NAME"), Column("N", is_number=True))
    assert layout(columns, [("日本", 1), ("é", 100), ("e\u0301", 10)], 80) == [
        "NAME    N",
        "日本    1",
        "é     100",
        "e\u0301      10",
    ]


def test_the_widest_columns_give_way() -> None:
    columns = (Column("ID"), Column("A", may_be_cut=True), Column("B", may_be_cut=True))
    header, line = layout(columns, [("x" * 10, "a" * 30, "b" * 12)], 40)
    assert line == "x" * 10 + "  " + "a" * 13 + "…" + "  " + "b" * 12
    assert len(line) == 40
    assert header.split() == ["ID", "A", "B"]


def test_columns_that_matter_less_give_way_to_the_others() -> None:
    columns = (Column("ID"), Column("LESS", may_be_missing=True), Column("LEAST"), Column("LAST", may_be_missing=True))
    rows = [("x" * 10,) * 4]
    assert layout(columns, rows, 46)[0].split() == ["ID", "LESS", "LEAST", "LAST"]
    assert layout(columns, rows, 45)[0].split() == ["ID", "LEAST", "LAST"]
    assert layout(columns, rows, 20)[0].split() == ["ID", "LEAST"]


def test_control_characters_do_nothing_in_a_table() -> None:
    (_, line) = layout((Column("NAME"),), [("\x1b]0;title\x07\tend\n",)], 80)
    assert line == "\ufffd]0;title\ufffd end"


@pytest.mark.parametrize("text", ["", "short", "x" * 10, "日本語日本", "日本語日本語", "x" * 5000, "a\u0301" * 8])
def test_cut_text_fits(text: str) -> None:
    assert width_of(cut(text, 10)) <= 10
    assert cut(text, 10) == text or cut(text, 10).endswith("…")
