"""Waiting for work."""

# ruff: noqa: S101 # tests are made of assert
from __future__ import annotations

import signal
import threading
from time import monotonic

import pytest

from backburner.testing.contract.driving import Contract, Driven

SOON = 0.01
"""Seconds in which nothing is expected to happen."""
LONG = 20.0
"""Seconds in which what is expected has happened for certain."""


class WatchContract(Contract):
    """`watch` and `notify`."""

    def test_nothing_happens_for_the_time_given(self, driven: Driven) -> None:
        watch = driven.store.watch()
        began = monotonic()
        assert watch.wait(SOON) is False
        assert monotonic() - began >= SOON * 0.9
        watch.close()

    def test_a_call_before_the_wait_ends_it(self, driven: Driven) -> None:
        watch = driven.store.watch()
        watch.wake()
        assert watch.wait(LONG) is True
        watch.close()

    def test_many_calls_end_one_wait(self, driven: Driven) -> None:
        watch = driven.store.watch()
        for _ in range(3):
            watch.wake()
        assert (watch.wait(LONG), watch.wait(SOON)) == (True, False)
        watch.close()

    def test_a_call_from_another_thread_ends_the_wait(self, driven: Driven) -> None:
        watch = driven.store.watch()
        threading.Timer(SOON, watch.wake).start()
        assert watch.wait(LONG) is True
        watch.close()

    def test_a_notice_ends_every_wait(self, driven: Driven) -> None:
        watches = [driven.store.watch(), driven.store.watch()]
        driven.store.notify()
        assert [watch.wait(LONG) for watch in watches] == [True, True]
        for watch in watches:
            watch.close()

    def test_closing_ends_the_wait(self, driven: Driven) -> None:
        watch = driven.store.watch()
        threading.Timer(SOON, watch.close).start()
        watch.wait(LONG)
        driven.store.notify()
        watch.close()

    def test_no_time_is_no_wait(self, driven: Driven) -> None:
        watch = driven.store.watch()
        assert watch.wait(0) is False
        watch.wake()
        assert watch.wait(0) is True
        watch.close()

    @pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a signal at a time of our choosing")
    def test_a_signal_handler_may_end_the_wait(self, driven: Driven) -> None:
        watch = driven.store.watch()
        previous = signal.signal(signal.SIGALRM, lambda *_: watch.wake())
        try:
            signal.setitimer(signal.ITIMER_REAL, SOON)
            assert watch.wait(LONG) is True
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, previous)
            watch.close()
