"""Servers end and leave nothing behind, however the run that started them ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.servers import processes
from tests.servers.finding import MYSQL, POSTGRES
from tests.servers.fixtures import skip_if_missing
from tests.servers.keeper import Order
from tests.servers.keeping import ROOT, Daemon, ServerFailed, current_run
from tests.servers.support import environment, run_pytest

pytestmark = pytest.mark.slow

START = """\
import json, os, sys
from tests.servers.keeping import current_run
from tests.servers.mysql import MySQLServer
from tests.servers.postgres import PostgresServer
servers = [PostgresServer(shared=True), PostgresServer(), MySQLServer()]
for server in servers:
    server.start()
"""
TELL = """\
run = current_run()
pids = [run.keeper.pid, *(server.daemon.pid for server in servers), *processes_of_the_first]
print(json.dumps([str(run.folder), pids]), flush=True)
"""
PROCESSES = """\
from tests.servers.processes import descendants
processes_of_the_first = descendants(servers[0].daemon.pid)
"""
WAIT = "sys.stdin.read()\n"


@pytest.fixture(autouse=True)
def _servers_are_there() -> None:
    skip_if_missing(POSTGRES)
    skip_if_missing(MYSQL)


def assert_nothing_is_left(told: str) -> None:
    folder, pids = json.loads(told)
    assert len(pids) > 4
    processes.wait_until_gone(pids)
    assert not Path(folder).exists()


def started(*code: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "".join([START, PROCESSES, *code])]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_a_process_that_ends_ends_its_servers() -> None:
    with started(TELL) as process:
        assert_nothing_is_left(process.stdout.readline())


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_process_that_is_killed_leaves_no_servers(number: signal.Signals) -> None:
    with started(TELL, WAIT) as process:
        told = process.stdout.readline()
        process.send_signal(number)
        assert_nothing_is_left(told)


def test_servers_that_are_paused_or_killed_are_cleared_up_as_well() -> None:
    with started("servers[0].pause(); servers[1].kill(); servers[2].pause()\n", TELL, WAIT) as process:
        told = process.stdout.readline()
        process.kill()
        assert_nothing_is_left(told)


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    order = Order(command=["sh", "-c", "echo no room; exit 3"], user=None, ready="ready", log=str(tmp_path / "log"))
    with pytest.raises(ServerFailed, match=r"sh did not start: {'ended': 3}\nno room"):
        Daemon(current_run(), order).start()


def test_a_program_that_cannot_be_run_says_so(tmp_path: Path) -> None:
    order = Order(command=[str(tmp_path / "none")], user=None, ready="ready", log=str(tmp_path / "log"))
    with pytest.raises(ServerFailed, match="none did not start: .*No such file"):
        Daemon(current_run(), order).start()


TESTS = """\
import json, os, pathlib, signal
import pytest
from tests.servers import keeping

HERE = pathlib.Path(__file__).parent

def tell(url):
    with open(HERE / "told", "a") as file:
        print(json.dumps([os.getpid(), url.rpartition("/")[0], str(keeping.current_run().folder)]), file=file)

@pytest.mark.parametrize("number", range(4))
def test_something(number, postgres_url, mysql_url, request):
    tell(postgres_url)
"""

INTERRUPT = TESTS + "    os.kill(os.getpid(), signal.SIGINT)\n"


def told_by(folder: Path) -> list[list[Any]]:
    return [json.loads(line) for line in (folder / "told").read_text().splitlines()]


def test_the_workers_of_a_run_share_one_server(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, TESTS, "-n", "2", "--dist=each")
    assert "8 passed" in done.stdout, done.stdout
    workers, servers, folders = (set(column) for column in zip(*told_by(tmp_path), strict=True))
    assert (len(workers), len(servers), len(folders)) == (2, 1, 1)
    assert not Path(folders.pop()).exists()


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_an_interrupted_run_leaves_nothing(tmp_path: Path, options: tuple[str, ...]) -> None:
    done = run_pytest(tmp_path, INTERRUPT, *options)
    assert done.returncode == pytest.ExitCode.INTERRUPTED, done.stdout
    assert [folder for _, _, folder in told_by(tmp_path) if Path(folder).exists()] == []


def test_a_crashed_worker_does_not_take_the_shared_server_along(tmp_path: Path) -> None:
    crash = "    if number == 1: os.kill(os.getpid(), signal.SIGKILL)\n"
    done = run_pytest(tmp_path, TESTS + crash, "-n", "2", "--max-worker-restart=1")
    assert "1 failed, 3 passed" in done.stdout, done.stdout
    told = told_by(tmp_path)
    assert len({url for _, url, _ in told}) == 1
    assert not Path(told[0][2]).exists()
