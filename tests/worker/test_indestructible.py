"""Nothing that a job does stops a worker."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from backburner import Backburner, State, job
from tests.worker.jobs import note, trace


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text for you")

    __repr__ = __str__


@job
def do_harm(kind: str) -> None:
    HARM[kind]()


def _raise(error: BaseException) -> Any:
    raise error


def _recurse(depth: int = 0) -> int:
    return _recurse(depth + 1) + 1


def _close_stdout() -> None:
    sys.stdout.close()
    raise ValueError("stdout is closed")


HARM: dict[str, Any] = {
    "SystemExit": lambda: sys.exit(3),
    "KeyboardInterrupt": lambda: _raise(KeyboardInterrupt()),
    "GeneratorExit": lambda: _raise(GeneratorExit()),
    "BaseException": lambda: _raise(BaseException("base")),
    "BaseExceptionGroup": lambda: _raise(BaseExceptionGroup("many", [SystemExit(1), ValueError("x")])),
    "StopIteration": lambda: _raise(StopIteration("stop")),
    "MemoryError": lambda: _raise(MemoryError()),
    "recursion": _recurse,
    "unprintable": lambda: _raise(Unprintable()),
    "NUL bytes": lambda: _raise(ValueError("a\x00b\x1b[31mred\udcff")),
    "10 MB": lambda: _raise(ValueError("x" * 10_000_000)),
    "not an exception": lambda: _raise("text"),  # type: ignore[arg-type]  # Python makes a TypeError of it
    "changed directory": lambda: (os.chdir("/"), _raise(ValueError("moved"))),
    "stdout closed": _close_stdout,
}


@pytest.mark.parametrize("concurrency", [1, 2])
@pytest.mark.parametrize("kind", HARM)
def test_the_worker_goes_on(
    app: Backburner, kind: str, concurrency: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(logging.getLogger("backburner"), "disabled", True)  # pytest would choke on the surrogates
    harmful = app.delay(do_harm, max_attempts=1)(kind)
    app.delay(note, priority=5)("after it")
    with (tmp_path / "stdout").open("w") as stdout, monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", stdout)
        assert app.worker(concurrency=concurrency).work_off() == (1, 1)
    assert trace == ["after it"]
    failed = app.jobs.get(harmful.id)
    assert failed.state is State.FAILED
    text = failed.last_error or ""
    assert len(text.encode()) <= 64 * 1024
    assert "\x00" not in text
    assert "\x1b" not in text


def test_an_unreadable_job_does_not_stop_the_pass(app: Backburner) -> None:
    for _ in range(3):
        app.delay(do_harm, max_attempts=1)("SystemExit")
        app.delay(note)("fine")
    assert app.worker().work_off() == (3, 3)


def test_a_listener_of_perform_or_invoke_that_raises_fails_the_attempt(app: Backburner) -> None:
    for kind in ("perform", "invoke"):
        app.after(kind)(lambda *_: _raise(RuntimeError("listener")))
    one = app.delay(note)("done")
    assert app.worker().work_off() == (0, 1)
    assert trace == ["done"]
    assert "RuntimeError: listener" in (app.jobs.get(one.id).last_error or "")


def test_a_listener_of_error_or_failure_that_raises_changes_nothing(app: Backburner) -> None:
    for kind in ("error", "failure"):
        app.before(kind)(lambda *_: _raise(SystemExit("listener")))
    one = app.delay(do_harm, max_attempts=1)("MemoryError")
    assert app.worker().work_off() == (0, 1)
    assert app.jobs.get(one.id).state is State.FAILED
    assert (app.jobs.get(one.id).last_error or "").startswith("MemoryError")


def test_an_around_listener_can_neither_skip_nor_hide_the_call(app: Backburner) -> None:
    @app.around("invoke")
    def hide(job: Any) -> Any:
        with contextlib.suppress(BaseException):
            yield

    one = app.delay(do_harm)("SystemExit")
    assert app.worker().work_off() == (0, 1)
    assert (app.jobs.get(one.id).last_error or "").startswith("SystemExit: 3")


def test_an_around_listener_that_does_not_yield_fails_the_attempt_with_a_clear_error(app: Backburner) -> None:
    @app.around("invoke")
    def forget(job: Any) -> Any:
        if job is None:
            yield

    one = app.delay(note)("skipped?")
    assert app.worker().work_off() == (0, 1)
    assert "to yield once, it did not yield" in (app.jobs.get(one.id).last_error or "")


def test_ctrl_c_of_the_user_leaves_work_off_and_gives_the_job_back(app: Backburner) -> None:
    @app.before("invoke")
    def press(job: Any) -> None:
        signal.raise_signal(signal.SIGINT)

    one = app.delay(note)("interrupted")
    assert threading.current_thread() is threading.main_thread()
    with pytest.raises(KeyboardInterrupt):
        app.worker().work_off()
    back = app.jobs.get(one.id)
    assert (back.state, back.attempts, back.crashes) == (State.QUEUED, 0, 0)
