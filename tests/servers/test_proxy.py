"""The TCP proxy: what passes, what is lost, and what each side sees of it."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator

import psycopg
import pymysql
import pytest

from tests.servers.keeping import free_port
from tests.servers.mysql import MySQL
from tests.servers.postgres import READY_FOR_QUERY
from tests.servers.proxy import Proxy
from tests.servers.support import rows

MOMENT = 0.1


class Echo(socketserver.ThreadingTCPServer):
    """A server that says what it is told, and remembers it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), EchoHandler)
        self.told = b""

    @property
    def url(self) -> str:
        return f"echo://127.0.0.1:{self.server_address[1]}/"


class EchoHandler(socketserver.BaseRequestHandler):
    server: Echo

    def handle(self) -> None:
        try:
            while piece := self.request.recv(65536):
                self.server.told += piece
                self.request.sendall(piece)
        except ConnectionResetError:
            self.server.told += b"(reset)"


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[Proxy]:
    with Proxy(echo.url) as proxy:
        yield proxy


def connect(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=20)


def ask(connection: socket.socket, request: bytes) -> bytes:
    connection.sendall(request)
    reply = b""
    while len(reply) < len(request):
        reply += connection.recv(65536)
    return reply


def test_everything_passes_in_both_directions(proxy: Proxy) -> None:
    with connect(proxy) as client:
        assert ask(client, b"hello") == b"hello"
        assert ask(client, bytes(1_000_000)) == bytes(1_000_000)


def test_the_end_of_a_client_is_passed_on(proxy: Proxy) -> None:
    with connect(proxy) as client:
        ask(client, b"hello")
        proxy.wait_for_connections(1)
    proxy.wait_for_connections(0)


def test_a_server_that_is_not_there_is_a_reset() -> None:
    with (
        Proxy(f"postgresql://127.0.0.1:{free_port()}/") as proxy,
        pytest.raises(ConnectionResetError),
        connect(proxy) as client,  # it may be reset before this looks
    ):
        client.recv(1)


def test_cutting_resets_all_connections(proxy: Proxy) -> None:
    with connect(proxy) as first, connect(proxy) as second:
        ask(first, b"hello")
        ask(second, b"hello")
        proxy.cut()
        proxy.wait_for_connections(0)
        for client in (first, second):
            with pytest.raises(ConnectionResetError):
                client.recv(1)
    with connect(proxy) as third:
        assert ask(third, b"again") == b"again"


def test_a_lost_request_never_arrives(proxy: Proxy, echo: Echo) -> None:
    with connect(proxy) as client:
        ask(client, b"keep ")
        loss = proxy.lose_request(b"lose")
        ask(client, b"keep too ")
        client.sendall(b"please lose this")
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        loss.wait()
    proxy.wait_for_connections(0)
    assert echo.told.removesuffix(b"(reset)") == b"keep keep too "


def test_a_request_is_lost_once(proxy: Proxy) -> None:
    proxy.lose_request(b"lose")
    with connect(proxy) as client, pytest.raises(ConnectionResetError):
        ask(client, b"lose")
    with connect(proxy) as client:
        assert ask(client, b"lose") == b"lose"


def test_a_request_is_recognised_when_it_comes_in_pieces(proxy: Proxy, echo: Echo) -> None:
    loss = proxy.lose_request(b"COMMIT")
    with connect(proxy) as client:
        ask(client, b"COM")
        with pytest.raises(ConnectionResetError):
            ask(client, b"MIT")
    loss.wait()
    assert echo.told.removesuffix(b"(reset)") == b"COM"


def test_what_has_passed_already_is_not_lost(proxy: Proxy) -> None:
    with connect(proxy) as client:
        ask(client, b"COMMIT")
        loss = proxy.lose_request(b"COMMIT")
        assert ask(client, b"; ") == b"; "
        assert not loss.happened.is_set()


def test_a_lost_reply_is_one_to_a_request_that_arrived(proxy: Proxy, echo: Echo) -> None:
    loss = proxy.lose_reply(b"store")
    with connect(proxy) as client:
        ask(client, b"first ")
        with pytest.raises(ConnectionResetError):
            ask(client, b"store this")
        loss.wait()
    assert echo.told.removesuffix(b"(reset)") == b"first store this"


def test_a_reply_may_be_lost_up_to_its_end(proxy: Proxy, echo: Echo) -> None:
    loss = proxy.lose_reply(b"store", until=b"end")
    with connect(proxy) as client:
        client.sendall(b"store this")
        client.settimeout(MOMENT)
        with pytest.raises(TimeoutError):
            client.recv(1)
        assert not loss.happened.is_set()
        client.settimeout(20)
        client.sendall(b" to the end")
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        loss.wait()
    assert echo.told.removesuffix(b"(reset)") == b"store this to the end"


def test_a_hanging_proxy_passes_nothing_on_until_it_is_resumed(proxy: Proxy, echo: Echo) -> None:
    with connect(proxy) as client:
        ask(client, b"before ")
        proxy.hang()
        client.sendall(b"meanwhile")
        client.settimeout(MOMENT)
        with pytest.raises(TimeoutError):
            client.recv(1)
        assert echo.told == b"before "
        proxy.resume()
        client.settimeout(20)
        assert ask(client, b"") == b""
        assert client.recv(65536) == b"meanwhile"


def test_a_hanging_connection_can_be_cut(proxy: Proxy, echo: Echo) -> None:
    with connect(proxy) as client:
        ask(client, b"before")
        proxy.hang()
        client.sendall(b"meanwhile")
        proxy.cut()
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    assert echo.told.removesuffix(b"(reset)") == b"before"


def test_a_refusing_proxy_keeps_the_connections_that_are_open(proxy: Proxy) -> None:
    with connect(proxy) as client:
        ask(client, b"before")
        proxy.refuse()
        with pytest.raises(ConnectionRefusedError):
            connect(proxy)
        assert ask(client, b"still here") == b"still here"
    proxy.accept()
    with connect(proxy) as client:
        assert ask(client, b"again") == b"again"


def test_a_commit_whose_request_is_lost_did_not_happen(postgres_url: str, proxy_to: Callable[[str], Proxy]) -> None:
    proxy = proxy_to(postgres_url)
    rows(postgres_url, "CREATE TABLE notes (note text)")
    with psycopg.connect(proxy.url) as connection:
        connection.execute("INSERT INTO notes VALUES ('here')")
        proxy.lose_request(b"COMMIT")
        with pytest.raises(psycopg.OperationalError):
            connection.commit()
    assert rows(postgres_url, "SELECT note FROM notes") == []


def test_a_commit_whose_reply_is_lost_did_happen(postgres_url: str, proxy_to: Callable[[str], Proxy]) -> None:
    proxy = proxy_to(postgres_url)
    rows(postgres_url, "CREATE TABLE notes (note text)")
    with psycopg.connect(proxy.url) as connection:
        connection.execute("INSERT INTO notes VALUES ('here')")
        proxy.lose_reply(b"COMMIT", until=READY_FOR_QUERY)
        with pytest.raises(psycopg.OperationalError):
            connection.commit()
    assert rows(postgres_url, "SELECT note FROM notes") == [("here",)]


def test_mysql_loses_replies_as_well(mysql_url: str, proxy_to: Callable[[str], Proxy]) -> None:
    proxy = proxy_to(mysql_url)
    rows(mysql_url, "CREATE TABLE notes (note text)")
    connection = MySQL(proxy.legible_url).connect()
    connection.cursor().execute("INSERT INTO notes VALUES ('here')")
    proxy.lose_reply(b"COMMIT")
    with pytest.raises(pymysql.err.OperationalError):
        connection.cursor().execute("COMMIT")
    connection.close()
    assert rows(mysql_url, "SELECT note FROM notes") == [("here",)]
