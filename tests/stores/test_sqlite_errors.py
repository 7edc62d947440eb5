"""What is wrong with a file is said in one line, with what to do about it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from backburner.core.errors import BackburnerError, ConfigurationError, StoreUnavailable
from backburner.core.ports import JobFilter
from backburner.stores.sql.sqlite import problems as sqlite_problems
from backburner.stores.sql.sqlite.file import Lane
from backburner.stores.sql.sqlite.store import SQLiteStore
from backburner.testing.contract.driving import new_job


def complaint(path: Path, kind: type[BackburnerError]) -> str:
    with closing(SQLiteStore(str(path), patience=0.1)) as store, pytest.raises(kind) as refused:
        store.run(store.enqueue([new_job()]))
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_the_directory_does_not_exist(tmp_path: Path) -> None:
    said = complaint(tmp_path / "data" / "shop.db", ConfigurationError)
    assert f"the directory {tmp_path}/data does not exist; make it" in said


def test_the_path_is_a_directory(tmp_path: Path) -> None:
    assert "it is a directory; name a file" in complaint(tmp_path, ConfigurationError)


def test_the_file_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    path.write_text("name,price\n" * 1_000)
    assert "to be an SQLite database, got another kind of file" in complaint(path, ConfigurationError)
    assert path.read_text().startswith("name,price")


def test_the_file_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with closing(SQLiteStore(str(path))) as store:
        store.migrate()
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 50_000)
    assert "restore it from a backup" in complaint(path, StoreUnavailable)


def test_somebody_else_holds_the_file(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert "locked by another connection for 0.1 s" in complaint(path, StoreUnavailable)


def test_somebody_else_holds_the_file_of_the_callers_connection(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with (
        closing(SQLiteStore(str(path))) as store,
        closing(sqlite3.connect(path, isolation_level=None)) as other,
        closing(sqlite3.connect(path, timeout=0)) as mine,
    ):
        store.migrate()
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match=r"shop.db is locked by another connection \(database is locked\)"):
            store.run(store.enqueue([new_job()]), mine)


def test_the_callers_connection_may_not_do_everything(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with closing(SQLiteStore(str(path))) as store, closing(sqlite3.connect(path)) as mine:
        store.migrate()
        mine.set_authorizer(
            lambda action, *_: sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_INSERT else sqlite3.SQLITE_OK
        )
        with pytest.raises(ConfigurationError, match=r"shop.db \(not authorized\)"):
            store.run(store.enqueue([new_job()]), mine)


def test_the_disk_is_full_and_then_is_not(tmp_path: Path) -> None:
    with closing(SQLiteStore(str(tmp_path / "shop.db"))) as store:
        store.run(store.enqueue([new_job()]))
        limit_pages(store._file.working, 20)
        with pytest.raises(StoreUnavailable, match="the disk is full or its quota is used up"):
            store.run(store.enqueue([new_job(handler="x" * 100_000) for _ in range(10)]))
        assert store.run(store.count(JobFilter())) == 1
        store.run(store.enqueue([new_job(handler="x" * 100_000) for _ in range(10)]))
        assert store.run(store.count(JobFilter())) == 11


def test_a_file_that_may_not_be_written(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with closing(SQLiteStore(str(path))) as store:
        store.migrate()
    path.chmod(0o444)
    tmp_path.chmod(0o555)
    try:
        said = said_to_nobody(path)
    finally:
        tmp_path.chmod(0o755)
    assert "cannot be written" in said
    assert "let this user write it and its directory" in said
    assert f"This user may not read and write {path}." in said
    assert f"This user may not write the directory {tmp_path}, where SQLite keeps files beside the database." in said


def test_a_directory_where_no_file_may_be_made(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    try:
        said = said_to_nobody(tmp_path / "shop.db")
    finally:
        tmp_path.chmod(0o755)
    assert "cannot open" in said
    assert f"let this user read and write it and the directory {tmp_path}" in said


def said_to_nobody(path: Path) -> str:
    """Return what a user without rights is told, by `doctor` as well; root has all rights and becomes somebody else."""
    code = f"""
import os, sys
from backburner.core.errors import BackburnerError
from backburner.stores.sql.sqlite.problems import _of_the_place as problems_of_the_place
from backburner.stores.sql.sqlite.store import SQLiteStore
from backburner.testing.contract.driving import new_job
store = SQLiteStore({str(path)!r}, patience=0.1)
if os.getuid() == 0:
    os.setuid(65534)
try:
    store.run(store.enqueue([new_job()]))
except BackburnerError as error:
    print(error)
    print(*problems_of_the_place(store._path))
"""
    for parent in path.parents:
        if parent.owner() == "root" and parent != path.parent and not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def test_nothing_is_wrong_with_an_ordinary_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 51, 3))
    monkeypatch.setattr(sqlite_problems, "filesystem_of", lambda directory: "ext4")
    with closing(SQLiteStore(str(tmp_path / "shop.db"))) as store:
        assert store.problems() == []


def test_an_sqlite_that_may_damage_files_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 51, 2))
    with closing(SQLiteStore(str(tmp_path / "shop.db"))) as store:
        assert "SQLite 3.51.2 can, very rarely, damage" in store.problems()[0]


def test_a_network_file_system_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_problems, "filesystem_of", lambda directory: "nfs4")
    with closing(SQLiteStore(str(tmp_path / "shop.db"))) as store:
        assert any("is on a network file system (nfs4)" in problem for problem in store.problems())


def test_the_file_system_is_that_of_the_nearest_mount(tmp_path: Path) -> None:
    data = tmp_path / "with space" / "data"
    data.mkdir(parents=True)
    mounts = tmp_path / "mounts"
    point = str(data.parent).replace(" ", "\\040")
    mounts.write_text(f"/dev/sda1 / ext4 rw 0 0\nserver:/x {point} nfs4 rw 0 0\nserver:/y {point}2 cifs rw 0 0\n")
    assert sqlite_problems.filesystem_of(str(data), str(mounts)) == "nfs4"
    assert sqlite_problems.filesystem_of(str(tmp_path), str(mounts)) == "ext4"
    assert sqlite_problems.filesystem_of(str(tmp_path), str(tmp_path / "nothing")) is None


def test_a_file_without_a_log_is_told_of(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other, closing(SQLiteStore(str(path))) as store:
        other.execute("CREATE TABLE things (name TEXT)")
        other.execute("BEGIN")
        other.execute("SELECT * FROM things").fetchall()
        assert any("The journal mode" in problem and "is delete, not WAL" in problem for problem in store.problems())


def test_the_file_is_not_opened_by_other_means(tmp_path: Path) -> None:
    """Closing any descriptor of a file drops all locks of this process on it, SQLite's included."""
    with closing(SQLiteStore(str(tmp_path / "shop.db"))) as store:
        store.run(store.enqueue([new_job()]))
        before = descriptors_of(tmp_path)
        store.problems()
        store.schema_state()
        assert descriptors_of(tmp_path) == before


def descriptors_of(directory: Path) -> list[str]:
    links = [os.path.realpath(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")]
    return sorted(link for link in links if link.startswith(str(directory)))


def limit_pages(lane: Lane, number: int) -> None:
    assert lane._connection is not None
    lane._connection.execute(f"PRAGMA max_page_count = {number}")
