"""The process that keeps the servers of one run: their parent, and the one who clears up after everybody.

`python -m tests.servers.keeper FOLDER`. It listens on the socket FOLDER/keeper. Each connection is one server: it
sends an order (see `Order`) and is told when the server is ready and when it has ended. A server ends when its
connection does, unless it is shared: then it stays until the run is over. The run is over when standard input ends,
which happens however the process that holds the other end dies. Then all servers are ended and FOLDER is removed.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import shutil
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.servers import processes

SOCKET = "keeper"
PR_SET_CHILD_SUBREAPER = 36
GRACE = 5.0
"""Seconds that a server has to end by itself, before it is killed."""


@dataclass(frozen=True)
class Order:
    """What to run, as whom, how to see that it is ready, and which signal ends it."""

    command: list[str]
    user: str | None
    ready: str
    log: str
    end: int = signal.SIGKILL
    shared: bool = False

    def to_line(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Order:
        return cls(**json.loads(line))


class Keeper:
    """The servers of a run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: dict[Process, Order] = {}

    async def keep(self) -> None:
        """Serve until the run is over."""
        adopt_orphans()
        over = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, over.set)
        loop.add_reader(0, over.set)  # nobody ever writes: it is readable when it has ended
        await asyncio.start_unix_server(self.serve, self.folder / SOCKET)
        print("ready", flush=True)
        await over.wait()
        loop.remove_reader(0)
        await asyncio.gather(*(end(server, order) for server, order in self.running.items()))
        processes.send(self.orphans(), signal.SIGKILL)
        self.bury_orphans(0)
        shutil.rmtree(self.folder, ignore_errors=True)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self.run(Order.from_line(await reader.readline()), reader, writer)
        except OSError as problem:
            tell(writer, failed=str(problem))
        finally:
            writer.close()

    async def run(self, order: Order, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server = await start(order)
        self.running[server] = order
        tell(writer, started=server.pid)
        log = asyncio.create_task(copy_log(server, order, writer))
        ended = asyncio.create_task(server.wait())
        left = asyncio.create_task(reader.read())
        await asyncio.wait({ended} if order.shared else {ended, left}, return_when=asyncio.FIRST_COMPLETED)
        left.cancel()
        await end(server, order)
        await log
        del self.running[server]
        self.bury_orphans(os.WNOHANG)
        tell(writer, ended=await ended)

    def orphans(self) -> list[int]:
        """Return our children that we did not start: they were those of servers that are gone."""
        own = {server.pid for server in self.running}
        return [pid for pid in processes.children_by_parent()[os.getpid()] if pid not in own]

    def bury_orphans(self, flags: int) -> None:
        for pid in self.orphans():
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, flags)


def adopt_orphans() -> None:
    """Become the parent of what a killed server leaves behind: the first process of a container often buries nobody."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


async def start(order: Order) -> Process:
    return await asyncio.create_subprocess_exec(
        *order.command,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        cwd=Path(order.log).parent,
        start_new_session=True,
        **processes.identity(order.user),
    )


async def copy_log(server: Process, order: Order, writer: asyncio.StreamWriter) -> None:
    """Write what a server says into its log, and tell when it has said that it is ready."""
    assert server.stdout is not None
    said: bytes | None = b""
    with open(order.log, "ab", buffering=0) as log:  # noqa: ASYNC230 # a local file
        while more := await server.stdout.read(65536):
            log.write(more)
            if said is not None:
                said += more
                if order.ready.encode() in said:
                    said = None
                    tell(writer, ready=True)


async def end(server: Process, order: Order) -> None:
    """End a server that may be stopped, hung or dead already."""
    if server.returncode is not None:
        return
    processes.thaw(server.pid)
    processes.send([server.pid], order.end)
    try:
        await asyncio.wait_for(server.wait(), GRACE)
    except TimeoutError:
        await asyncio.to_thread(processes.kill, server.pid)


def tell(writer: asyncio.StreamWriter, **message: object) -> None:
    if not writer.is_closing():
        writer.write(json.dumps(message).encode() + b"\n")


if __name__ == "__main__":
    asyncio.run(Keeper(Path(sys.argv[1])).keep())
