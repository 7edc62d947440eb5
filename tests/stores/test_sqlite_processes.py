"""Several processes share a file: nothing is done twice, nothing is lost, whoever forks or is killed."""

from __future__ import annotations

import gc
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from backburner.core.ports import JobFilter
from backburner.core.times import system_now
from backburner.stores.sql.sqlite.store import SQLiteStore
from backburner.testing.contract.driving import new_job

ROOT = Path(__file__).parents[2]
PATIENCE = 50.0

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "shop.db"


@pytest.fixture
def store(path: Path) -> Iterator[SQLiteStore]:
    store = SQLiteStore(str(path))
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def start(path: Path) -> Iterator[Start]:
    running: list[subprocess.Popen[str]] = []

    def start_one(verb: str, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.stores.process", verb, f"sqlite:///{path}", *arguments]
        pipe = subprocess.PIPE
        running.append(subprocess.Popen(command, cwd=ROOT, text=True, stdin=pipe, stdout=pipe, stderr=pipe))
        return running[-1]

    yield start_one
    for process in running:
        process.kill()
        process.communicate()


def test_a_writer_that_is_killed_leaves_the_file_sound(store: SQLiteStore, start: Start, path: Path) -> None:
    stored: set[str] = set()
    for _ in range(5):
        writer = start("enqueue_for_ever")
        assert writer.stdout is not None
        for _ in range(40):
            stored.update(writer.stdout.readline().split())
        writer.send_signal(signal.SIGKILL)
        stored.update(job_id for line in writer.stdout if line.endswith("\n") for job_id in line.split())
        writer.wait(PATIENCE)
        assert integrity_of(path) == "ok"
    found = store.run(store.find(JobFilter(), limit=1_000_000))
    assert stored <= {str(job.id) for job in found}
    pairs = Counter(job.queue for job in found)
    assert len(pairs) == 5
    assert [number for number in pairs.values() if number % 2] == []


def test_what_another_process_commits_is_noticed(store: SQLiteStore, start: Start) -> None:
    writer = start("enqueue_when_told")
    assert writer.stdin is not None
    assert writer.stdout is not None
    assert writer.stdout.readline() == "ready\n"
    watch = store.watch()
    assert watch.wait(0.05) is False
    for number in range(1, 4):
        writer.stdin.write("\n")
        writer.stdin.flush()
        assert watch.wait(PATIENCE) is True
        assert store.run(store.count(JobFilter())) == number
    watch.close()


def test_what_this_store_commits_wakes_nobody(store: SQLiteStore) -> None:
    watch = store.watch()
    store.run(store.enqueue([new_job()]))
    store.run(store.delete_all(JobFilter()))
    assert watch.wait(0.05) is False
    watch.close()


def test_what_was_committed_before_the_wait_is_noticed(store: SQLiteStore, path: Path) -> None:
    watch = store.watch()
    with closing(sqlite3.connect(path)) as connection:
        store.run(store.enqueue([new_job()]), connection)
        connection.commit()
    began = monotonic()
    assert watch.wait(PATIENCE) is True
    assert monotonic() - began < PATIENCE / 2
    assert watch.wait(0.05) is False
    watch.close()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs fork, and Linux to look at descriptors")
class TestFork:
    def test_a_child_uses_the_store_and_the_parent_goes_on(self, store: SQLiteStore, path: Path) -> None:
        store.run(store.enqueue([new_job()]))
        store.run(store.find(JobFilter()))

        def child() -> None:
            for _ in range(50):
                store.run(store.enqueue([new_job(system_now())]))
            assert store.run(store.count(JobFilter())) == 51
            store.close()

        in_child(child)
        store.run(store.enqueue([new_job()]))
        assert store.run(store.count(JobFilter())) == 52
        assert integrity_of(path) == "ok"

    def test_a_child_that_ends_closes_nothing_of_the_parent(self, store: SQLiteStore, path: Path) -> None:
        """Closed by the child, the log could be deleted under the hands of the parent."""
        store.run(store.enqueue([new_job()]))
        log = path.with_name("shop.db-wal")
        before = log.stat()
        command = f"""
import os, sys
from backburner.stores.sql.sqlite.store import SQLiteStore
from backburner.testing.contract.driving import new_job
from backburner.core.ports import JobFilter
store = SQLiteStore({str(path)!r})
store.run(store.enqueue([new_job()]))
if os.fork() == 0:
    sys.exit(0)  # with all that the end of Python does, unlike os._exit
os.wait()
store.run(store.enqueue([new_job()]))
print(store.run(store.count(JobFilter())))
os._exit(0)
"""
        done = subprocess.run([sys.executable, "-c", command], check=True, capture_output=True, text=True)
        assert (done.stdout, done.stderr) == ("3\n", "")
        assert log.stat().st_ino == before.st_ino
        assert store.run(store.count(JobFilter())) == 3
        assert integrity_of(path) == "ok"

    def test_a_child_leaves_the_connections_of_the_parent_open(self, store: SQLiteStore, path: Path) -> None:
        store.run(store.enqueue([new_job()]))
        store.run(store.find(JobFilter()))
        inherited = descriptors_of(path.parent)
        assert len(inherited) > 3

        def child() -> None:
            gc.collect()
            assert descriptors_of(path.parent) == inherited

        in_child(child)

    def test_a_fork_while_another_thread_is_at_work_does_not_block_the_child(self, store: SQLiteStore) -> None:
        with store._file.working.lock, store._file.looking.lock:
            in_child(lambda: store.run(store.enqueue([new_job()])))
        assert store.run(store.count(JobFilter())) == 1

    def test_a_child_is_not_locked_out_by_what_another_thread_was_doing(self, store: SQLiteStore) -> None:
        has_enough = threading.Event()

        def keep_writing() -> None:
            while not has_enough.is_set():
                store.run(store.enqueue([new_job(system_now()), new_job(system_now())]))

        thread = threading.Thread(target=keep_writing)
        thread.start()
        try:
            for _ in range(20):
                in_child(lambda: store.run(store.enqueue([new_job(system_now())])))
        finally:
            has_enough.set()
            thread.join()

    def test_a_child_awaits_in_threads_of_its_own(self, store: SQLiteStore) -> None:
        import asyncio

        assert asyncio.run(store.arun(store.count(JobFilter()))) == 0

        def child() -> None:
            assert asyncio.run(store.arun(store.count(JobFilter()))) == 0

        in_child(child)


def in_child(function: Callable[[], Any]) -> None:
    """Call a function in a forked child; it must return."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            signal.alarm(int(PATIENCE))
            function()
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0


def descriptors_of(directory: Path) -> list[str]:
    links = [os.path.realpath(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")]
    return sorted(link for link in links if link.startswith(str(directory)))


def integrity_of(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])
