"""Jobs that have a process of their own, and write down in files what happens there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backburner import Cancel, Fail, Job, JobHooks, Retry, Snooze, current_job, job


def write(path: str, text: object) -> None:
    """Append a line to a file."""
    with open(path, "a") as file:
        file.write(f"{text}\n")


@job(isolation="process")
def tell_process(path: str) -> None:
    """Write down which process this is, and which forked it."""
    write(path, f"{os.getpid()} {os.getppid()}")


@job
def tell_process_as_you_like(path: str) -> None:
    """Write down which process this is."""
    write(path, f"{os.getpid()} {os.getppid()}")


@job(isolation="process")
async def tell_process_async(path: str) -> None:
    """Write down which process this is, in a coroutine."""
    write(path, f"{os.getpid()} {os.getppid()}")


@job(isolation="process")
def tell_surroundings(path: str) -> None:
    """Write down what else there is in this process."""
    write(path, sys.stdin.read() if sys.stdin else "")
    write(path, os.read(0, 10))
    write(path, sorted(thread.name for thread in threading.enumerate()))
    write(path, threading.current_thread() is threading.main_thread())
    write(path, os.getpgid(0) == os.getpid())
    write(path, current_job().name)


class Boom(Exception):
    """What the jobs raise."""


@job(isolation="process", max_attempts=3)
def fail_with(message: str) -> None:
    """Raise Boom."""
    raise Boom(message)


@job(isolation="process")
def steer(how: str) -> None:
    """End the attempt in the way that is asked for."""
    ways = {"retry": Retry(60), "snooze": Snooze(60), "cancel": Cancel("why not"), "fail": Fail("no more")}
    raise ways[how]


@job(isolation="process")
def crash(how: str) -> None:
    """End the process."""
    match how:
        case "exit":
            os._exit(7)
        case "exit in silence":
            os._exit(0)
        case "segmentation fault":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "everything closed":
            os.closerange(0, 1000)


@job(isolation="process")
def report(total: int) -> None:
    """Report progress, and enqueue another job."""
    current_job().report_progress(total / 2, total, "half-way")
    tell_process_as_you_like.delay("/dev/null")


@job(isolation="process")
def sleep(started: str, path: str) -> None:
    """Say in a pipe that the job runs, and sleep; write down what ends that."""
    Path(started).write_text("started\n")
    try:
        threading.Event().wait(60)
    except BaseException as error:
        write(path, f"{type(error).__name__} {current_job().is_cancelled}")
        raise


@job(isolation="process")
def sleep_through_everything(started: str, path: str) -> None:
    """Say in a pipe that the job runs, and go on whatever is raised; a process that it has started does so too."""
    with subprocess.Popen(["sleep", "60"]) as process:
        write(path, process.pid)
        Path(started).write_text("started\n")
        while True:
            try:
                threading.Event().wait(60)
            except BaseException:
                write(path, "ignored")


@job(isolation="process")
def return_when_cancelled(started: str, path: str) -> None:
    """Say in a pipe that the job runs, and return when it is cancelled."""
    Path(started).write_text("started\n")
    try:
        threading.Event().wait(60)
    except BaseException:
        write(path, current_job().is_cancelled)


@job(isolation="process")
def survive_signals(path: str) -> None:
    """Send itself what service managers send to all processes of a service."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
        os.kill(os.getpid(), number)
    write(path, "survived")
    program = subprocess.run(["sh", "-c", "kill -TERM $$"], check=False)
    write(path, program.returncode)


@dataclass
class Hooked(JobHooks):
    """Writes down each hook and the process that it runs in."""

    path: str
    raises: bool = False

    isolation = "process"
    max_attempts = 1

    def _note(self, name: str) -> None:
        write(self.path, f"{name} {os.getpid()}")

    def before(self, job: Job[Any]) -> None:
        self._note("before")

    def perform(self) -> None:
        self._note("perform")
        if self.raises:
            raise Boom("hooked")

    def success(self) -> None:
        self._note("success")

    def error(self, job: Job[Any], exception: BaseException) -> None:
        self._note("error")

    def after(self, job: Job[Any]) -> None:
        self._note("after")

    def failure(self, job: Job[Any]) -> None:
        self._note("failure")
        raise Boom("in a hook")
