"""A mail server that takes every mail for everybody and keeps it in a folder: `python -m tutorial.mail_server`."""

from __future__ import annotations

import argparse
import asyncio
import signal
from contextlib import suppress
from email.message import Message

from aiosmtpd.handlers import Mailbox
from aiosmtpd.smtp import SMTP, Envelope, Session

from . import inbox, settings


class CatchAll(Mailbox):
    """Keeps every mail, and takes its time over it, as mail servers do."""

    def __init__(self, seconds: float) -> None:
        settings.HOME.mkdir(parents=True, exist_ok=True)
        super().__init__(inbox.path())
        self.seconds = seconds

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # SMTP's verb
        await asyncio.sleep(self.seconds)
        return str(await super().handle_DATA(server, session, envelope))

    def handle_message(self, message: Message) -> None:
        super().handle_message(message)
        print(f"received {message['Subject']!r} for {message['X-RcptTo']}", flush=True)


async def serve(port: int, seconds: float) -> None:
    handler = CatchAll(seconds)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(handler, enable_SMTPUTF8=True, loop=loop), "127.0.0.1", port)
    async with server:
        print(f"listening on smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description="A mail server that takes every mail for everybody.")
    parser.add_argument("--port", type=int, default=2525, help="0: any that is free (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=0.3, help="time taken for each mail (default: %(default)s)")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(arguments.port, arguments.seconds))


if __name__ == "__main__":
    main()
