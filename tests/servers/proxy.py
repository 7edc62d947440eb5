"""A TCP proxy that loses requests and replies, cuts and hangs connections, at moments that a test can name."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

from tests.servers.keeping import free_port
from tests.servers.urls import with_parts

DEFAULT_PORTS = {"postgresql": 5432, "postgres": 5432, "mysql": 3306, "mariadb": 3306}
PIECE = 65536
PATIENCE = 20.0
"""Seconds that a test waits for something that has to happen."""

# Linger for no time: closing sends a reset instead of an orderly end.
RESET = struct.pack("ii", 1, 0)

T = TypeVar("T")


class Loss:
    """A request or a reply that is lost once, on the first connection that sends such a request."""

    def __init__(self, pattern: bytes, until: bytes | None = None) -> None:
        self.pattern = pattern
        self.until = until
        self.happened = threading.Event()
        """Set when it has been lost and the connection has been cut."""

    def wait(self, timeout: float = PATIENCE) -> None:
        """Wait until it has been lost."""
        assert self.happened.wait(timeout), f"nothing with {self.pattern!r} was lost in {timeout} s"


class Stream:
    """One side of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.seen = b""

    async def read(self) -> bytes:
        return await self.reader.read(PIECE)

    async def send(self, piece: bytes) -> None:
        self.writer.write(piece)
        await self.writer.drain()

    def completes(self, pattern: bytes, piece: bytes) -> bool:
        """Tell whether a pattern ends in this piece; it may have begun in the ones before."""
        return pattern in self.seen[max(len(self.seen) - len(pattern) + 1, 0) :] + piece

    def note(self, piece: bytes) -> None:
        """Remember as much of what came by as a pattern may have begun in."""
        self.seen = (self.seen + piece)[-1024:]

    def reset(self) -> None:
        """Cut the connection as if the other side had crashed."""
        with contextlib.suppress(OSError):
            self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.writer.transport.abort()

    async def close(self) -> None:
        """Send what is still to be sent and end the connection, unless that has been done."""
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


class Connection:
    """A client's connection, and the one to the server that belongs to it."""

    def __init__(self, proxy: Proxy, client: Stream, server: Stream) -> None:
        self.proxy = proxy
        self.client = client
        self.server = server
        self.losing: Loss | None = None
        self.directions: list[asyncio.Task[None]] = []
        self.ended = asyncio.Event()

    async def run(self) -> None:
        """Pass on what both sides say until one of them has gone."""
        self.directions = [asyncio.create_task(self.pass_requests()), asyncio.create_task(self.pass_replies())]
        await asyncio.wait(self.directions, return_when=asyncio.FIRST_COMPLETED)
        for direction in self.directions:
            direction.cancel()
        await asyncio.gather(*self.directions, return_exceptions=True)  # a reset by either side is an end like others
        await self.client.close()
        await self.server.close()
        self.ended.set()

    async def pass_requests(self) -> None:
        while piece := await self.client.read():
            await self.proxy.flowing.wait()
            lost = self.take(self.proxy.lost_requests, piece)
            if lost:
                self.lose(lost)
                break
            self.losing = self.losing or self.take(self.proxy.lost_replies, piece)
            self.client.note(piece)
            await self.server.send(piece)

    async def pass_replies(self) -> None:
        while piece := await self.server.read():
            await self.proxy.flowing.wait()
            if self.losing is None:
                await self.client.send(piece)
            elif self.losing.until is None or self.server.completes(self.losing.until, piece):
                break
            self.server.note(piece)
        if self.losing:
            self.lose(self.losing)

    def take(self, losses: list[Loss], piece: bytes) -> Loss | None:
        """Return the loss that this piece of a request is meant by; it is taken from the others."""
        for loss in losses:
            if self.client.completes(loss.pattern, piece):
                losses.remove(loss)
                return loss
        return None

    def lose(self, loss: Loss) -> None:
        self.reset()
        loss.happened.set()

    def reset(self) -> None:
        self.client.reset()
        self.server.reset()

    async def cut(self) -> None:
        self.reset()
        for direction in self.directions:
            direction.cancel()
        await self.ended.wait()


class Proxy:
    """A proxy in front of the server of a URL. It runs in a thread of its own; its methods return when it is done."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.target = (parts.hostname or "127.0.0.1", parts.port or DEFAULT_PORTS[parts.scheme])
        self.original_url = url
        self.port = free_port()
        self.lost_requests: list[Loss] = []
        self.lost_replies: list[Loss] = []
        self.connections: set[Connection] = set()
        self.changed = threading.Condition()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="proxy", daemon=True)
        self.listener: asyncio.Server | None = None

    def __enter__(self) -> Self:
        self.thread.start()
        self.do(self.begin())
        return self

    def __exit__(self, *_: object) -> None:
        self.refuse()
        self.cut()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    @property
    def url(self) -> str:
        """The URL of the server, through this proxy."""
        return self.through(self.original_url)

    @property
    def legible_url(self) -> str:
        """The same for patterns to be found in what is said: without TLS, which PyMySQL uses where MySQL offers it."""
        return f"{self.url}?ssl_disabled=true" if self.url.startswith("mysql:") else self.url

    def through(self, url: str) -> str:
        """Return another URL of the same server through this proxy."""
        return with_parts(url, host="127.0.0.1", port=self.port)

    def cut(self) -> None:
        """Cut all connections, with a reset to both sides."""
        self.do(self.cut_all())

    def lose_request(self, pattern: bytes) -> Loss:
        """Let the next request with this pattern never arrive, and cut its connection."""
        return self.arm(self.lost_requests, Loss(pattern))

    def lose_reply(self, pattern: bytes, *, until: bytes | None = None) -> Loss:
        """Pass on the next request with this pattern, swallow the reply, and cut the connection.

        It is cut when the reply begins, or when the pattern `until` has come by in it. A server that sends a long reply
        in pieces begins it before it has done everything.
        """
        return self.arm(self.lost_replies, Loss(pattern, until))

    def hang(self) -> None:
        """Pass nothing on, in both directions; connections stay open, and new ones are accepted."""
        self.call(self.flowing.clear)

    def resume(self) -> None:
        """Pass on again, what has piled up first."""
        self.call(self.flowing.set)

    def refuse(self) -> None:
        """Refuse new connections, as if no server were there. Those that are open stay."""
        self.call(self.close_listener)

    def accept(self) -> None:
        """Accept connections again, on the same port."""
        self.do(self.listen())

    def wait_for_connections(self, number: int, timeout: float = PATIENCE) -> None:
        """Wait until exactly so many connections are open."""
        with self.changed:
            reached = self.changed.wait_for(lambda: len(self.connections) == number, timeout)
            assert reached, f"{len(self.connections)} connections instead of {number} after {timeout} s"

    # The following runs in the proxy's thread.

    async def begin(self) -> None:
        self.flowing = asyncio.Event()
        self.flowing.set()
        await self.listen()

    async def listen(self) -> None:
        self.listener = await asyncio.start_server(self.serve, "127.0.0.1", self.port)

    def close_listener(self) -> None:
        if self.listener is not None:
            self.listener.close()
            self.listener = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = Stream(reader, writer)
        try:
            server = Stream(*await asyncio.open_connection(*self.target))
        except OSError:  # to the client, a server that is not there
            client.reset()
            return
        connection = Connection(self, client, server)
        with self.changed:
            self.connections.add(connection)
            self.changed.notify_all()
        await connection.run()
        with self.changed:
            self.connections.remove(connection)
            self.changed.notify_all()

    async def cut_all(self) -> None:
        await asyncio.gather(*(connection.cut() for connection in self.connections))

    # The following brings calls there.

    def arm(self, losses: list[Loss], loss: Loss) -> Loss:
        self.call(lambda: losses.append(loss))
        return loss

    def call(self, function: Callable[[], object]) -> None:
        async def called() -> None:
            function()

        self.do(called())

    def do(self, action: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(action, self.loop).result(PATIENCE)
