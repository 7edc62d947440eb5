"""Jobs for the tests of apps."""

from __future__ import annotations

from backburner import Cancel, Delayable, job


@job
def add(a: int, b: int) -> int:
    return a + b


@job
def fail() -> None:
    raise ValueError("boom")


@job
def call_off() -> None:
    raise Cancel("not needed")


class User(Delayable):
    def activate(self, code: str) -> None:
        pass
