"""A terminal for the commands of the pages: tables look in it as people see them."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path

ROWS, COLUMNS = 50, 120
CTRL_C = "^C"


class Terminal:
    """Runs commands in a directory, with this Python's programs on the path."""

    def __init__(self, home: Path) -> None:
        self._home = home
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
        others = ("PYTEST", "COLUMNS", "LINES")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(others)}
        self._environment = {**inherited, "PATH": path, "NO_COLOR": "1"}

    def run(self, command: str, shown: str) -> tuple[int, str]:
        """Return the exit code and what was printed; Ctrl-C is pressed after as many lines as are shown before `^C`."""
        process, terminal = self._start(command)
        before, ctrl_c, _ = shown.partition(CTRL_C)
        printed = ""
        while text := _read(terminal):
            printed += text
            if ctrl_c and printed.count("\n") >= before.count("\n"):
                os.killpg(process.pid, signal.SIGINT)
                printed += ctrl_c
                ctrl_c = ""
        os.close(terminal)
        return process.wait(), printed.replace("\r\n", "\n")

    def _start(self, command: str) -> tuple[subprocess.Popen[bytes], int]:
        terminal, inside = pty.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        process = subprocess.Popen(  # noqa: S602  # the pages are ours, and written for a shell
            command,
            shell=True,
            cwd=self._home,
            env=self._environment,
            stdin=inside,
            stdout=inside,
            stderr=inside,
            start_new_session=True,
        )
        os.close(inside)
        return process, terminal


def _read(terminal: int) -> str:
    """Return what was printed meanwhile; nothing at the end."""
    try:
        return os.read(terminal, 65536).decode(errors="replace")
    except OSError:  # nobody has the other side open
        return ""
