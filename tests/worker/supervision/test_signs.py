"""What others see of worker processes: titles, stacks, health, and what systemd is told."""

from __future__ import annotations

import os
import re
import signal
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from backburner import Backburner
from tests.cli.support import Running
from tests.worker.supervision import jobs
from tests.worker.supervision.conftest import Supervise
from tests.worker.supervision.support import SOON, Hold, kill, until, worker_pids

ALONE: list[str] = []
SUPERVISED = ["--processes", "1"]


def title_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").decode()


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="titles are read where Linux shows them")
def test_titles_say_what_a_process_does(app: Backburner, supervise: Supervise, hold: Hold) -> None:
    pytest.importorskip("setproctitle")
    with supervise("--processes", "1", "--queues", "mail") as supervisor:
        (pid,) = worker_pids(supervisor, 1)
        assert title_of(supervisor.pid) == "backburner: supervisor of mail:1"
        until(lambda: title_of(pid) == "backburner: worker mail: waiting", "it waits")
        jobs.hold.options(queue="mail").delay(hold.started, hold.release)
        hold.pid()
        until(lambda: title_of(pid) == "backburner: worker mail: performing hold", "it performs")
        supervisor.send(signal.SIGTERM)
        until(lambda: title_of(pid) == "backburner: worker mail: performing hold, then it ends", "it is to end")
        hold.let_go()
        assert supervisor.end().code == 0


@pytest.mark.parametrize("options", [[], ["--processes", "1"], ["--concurrency", "2"]])
def test_usr1_names_the_jobs_that_run(app: Backburner, run: Supervise, hold: Hold, options: list[str]) -> None:
    job = jobs.hold.delay(hold.started, hold.release)
    with run(*options) as worker:
        hold.pid()
        worker.send(signal.SIGUSR1)
        line = worker.wait_for("INFO    job running name=hold ")
        assert f" id={job.id} queue=default seconds=" in line
        assert re.search(r'at="\S*:\d+ \S+( < \S+:\d+ \S+)* < \S*jobs.py:\d+ hold" worker=', line)
        until(lambda: any(" in hold\n" in each for each in worker.lines), "the stacks are written as well")
        hold.let_go()
        worker.wait_for("job succeeded name=hold")


def test_usr1_names_async_jobs_with_what_they_await(app: Backburner, run: Supervise, hold: Hold) -> None:
    jobs.hold_async.delay(hold.started)
    with run("--concurrency", "2", "--grace", "0") as worker:
        hold.pid()
        line = ""
        while "wait_for_ever" not in line:  # it may not have come so far when it is looked at for the first time
            worker.send(signal.SIGUSR1)
            line = worker.wait_for("INFO    job running name=hold_async ")
    assert re.search(r"jobs.py:\d+ wait_for_ever < \S*jobs.py:\d+ hold_async\" worker=", line)


def ask(worker: Running, path: str, method: str = "GET") -> tuple[int, str]:
    """Ask the health server, which says in the log where it is."""
    port = port_of(worker)
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
    try:
        with urllib.request.urlopen(request, timeout=SOON) as answer:  # noqa: S310  # an address of this machine
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def port_of(worker: Running) -> int:
    while not (found := [line for line in worker.lines if "health: listening on 127.0.0.1:" in line]):
        worker.wait_for("health: listening on")
    return int(found[0].rsplit(":", 1)[1])


@pytest.mark.parametrize("options", [ALONE, SUPERVISED])
def test_the_health_server_says_how_it_is(app: Backburner, run: Supervise, hold: Hold, options: list[str]) -> None:
    with run("--health-port", "0", *options) as worker:
        assert ask(worker, "/livez") == (200, "ok\n")
        until(lambda: ask(worker, "/readyz") == (200, "ok\n"), "it is ready")
        assert ask(worker, "/livez?verbose", "HEAD") == (200, "")
        assert ask(worker, "/livez", "POST") == (405, "expected GET, got POST\n")
        assert ask(worker, "/") == (404, "expected one of /livez /readyz\n")
        jobs.hold.delay(hold.started, hold.release)
        hold.pid()
        assert ask(worker, "/livez") == (200, "ok\n")
        worker.send(signal.SIGTERM)
        until(lambda: ask(worker, "/readyz")[0] == 503, "it is not ready any more, as it stops")
        hold.let_go()
        assert worker.end().code == 0


@pytest.mark.parametrize("options", [ALONE, SUPERVISED])
def test_callers_that_say_nothing_keep_nobody_waiting(app: Backburner, run: Supervise, options: list[str]) -> None:
    with run("--health-port", "0", *options) as worker:
        port = port_of(worker)
        silent = [socket.create_connection(("127.0.0.1", port), SOON) for _ in range(100)]
        silent[-1].sendall(b"GET /livez HTTP/1.1\r\nHost: x")
        assert ask(worker, "/livez") == (200, "ok\n")
        for caller in silent:
            caller.close()
        assert ask(worker, "/livez") == (200, "ok\n")


def test_a_request_in_pieces_is_understood(app: Backburner, run: Supervise) -> None:
    with run("--health-port", "0") as worker, socket.create_connection(("127.0.0.1", port_of(worker)), SOON) as caller:
        for piece in (b"GE", b"T /livez HTTP/1.1\r\nHost: x\r", b"\n\r\n"):
            caller.sendall(piece)
        assert caller.makefile().read().startswith("HTTP/1.1 200 OK\n")


def test_a_port_that_is_taken_is_said_at_once(app: Backburner, run: Supervise) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        ended = run("--health-port", port).end()
    assert ended.code == 2
    assert f"health port: cannot listen on 127.0.0.1:{port}: Address already in use" in ended.err


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """What systemd listens to."""
    name = f"backburner-{os.getpid()}-{tmp_path.name}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0{name}" if request.param == "abstract" else f"{tmp_path}/notify")
        listener.settimeout(SOON)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}" if request.param == "abstract" else f"{tmp_path}/notify")
        yield listener


@pytest.mark.parametrize("options", [ALONE, SUPERVISED])
def test_systemd_is_told_of_begin_end_and_progress(
    app: Backburner, run: Supervise, systemd: socket.socket, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "600000")
    with run(*options) as worker:
        assert [systemd.recv(100) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
        worker.send(signal.SIGTERM)
        while (said := systemd.recv(100)) == b"WATCHDOG=1":
            pass
        assert said == b"STOPPING=1"
        assert worker.end().code == 0


def test_the_watchdog_is_not_fed_when_a_process_does_not_get_on(
    app: Backburner, run: Supervise, systemd: socket.socket, monkeypatch: pytest.MonkeyPatch, hold: Hold
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "300000")
    jobs.hold_deaf.options(max_run_time=0.1).delay(hold.started, hold.release)
    with run(slack=1.0) as worker:  # alone, as a supervisor would kill it
        hold.pid()
        until(lambda: silent_for_a_while(systemd), "systemd hears nothing any more")
        kill(worker.pid)


def silent_for_a_while(systemd: socket.socket) -> bool:
    systemd.settimeout(1.5)
    try:
        systemd.recv(100)
    except TimeoutError:
        return True
    return False


def test_what_systemd_asked_for_is_not_asked_of_jobs(
    app: Backburner, run: Supervise, systemd: socket.socket, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    jobs.note_environment.delay(str(seen), "NOTIFY_SOCKET")
    with run("--exit-on-complete") as worker:
        assert worker.end().code == 0
    assert seen.read_text() == "None"
