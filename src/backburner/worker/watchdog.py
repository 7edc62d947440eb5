"""One thread that watches the deadlines of others and raises exceptions in them."""

from __future__ import annotations

import ctypes
import threading
import time
from types import TracebackType

from backburner.core.errors import JobTimeout

FOREVER = float("inf")
CHECKS = 1000
"""So many rounds of a loop, at one of which at the latest a thread looks whether it has an exception to raise."""


class Watchdog:
    """Raises JobTimeout in threads that miss their deadline; its own thread starts with the first deadline."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._posts: list[Post] = []
        self._next_look = FOREVER
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def __enter__(self) -> Watchdog:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def post(self, thread: int) -> Post:
        """Return a place where the deadline of a thread is kept."""
        made = Post(self, thread)
        with self._changed:
            self._posts.append(made)
        return made

    def expect(self, deadline: float) -> None:
        """Look again at this monotonic time at the latest."""
        if deadline >= self._next_look:
            return
        with self._changed:
            self._next_look = deadline
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="backburner-watchdog", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        with self._changed:
            while not self._is_closed:
                now = time.monotonic()
                self._next_look = min((post.ring_if_late(now) for post in self._posts), default=FOREVER)
                wait = self._next_look - now
                self._changed.wait(min(wait, threading.TIMEOUT_MAX))


class Post:
    """The deadline of one thread."""

    def __init__(self, watchdog: Watchdog, thread: int) -> None:
        self._watchdog = watchdog
        self._thread = thread
        self._lock = threading.Lock()
        self._deadline = FOREVER
        self._repeat = FOREVER
        self._is_armed = False
        self._is_pending = False
        self.has_rung: bool = False
        self.turn: int = 0
        """How often it was armed."""

    def arm(self, seconds: float, repeat: float) -> None:
        """Set the deadline to so many seconds from now, and to `repeat` seconds later each time it is missed."""
        deadline = time.monotonic() + seconds
        with self._lock:
            self.turn += 1
            self.has_rung = False
            self._is_armed = True
            self._deadline = deadline
            self._repeat = repeat
        self._watchdog.expect(deadline)

    def disarm(self) -> None:
        """Forget the deadline, and an exception that is set but not raised yet. Called by the thread itself."""
        with self._lock:
            self._is_armed = False
            self._deadline = FOREVER
            if self._is_pending:
                self._is_pending = False
                forget_exception(self._thread)

    def ring_if_late(self, now: float) -> float:
        """Raise JobTimeout in the thread if its deadline is over; return the next deadline."""
        with self._lock:
            if now >= self._deadline:
                self.has_rung = True
                self._deadline = now + self._repeat
                self._raise(JobTimeout)
            return self._deadline

    def raise_in_thread(self, exception: type[BaseException], turn: int | None = None) -> None:
        """Raise an exception in the thread while it is between `arm` and `disarm`, of this turn if one is given."""
        with self._lock:
            if self._is_armed and turn in (None, self.turn):
                self._raise(exception)

    def _raise(self, exception: type[BaseException]) -> None:
        self._is_pending = True
        _set_exception(self._thread, exception)


class _Forgotten(BaseException):
    """Takes the place of an exception that this thread has not raised yet, and is caught."""


def _set_exception(thread: int, exception: type[BaseException]) -> None:
    """Have a thread raise an exception at its next bytecode, in place of one that it has not raised yet.

    See `PyThreadState_SetAsyncExc` in the C API of Python.
    """
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(exception))


def forget_exception(thread: int) -> None:
    """Have this thread, the calling one, not raise what it has not raised yet.

    To set no exception at all would do that as well, but leave the interpreter's note that there is one: Python 3.11
    hangs at the next call of a function that is traced or profiled then.
    """
    try:
        _set_exception(thread, _Forgotten)
        for _ in range(CHECKS):
            pass
    except _Forgotten:
        pass
