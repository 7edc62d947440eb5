"""Which app a command is about, and what is said when it cannot be had."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backburner import Backburner
from tests.cli.conftest import Call
from tests.cli.support import make_newer, run

WITH_APP = """\
from backburner import Backburner

app = Backburner("sqlite:///own.db")
class Holder:
    inner = app
not_an_app = 1
"""


def database_of(call: Call, *args: str) -> str:
    """Return which database a command used."""
    return str(call("doctor", "--json", *args).json["url"]).rpartition("/")[2]


def test_an_app_is_named_by_module_and_attribute(call: Call, here: Path) -> None:
    (here / "web.py").write_text(WITH_APP)
    assert database_of(call, "--app", "web:app") == "own.db"
    assert database_of(call, "--app", "web:Holder.inner") == "own.db"


def test_an_app_may_be_named_by_its_module_alone(call: Call, here: Path) -> None:
    (here / "web.py").write_text(WITH_APP)
    (here / "configuring.py").write_text("import backburner\nbackburner.configure('sqlite:///configured.db')\n")
    assert database_of(call, "--app", "web") == "own.db"
    assert database_of(call, "--app", "configuring") == "configured.db"


def test_the_package_of_an_app_is_allowed(call: Call, here: Path) -> None:
    package = here / "store"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "tasks.py").write_text("def tidy(): pass\n")
    (package / "web.py").write_text("from backburner import Backburner\napp = Backburner('sqlite:///own.db')\n")
    from store import tasks  # type: ignore[import-not-found]  # made just now

    with Backburner("sqlite:///own.db", allow=["store"]) as app:
        app.delay(tasks.tidy)()
    assert call("workoff", "--url", "sqlite:///own.db", "--quiet").out == "0 succeeded, 1 failed\n"
    assert call("jobs", "retry", "--all", "--url", "sqlite:///own.db").code == 0
    assert call("workoff", "--app", "store.web:app").out == "1 succeeded, 0 failed\n"


def test_a_named_package_may_configure_the_app(call: Call, here: Path) -> None:
    (here / "site_a.py").write_text("import backburner\nbackburner.configure('sqlite:///configured.db')\n")
    assert database_of(call, "site_a") == "configured.db"


def test_a_url_goes_before_what_a_package_configures(call: Call, here: Path) -> None:
    (here / "site_a.py").write_text("import backburner\nbackburner.configure('sqlite:///configured.db')\n")
    assert database_of(call, "site_a", "--url", "sqlite:///other.db") == "other.db"


def test_the_environment_names_the_database(here: Path) -> None:
    def url(**env: str) -> str:
        return str(run("doctor", "--json", cwd=here, env=env).json["url"]).rpartition("/")[2]

    assert url() == "backburner.db"
    assert url(DATABASE_URL="sqlite:///a.db") == "a.db"
    assert url(DATABASE_URL="sqlite:///a.db", BACKBURNER_URL="sqlite:///b.db") == "b.db"


def test_the_script_sees_the_current_directory_unless_python_is_told_not_to(here: Path) -> None:
    assert run("workoff", "shop", "--url", "sqlite:///jobs.db", cwd=here).code == 0
    unsafe = run("workoff", "shop", "--url", "sqlite:///jobs.db", cwd=here, env={"PYTHONSAFEPATH": "1"})
    assert (unsafe.code, unsafe.out) == (2, "")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense", "expected the URL of a store"),
        ("sqlite:////nowhere/at/all/jobs.db", "the directory /nowhere/at/all does not exist"),
        ("sqlite:////", "directory"),
        ("sqlite:///jobs.db?fast=1", "got fast"),
        ("postgresql://ann:secret@127.0.0.1:1/shop", "cannot connect to postgresql://ann:***@127.0.0.1:1/shop"),
        ("redis://ann:secret@localhost/0", "no store for redis"),
    ],
)
@pytest.mark.parametrize("command", ["workers", "work", "jobs list"])
def test_a_wrong_url_is_said_in_one_line(call: Call, here: Path, command: str, url: str, message: str) -> None:
    result = call(*command.split(), "--url", url)
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
    assert message in result.err
    assert "secret" not in result.err


def test_a_file_that_is_no_database_is_said_in_one_line(call: Call, here: Path) -> None:
    (here / "notes.txt").write_text("not a database, " * 100)
    for command in ("workers", "work"):
        result = call(command, "--url", "sqlite:///notes.txt")
        assert (result.code, result.err.count("\n")) == (2, 1)
        assert "to be an SQLite database" in result.err


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x = 1\n\ny = x / 0\n", "cannot import 'broken': ZeroDivisionError: division by zero (broken.py, line 3)"),
        ("def f(:\n    pass\n", "cannot import 'broken': SyntaxError: invalid syntax (broken.py, line 1)"),
        ("import nosuchthing\n", "ModuleNotFoundError: No module named 'nosuchthing' (broken.py, line 1)"),
        (
            "import json\njson.loads('x')\n",
            "JSONDecodeError: Expecting value: line 1 column 1 (char 0) (broken.py, line 2)",
        ),
        ("raise SystemExit('bye')\n", "cannot import 'broken': SystemExit: bye (broken.py, line 1)"),
        (
            "import shop\n@shop.job(quueu='x')\ndef f(): pass\n",
            "UnknownOption: unknown option 'quueu': expected one of",
        ),
        (
            "raise ValueError('two\\nlines \\x1b[31m')\n",
            "cannot import 'broken': ValueError: two lines \ufffd[31m (broken.py",
        ),
    ],
)
@pytest.mark.parametrize("args", [("work", "broken"), ("workers", "--app", "broken:app"), ("doctor", "broken")])
def test_code_that_raises_is_said_in_one_line_with_its_place(
    call: Call, here: Path, args: tuple[str, ...], source: str, message: str
) -> None:
    (here / "broken.py").write_text(source)
    result = call(*args)
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
    assert message in result.err
    assert "broken.py, line " in result.err


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("work", "nowhere"), "no module named 'nowhere', in {here} or elsewhere on sys.path\n"),
        (("work", "shp"), "no module named 'shp', in {here} or elsewhere on sys.path: did you mean 'shop'?\n"),
        (("work", "shop.py"), "no module named 'shop.py', in {here} or elsewhere on sys.path: did you mean 'shop'?\n"),
        (
            ("work", "./shop.py"),
            "expected the name of a module such as shop or shop.jobs, got './shop.py': did you mean",
        ),
        (("work", "nowhere.jobs"), "no module named 'nowhere.jobs', as there is no 'nowhere', in {here} or elsewhere"),
        (("workers", "--app", "nowhere:app"), "no module named 'nowhere', in {here} or elsewhere on sys.path\n"),
        (("workers", "--app", "web:ap"), "the module web has no 'ap': did you mean 'app'?\n"),
        (("workers", "--app", "web:xyz"), "the module web has no 'xyz': expected app\n"),
        (("workers", "--app", "web:not_an_app"), "expected web:not_an_app to be a Backburner, got 1\n"),
        (("workers", "--app", "two"), "expected --app two:one or :other, as that module has several apps\n"),
    ],
)
def test_code_that_is_not_there_is_said_in_one_line(
    call: Call, here: Path, args: tuple[str, ...], message: str
) -> None:
    (here / "web.py").write_text(WITH_APP)
    (here / "two.py").write_text(
        "from backburner import Backburner\none = Backburner('memory://')\nother = Backburner('memory://')\n"
    )
    result = call(*args)
    assert (result.code, result.out) == (2, "")
    assert message.format(here=here) in result.err
    assert result.err.count("\n") == 1


def test_a_database_that_is_newer_than_the_code_is_said_in_one_line(call: Call, app: Backburner, here: Path) -> None:
    make_newer(app, here)
    for args in (["workers"], ["work"], ["workoff"], ["migrate"], ["jobs", "retry", "--all"]):
        result = call(*args)
        assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
        assert "the tables are newer than this code" in result.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write every file")
def test_a_file_that_cannot_be_written_is_said_in_one_line(call: Call, app: Backburner, here: Path) -> None:
    app.migrate()
    app.close()
    (here / "jobs.db").chmod(0o444)
    for args in (["work"], ["workoff"], ["queues", "pause", "mail"], ["jobs", "retry", "--all"], ["clear", "--yes"]):
        result = call(*args)
        assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
        assert "cannot be written" in result.err
    assert call("jobs", "list").code == 0
    assert call("doctor").code == 1
