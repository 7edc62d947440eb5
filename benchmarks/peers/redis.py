"""A Redis server of our own: Debian and Ubuntu have it in the package `redis-server`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tests.servers.finding import ServerMissing
from tests.servers.keeper import Order
from tests.servers.keeping import Daemon, current_run, free_port, remove


@contextmanager
def redis_server(settings: Mapping[str, str]) -> Iterator[str]:
    """Start a server with its defaults but for these settings, and give its URL. Raises ServerMissing."""
    program = shutil.which("redis-server")
    if program is None:
        raise ServerMissing("No Redis: `redis-server` is not on this machine. Debian: apt-get install redis-server")
    run = current_run()
    folder, port = run.make_folder("redis", None), free_port()
    options = {"port": str(port), "bind": "127.0.0.1", "dir": str(folder), **settings}
    command = [program, *(word for name, value in options.items() for word in (f"--{name}", value))]
    daemon = Daemon(run, Order(command, None, "Ready to accept connections", str(folder / "log")))
    daemon.start()
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        daemon.kill()
        remove(folder)
