"""What the URL of a MySQL or MariaDB store may say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from backburner.core.errors import ConfigurationError
from backburner.core.ports import JobFilter
from backburner.stores.open import open_store
from backburner.stores.sql.mysql.store import MySQLStore
from backburner.stores.sql.mysql.url import Place
from backburner.testing.contract.driving import START, ManualClock, new_job
from tests.servers.mysql import MySQL
from tests.servers.urls import with_parts
from tests.stores.mysql import connect


def opened(url: str) -> MySQLStore:
    store = open_store(url)
    assert isinstance(store, MySQLStore)
    return store


def place(url: str) -> Place:
    return opened(url)._server.place


@pytest.mark.parametrize(
    "scheme",
    [
        "mysql",
        "MYSQL",
        "mysql+pymysql",
        "mysql+mysqldb",
        "mysql+mysqlconnector",
        "mysql+aiomysql",
        "mysql+asyncmy",
        "mysql+mariadbconnector",
        "mariadb",
        "mariadb+pymysql",
        "mariadb+mariadbconnector",
    ],
)
def test_every_form_is_understood(mysql_url: str, scheme: str) -> None:
    url = mysql_url.replace("mysql", scheme)
    store = opened(f"{url}?charset=utf8mb4")
    store.migrate()
    store.run(store.enqueue([new_job()]))
    assert store.run(store.count(JobFilter())) == 1
    assert store.url == f"{scheme.partition('+')[0].lower()}{mysql_url.removeprefix('mysql')}?charset=utf8mb4"
    store.close()


def test_the_charset_is_always_the_same(mysql_url: str) -> None:
    store = opened(f"{mysql_url}?charset=latin1")
    store.migrate()
    job = new_job(name="grüße_😀", queue="größe", handler='"€ 😀"')
    store.run(store.enqueue([job]))
    found = store.run(store.get(job.id))
    assert found is not None
    assert (found.name, found.queue, found.handler) == (job.name, job.queue, job.handler)
    store.close()


def test_a_socket(mysql_server: MySQL, mysql_url: str) -> None:
    socket = mysql_server.execute_as_admin("SELECT @@socket")[0][0]
    database = mysql_url.rpartition("/")[2]
    store = opened(f"mysql://root@/{database}?unix_socket={socket}")
    assert store.schema_state().found == 0
    store.close()


def test_an_address_of_version_6() -> None:
    parameters = place("mysql://ann@[::1]:3307/shop").parameters
    assert (parameters["host"], parameters["port"]) == ("::1", 3307)
    assert place("mysql://ann@[::1]:3307/shop").url == "mysql://ann@[::1]:3307/shop"


def test_a_file_of_options(mysql_url: str, tmp_path: Path) -> None:
    host, _, port = mysql_url.partition("@")[2].partition("/")[0].partition(":")
    (tmp_path / "my.cnf").write_text(f"[client]\nhost={host}\nport={port}\nuser=root\n")
    store = opened(f"mysql:///{mysql_url.rpartition('/')[2]}?read_default_file={tmp_path}/my.cnf")
    assert store.schema_state().found == 0
    store.close()


def test_pymysqls_options_are_passed_on() -> None:
    parameters = place(
        "mysql://a/shop?ssl_ca=/ca.pem&ssl_cert=/cert.pem&ssl_key=%2Fkey.pem&ssl_key_password=s3cret"
        "&ssl_verify_cert=true&ssl_verify_identity=0&ssl_disabled=No&unix_socket=/socket&read_default_file=/my.cnf"
    ).parameters
    assert parameters == {
        "host": "a",
        "database": "shop",
        "ssl_ca": "/ca.pem",
        "ssl_cert": "/cert.pem",
        "ssl_key": "/key.pem",
        "ssl_key_password": "s3cret",
        "ssl_verify_cert": True,
        "ssl_verify_identity": False,
        "ssl_disabled": False,
        "unix_socket": "/socket",
        "read_default_file": "/my.cnf",
    }


def test_ours_are_taken_out() -> None:
    found = place("mysql://a/shop?table_prefix=bb_&pool_size=3&timeout=2.5&charset=utf8")
    assert found.names.prefix == "bb_"
    assert (found.pool_size, found.timeout) == (3, 2.5)
    assert found.parameters == {"host": "a", "database": "shop"}


def test_tables_with_another_prefix(mysql_url: str) -> None:
    first, second = opened(mysql_url), opened(f"{mysql_url}?table_prefix=bb_")
    for store in (first, second):
        store.migrate()
    first.run(first.enqueue([new_job()]))
    assert (first.run(first.count(JobFilter())), second.run(second.count(JobFilter()))) == (1, 0)
    first.close()
    second.close()


def test_the_clock_may_be_replaced() -> None:
    assert open_store("mysql://localhost/shop", clock=ManualClock()).now() == START


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("mysql://a/b?table_prefix=A-b", "expected table_prefix to be 1 to 30 lower-case letters"),
        ("mysql://a/b?table_prefix=", "expected table_prefix to be 1 to 30 lower-case letters"),
        ("mysql://a/b?pool_size=0", "expected pool_size to be a number of connections from 1 to 9999, got '0'"),
        ("mysql://a/b?pool_size=many", "got 'many'"),
        ("mysql://a/b?timeout=0", "expected timeout to be a number of seconds above 0, got '0'"),
        ("mysql://a/b?timeout=nan", "got 'nan'"),
        ("mysql://a/b?timeout=soon", "expected timeout to be a number of seconds above 0, got 'soon'"),
        ("mysql://a/b?ssl_disabled=maybe", "expected ssl_disabled to be true or false, got 'maybe'"),
        ("mysql://a/b?schema=jobs", r"expected no options but pool_size, .*, got schema in 'mysql://a/b\?schema=jobs'"),
        ("mariadb://a/b?colour=red&size=1", "got colour, size in"),
        ("mysql://a/b?user=ann&password=s3cret", r"got password, user in .*password=\*\*\*"),
        ("mysql+oursql://a/b", r"expected mysql:// \(it is PyMySQL that is used\)"),
        ("mariadb+oursql://a/b", r"expected mariadb:// \(it is PyMySQL that is used\)"),
        ("mysql://localhost", "expected the URL to name a database, as in mysql://user@host/database"),
        ("mysql://localhost/", "expected the URL to name a database"),
        ("mysql://", "expected the URL to name a database"),
        ("mysql://localhost/a/b", "expected a URL of the form mysql://user:password@host:port/database"),
        ("mysql://localhost/a%2Fb", "expected a URL of the form"),
        ("mysql://a:b/c", "expected a URL of the form mysql://user:password@host:port/database"),
        ("mysql://a:99999/c", "expected a URL of the form"),
        ("mysql://[::1/c", "expected a URL of the form"),
        ("mysql://ann:s3cret/p@rt@localhost/shop", "where in user and password @ is written %40"),
        ("mysql://ann:33/p@rt@localhost/shop", "where in user and password @ is written %40"),
        ("mysql://ann:s3cret#p@rt@localhost/shop", "# is %23"),
        ("mysql://ann:s3cret?p@rt@localhost/shop", "expected"),
        ("mysql://ann:33?p@rt@localhost/shop", "expected"),
        ("mysql://ann:s3[cret@localhost/shop", "expected a URL of the form"),
        ("mysql://ann:s3cr℀t@localhost/shop", "expected a URL of the form"),
    ],
)
def test_what_is_not_understood_is_said(url: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint) as refused:
        open_store(url)
    assert "\n" not in str(refused.value)
    assert not [piece for piece in ("s3c", "p@rt", "33") if piece in str(refused.value)]
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("mysql://ann:s3cret@localhost/shop", "mysql://ann:***@localhost/shop"),
        ("mariadb+pymysql://ann:s3cret@localhost/shop", "mariadb://ann:***@localhost/shop"),
        ("mysql://ann:s3@cret@localhost/shop", "mysql://ann:***@localhost/shop"),
        ("mysql://localhost/shop?ssl_key_password=s3cret", "mysql://localhost/shop?ssl_key_password=***"),
    ],
)
def test_the_url_is_shown_without_a_password(url: str, shown: str) -> None:
    store = open_store(url)
    assert store.url == shown
    assert "cret" not in repr(store.__dict__)
    assert "cret" not in repr(place(url))


@pytest.mark.parametrize("password", ["p@s/s:w?r#d%20", "größe", "€ 😀", "p+s s"])
def test_a_password_with_odd_characters_works(mysql_server: MySQL, mysql_url: str, password: str) -> None:
    name = f"odd_{os.urandom(4).hex()}"
    mysql_server.create_user(name, password)
    database = mysql_url.rpartition("/")[2]
    try:
        mysql_server.execute_as_admin(f"GRANT ALL ON {database}.* TO {name}")
        store = opened(with_parts(mysql_url, user=name, password=password))
        assert store.schema_state().found == 0
        store.close()
    finally:
        mysql_server.drop_user(name)


def test_a_name_with_odd_characters_works(mysql_server: MySQL) -> None:
    mysql_server.execute_as_admin("CREATE DATABASE `a b%ü`")
    try:
        store = opened(mysql_server.url("a b%ü"))
        store.migrate()
        store.run(store.enqueue([new_job()]))
        with connect(mysql_server.url("a b%ü")) as connection:
            store.run(store.enqueue([new_job()]), connection)
            connection.commit()
        assert store.run(store.count(JobFilter())) == 2
        store.close()
    finally:
        mysql_server.drop_database("`a b%ü`")


def test_a_missing_driver() -> None:
    code = (
        "import sys\n"
        "class Missing:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name == 'pymysql': raise ModuleNotFoundError('No module named pymysql', name=name)\n"
        "sys.meta_path.insert(0, Missing())\n"
        "from backburner.stores.open import open_store\n"
        "try: open_store('mysql://localhost/shop')\n"
        "except Exception as error: print(type(error).__name__, error, error.__cause__)"
    )
    output = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert output == "ConfigurationError pymysql is not installed: pip install 'backburner[mysql]' None\n"


def test_a_driver_that_is_broken(tmp_path: Path) -> None:
    (tmp_path / "pymysql").mkdir()
    (tmp_path / "pymysql" / "__init__.py").write_text("raise ImportError('something is missing.\\n- more')")
    code = (
        "from backburner.stores.open import open_store\n"
        "try: open_store('mariadb://localhost/shop')\n"
        "except Exception as error: print(error)"
    )
    environment = {"PYTHONPATH": str(tmp_path)}
    output = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment
    ).stdout
    assert output == "pymysql cannot be used (something is missing.): pip install 'backburner[mysql]'\n"


def test_the_driver_is_loaded_when_it_is_needed() -> None:
    code = (
        "import sys; from backburner.stores import open_store; open_store('memory://'); open_store('sqlite://'); "
        "assert 'pymysql' not in sys.modules; open_store('mysql://localhost/shop'); assert 'pymysql' in sys.modules; "
        "assert 'asyncio' not in sys.modules; assert 'psycopg' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
