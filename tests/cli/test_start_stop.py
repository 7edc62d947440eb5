"""`backburner start`, `stop`, `restart` and `status`: workers in the background."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from backburner import Backburner, State
from backburner.cli.daemons.pid_files import look_at
from backburner.cli.daemons.stopping import MARGIN, stop_all
from tests.cli.support import PATIENCE, Result, Running, run
from tests.worker.supervision.support import is_alive
from tests.worker.supervision.support import until as wait_until

Command = Callable[..., Result]


def pid_in(here: Path, name: str = "backburner") -> int:
    return int((here / "tmp/pids" / f"{name}.pid").read_text().split("\n")[0])


@pytest.fixture
def do(app: Backburner, here: Path) -> Iterator[Command]:
    """Run a command; whatever runs in the background at the end of the test is killed."""
    yield lambda *args: run(*args, cwd=here)
    for path in here.glob("**/*.pid"):
        daemon = look_at(path)
        if daemon is not None and daemon.is_running and daemon.pid is not None:
            os.kill(daemon.pid, signal.SIGKILL)


def until(is_so: Callable[[], object]) -> None:
    wait_until(is_so, "what the test waits for")


def states(result: Result) -> dict[str, str]:
    return {daemon["name"]: daemon["state"] for daemon in result.json}


def test_a_worker_in_the_background_is_started_seen_and_stopped(app: Backburner, here: Path, do: Command) -> None:
    import shop  # type: ignore[import-not-found]  # made by a fixture

    assert do("status").code == 3
    started = do("start", "shop", "--queues", "mail")
    pid = pid_in(here)
    assert (started.code, started.err) == (0, "")
    assert started.out == f"backburner is running (process {pid}); it logs to log/backburner.log\n"
    job = shop.send_welcome.delay(1)
    until(lambda: app.jobs.get(job.id).state is State.SUCCEEDED)
    status = do("status")
    assert status.code == 0
    ((name, state, number, _, arguments),) = status.rows
    assert (name, state, number) == ("backburner", "running", str(pid))
    assert arguments == "work shop --queues mail --pid-dir tmp/pids --log-file log/backburner.log"
    stopped = do("stop")
    assert (stopped.code, stopped.out) == (0, f"backburner (process {pid}) has stopped\n")
    assert not is_alive(pid)
    assert list((here / "tmp/pids").iterdir()) == []
    assert do("status").code == 3
    assert app.workers() == []
    assert f"job succeeded name=send_welcome id={job.id}" in (here / "log/backburner.log").read_text()


def test_it_is_a_session_of_its_own_and_keeps_nothing_of_who_started_it(here: Path, do: Command) -> None:
    do("start", "shop")
    pid = pid_in(here)
    assert os.getsid(pid) == pid
    targets = {os.readlink(f"/proc/{pid}/fd/{number}") for number in (0, 1, 2)}
    assert targets == {"/dev/null", str(here / "log/backburner.log")}
    assert not [link for link in Path(f"/proc/{pid}/fd").iterdir() if os.readlink(link).startswith("pipe:")]


def test_starting_what_runs_changes_nothing(here: Path, do: Command) -> None:
    do("start", "shop")
    pid = pid_in(here)
    again = do("start", "shop", "--processes", "3")
    assert again.code == 0
    assert again.out == f"backburner is running already (process {pid}); `backburner restart` starts it anew\n"
    assert pid_in(here) == pid


def test_only_one_of_many_that_start_at_once_runs(here: Path, do: Command) -> None:
    command = [sys.executable, "-m", "backburner", "start", "shop"]
    many = [subprocess.Popen(command, cwd=here, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(4)]
    said = [b"".join(process.communicate(timeout=PATIENCE)) for process in many]
    pid = pid_in(here)
    assert sum(b"is running (process" in each for each in said) == 1
    assert all(b"is running already" in each or f"is running (process {pid})".encode() in each for each in said)
    assert len(list((here / "tmp/pids").iterdir())) == 1


def test_stop_and_status_see_every_worker_however_it_was_started(app: Backburner, here: Path, do: Command) -> None:
    do("start", "shop", "--processes", "2")
    do("start", "shop", "--name", "mail", "--queues", "mail")
    with Running("work", "shop", "--name", "front", "--pid-dir", "tmp/pids", cwd=here) as front:
        front.wait_for("worker started")
        assert states(do("status", "--json")) == {"backburner": "running", "front": "running", "mail": "running"}
        until(lambda: len(app.workers()) == 4)
        pids = [pid_in(here), pid_in(here, "backburner.mail")]
        stopped = do("stop")
        assert stopped.code == 0
        assert stopped.out.count("has stopped") == 3
        assert front.end().code == 0
    assert not any(map(is_alive, pids))
    assert app.workers() == []


def test_one_of_several_can_be_meant(here: Path, do: Command) -> None:
    for name in ("a", "b"):
        do("start", "shop", "--name", name)
    assert do("stop", "--name", "a").out.startswith("a (process ")
    assert states(do("status", "--json")) == {"b": "running"}
    assert do("status", "--name", "a").code == 3


def test_restart_keeps_the_command_line(app: Backburner, here: Path, do: Command) -> None:
    do("start", "shop", "--processes", "2", "--queues", "mail")
    first, before = pid_in(here), do("status").rows[0][4]
    restarted = do("restart")
    second = pid_in(here)
    assert (restarted.code, restarted.out) == (0, f"backburner is running again (process {second})\n")
    assert first != second
    assert not is_alive(first)
    assert do("status").rows[0][4] == before
    until(lambda: [worker.queues for worker in app.workers()] == [("mail",), ("mail",)])
    do("restart")
    assert do("status").rows[0][4] == before


def test_restart_needs_something_to_restart(do: Command) -> None:
    ended = do("restart")
    assert ended.code == 1
    assert "there is no worker to restart" in ended.out


def test_what_cannot_be_started_again_says_why(here: Path, do: Command) -> None:
    do("start", "shop")
    (here / "shop.py").write_text("raise ValueError('no good')\n")
    ended = do("restart")
    assert ended.code == 2
    assert ended.err.startswith("backburner: backburner has stopped, and does not start: cannot import 'shop'")
    assert do("status").code == 3


def test_a_command_line_that_cannot_be_read_is_not_started_again(here: Path, do: Command) -> None:
    path = here / "tmp/pids/backburner.pid"
    path.parent.mkdir(parents=True)
    path.write_text(f"{os.getpid()}\nnot json\n")
    ended = do("restart")
    assert ended.code == 1
    assert ended.out.startswith("backburner: how it was started cannot be read in tmp/pids/backburner.pid")


def test_what_was_killed_is_dead_and_its_pid_file_harms_nobody(here: Path, do: Command) -> None:
    do("start", "shop", "--name", "victim")
    do("start", "shop")
    victim = pid_in(here, "backburner.victim")
    os.kill(victim, signal.SIGKILL)
    until(lambda: states(do("status", "--json")) == {"backburner": "running", "victim": "dead"})
    assert do("status").code == 1
    assert do("restart", "--name", "victim").code == 0
    assert states(do("status", "--json")) == {"backburner": "running", "victim": "running"}
    os.kill(pid_in(here, "backburner.victim"), signal.SIGKILL)
    until(lambda: do("status", "--name", "victim").code == 3)
    stopped = do("stop")
    assert "victim (process " in stopped.out
    assert " had died; its pid file is removed" in stopped.out
    assert do("status").code == 3


def test_a_number_that_another_process_has_by_now_is_not_signalled(here: Path, do: Command) -> None:
    do("start", "shop")
    path, pid = here / "tmp/pids/backburner.pid", pid_in(here)
    text = path.read_text()
    do("stop")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as innocent:
        path.write_text(text.replace(str(pid), str(innocent.pid), 1))
        assert states(do("status", "--json")) == {"backburner": "dead"}
        assert do("stop").code == 0
        assert innocent.poll() is None
        assert not path.exists()
        innocent.communicate(b"\n", timeout=PATIENCE)
        assert innocent.returncode == 0


@pytest.mark.parametrize("text", ["", "no number\n", "123", "99999999999999999999\n{}", "0\nnull\n", "-1\n"])
def test_a_broken_pid_file_is_of_nobody(here: Path, do: Command, text: str) -> None:
    path = here / "tmp/pids/backburner.pid"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert states(do("status", "--json")) == {"backburner": "dead"}
    assert do("status").code == 3
    assert do("start", "shop").code == 0
    assert states(do("status", "--json")) == {"backburner": "running"}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["shop", "--url", "sqlite:////nowhere/at/all.db"], "/nowhere/at/all.db"),
        (["shop", "--url", "mongodb://x"], "mongodb"),
        (["nothing"], "no module named 'nothing'"),
        (["shop", "--max-priority", "1", "--min-priority", "2"], "expected --min-priority to be at most"),
        (["shop", "--name", "a/b"], "name: expected letters, digits"),
        (["broken"], "cannot import 'broken': ValueError: no good"),
        (["shop", "--health-port", "1", "--health-host", "no such host"], "health port: cannot listen on"),
        (["shop", "--log-file", "shop.py/log"], "/shop.py/log: File exists"),
        (["shop", "--pid-dir", "shop.py"], "cannot read the pid file shop.py/backburner.pid: Not a directory"),
    ],
)
def test_a_worker_that_does_not_start_says_why(
    here: Path, do: Command, arguments: list[str], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "broken.py").write_text("raise ValueError('no good')\n")
    if "--url" in arguments:
        monkeypatch.delenv("BACKBURNER_URL")
    ended = do("start", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert reason in ended.err
    assert ended.err.startswith("backburner: ")
    assert ended.err.count("\n") == 1
    assert do("status").code == 3


def test_missing_tables_are_said(here: Path, do: Command, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKBURNER_URL", postgres_url)
    ended = do("start", "shop")
    assert ended.code == 2
    assert "are missing: run `backburner migrate`" in ended.err


def test_a_worker_that_ends_without_a_word_is_reported_with_the_end_of_its_log(here: Path, do: Command) -> None:
    (here / "exits.py").write_text("import os\nprint('about to go', flush=True)\nos._exit(7)\n")
    ended = do("start", "exits")
    assert ended.code == 2
    assert "it ended with exit code 7 before it worked; its log, " in ended.err
    assert "about to go" in ended.err


def test_usage_is_checked_before_anything_is_started(here: Path, do: Command) -> None:
    ended = do("start", "--processes", "0")
    assert ended.code == 2
    assert "argument --processes: expected a whole number from 1 on" in ended.err
    assert not (here / "tmp").exists()


def test_the_files_may_be_elsewhere(here: Path, do: Command) -> None:
    assert do("start", "shop", "--pid-dir", "run/here", "--log-file", "run/log").code == 0
    assert do("status").code == 3
    assert do("status", "--pid-dir", "run/here").code == 0
    assert do("restart", "--pid-dir", "run/here").code == 0
    assert (here / "run/log").read_text().count("worker started") == 2
    assert do("stop", "--pid-dir", "run/here").code == 0


def test_the_app_is_the_one_of_the_command_line(here: Path, do: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BACKBURNER_URL")
    (here / "web.py").write_text(f"from backburner import Backburner\napp = Backburner('sqlite:///{here}/other.db')\n")
    assert do("--app", "web:app", "start").code == 0
    assert do("status").rows[0][4].startswith("--app web:app work ")
    assert (here / "other.db").exists()


@pytest.mark.parametrize("command", ["stop", "restart"])
def test_a_worker_that_does_not_end_in_time_is_named(
    app: Backburner, here: Path, do: Command, gate: str, command: str
) -> None:
    import shop

    shop.wait.delay(gate)
    do("start", "shop", "--grace", "20")
    pid = pid_in(here)
    with open(gate, "w"):
        path = here / "tmp/pids/backburner.pid"
        start = json.loads(path.read_text().split("\n")[1])
        # The one that runs holds the file: it may not be replaced, but what it says can be changed.
        path.write_text(f"{pid}\n{json.dumps({**start, 'grace': -9.5})}\n")
        stopped = do(command)
    assert stopped.code == 1
    assert stopped.out == f"backburner (process {pid}) is still running: `kill -9 {pid}` ends it\n"
    until(lambda: not is_alive(pid))


def test_each_line_of_help_for_the_background_names_its_files(do: Command) -> None:
    assert re.search(r"default: tmp/pids", do("stop", "--help").out)


def no_handle(*_: int) -> int:
    """Open a descriptor of a process as an old kernel does."""
    raise OSError(errno.ENOSYS, "Function not implemented")


@pytest.mark.parametrize("handle", [None, no_handle], ids=["another system", "an old kernel"])
def test_where_there_are_no_handles_of_processes_it_is_stopped_by_its_number(
    here: Path, do: Command, monkeypatch: pytest.MonkeyPatch, handle: Callable[..., int] | None
) -> None:
    do("start", "shop")
    daemon = look_at(here / "tmp/pids/backburner.pid")
    assert daemon is not None
    assert daemon.pid is not None
    assert daemon.start is not None
    if handle is None:
        monkeypatch.delattr(os, "pidfd_open")
    else:
        monkeypatch.setattr(os, "pidfd_open", handle)
    os.kill(daemon.pid, signal.SIGSTOP)
    impatient = replace(daemon, start=replace(daemon.start, grace=-MARGIN))
    assert stop_all([impatient]) == [impatient]
    assert daemon.path.exists()
    os.kill(daemon.pid, signal.SIGCONT)
    assert stop_all([daemon]) == []
    assert not daemon.path.exists()
