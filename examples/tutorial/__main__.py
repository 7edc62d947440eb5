"""Serves the page: `python -m tutorial`."""

from __future__ import annotations

import argparse
import logging
import signal
from contextlib import suppress

from werkzeug.serving import make_server

from . import environment
from .app import app


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tutorial", description="Serves the page of the tutorial.")
    parser.add_argument("--port", type=int, default=8000, help="0: any that is free (default: %(default)s)")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C
    with environment.backburner, make_server("127.0.0.1", arguments.port, app, threaded=True) as server:
        print(f"listening on http://127.0.0.1:{server.port}", flush=True)
        with suppress(KeyboardInterrupt):
            server.serve_forever()


if __name__ == "__main__":
    main()
