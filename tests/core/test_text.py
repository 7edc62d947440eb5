"""Text for people to read, made of values that misbehave."""

from __future__ import annotations

import re
import sys
import time
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backburner.core.text import LIMIT, describe, printable


def raised(exception: BaseException) -> BaseException:
    try:
        raise exception
    except BaseException as error:
        return error


def test_an_exception_is_described_by_its_type_and_message_and_its_traceback() -> None:
    first, *rest = describe(raised(ValueError("no such user"))).splitlines()
    assert first == "ValueError: no such user"
    assert rest[0] == "Traceback (most recent call last):"
    assert "raise exception" in "\n".join(rest)
    assert rest[-1] == "ValueError: no such user"


def test_the_first_line_is_one_line() -> None:
    assert describe(ValueError("one\ntwo\r\nthree")).splitlines()[0] == "ValueError: one two three"
    assert describe(ValueError()).splitlines()[0] == "ValueError"
    assert describe(KeyError("x")).splitlines()[0] == "KeyError: 'x'"
    assert describe(KeyboardInterrupt()).splitlines()[0] == "KeyboardInterrupt"


def test_causes_and_contexts_are_described() -> None:
    try:
        try:
            raise KeyError("first")
        except KeyError as error:
            raise ValueError("second") from error
    except ValueError as error:
        text = describe(error)
    assert text.startswith("ValueError: second\n")
    assert "KeyError: 'first'" in text
    assert "direct cause" in text


def test_groups_are_described() -> None:
    text = describe(raised(ExceptionGroup("many", [ValueError("a"), ExceptionGroup("more", [TypeError("b")])])))
    assert text.startswith("ExceptionGroup: many (2 sub-exceptions)\n")
    assert "ValueError: a" in text
    assert "TypeError: b" in text


class Unprintable(Exception):
    """Raises whatever it is told to when it is shown."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error

    def __str__(self) -> str:
        if self.error is None:
            return str(self)
        raise self.error

    __repr__ = __str__


@pytest.mark.parametrize(
    "error", [ValueError(), SystemExit(1), KeyboardInterrupt(), MemoryError(), GeneratorExit(), None]
)
def test_an_exception_that_cannot_be_shown_is_described(error: BaseException | None) -> None:
    text = describe(raised(Unprintable(error)))
    name = "RecursionError" if error is None else type(error).__name__
    assert text.startswith(f"Unprintable: <its message cannot be shown: {name}>\n")
    assert "raise exception" in text


class Hidden(Exception):
    """Raises when anything is asked of it."""

    def __getattribute__(self, name: str) -> Any:
        raise SystemExit(name)


class Strange(Exception):
    """Its message is no text."""

    def __str__(self) -> str:
        return 7  # type: ignore[return-value]  # that is the point


class Notes(Exception):
    """Its notes raise."""

    @property
    def __notes__(self) -> Any:  # type: ignore[override]  # that is the point
        raise ValueError


def test_exceptions_of_every_kind_are_described() -> None:
    assert describe(Hidden()).startswith("Hidden")
    assert describe(Strange()).startswith("Strange: <its message cannot be shown: TypeError>")
    assert describe(Notes("x")).startswith("Notes: x")
    looped = ValueError("loop")
    looped.__cause__ = looped
    assert describe(looped).startswith("ValueError: loop")
    assert describe(type("Bad\nName\x1b", (Exception,), {})("x")).startswith("Bad")


def test_a_stack_overflow_is_described() -> None:
    def deeper(level: int) -> int:
        return deeper(level + 1) + 1

    with pytest.raises(RecursionError) as caught:
        deeper(0)
    text = describe(caught.value)
    assert text.startswith("RecursionError: maximum recursion depth exceeded")
    assert "Previous line repeated" in text


def test_a_long_message_is_cut_in_the_middle_and_quickly() -> None:
    began = time.perf_counter()
    text = describe(raised(ValueError("begin " + "ä\x00\n" * 3_000_000 + " end")))
    assert time.perf_counter() - began < 5
    assert len(text.encode()) <= LIMIT
    assert text.startswith("ValueError: begin ä")
    assert text.endswith(" end")
    assert "… cut …" in text
    assert "Traceback (most recent call last)" in text


def test_what_fits_is_not_cut() -> None:
    message = "x" * 30_000
    assert describe(ValueError(message)).count(message) == 1
    assert "… cut …" not in describe(ValueError(message))


def test_unprintable_characters_are_replaced() -> None:
    text = describe(ValueError("a\x00b\x1b[31mc\u2028d\ud800e\u202ef\x7f\x85\ttab\r\nline"))
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u202e\ud800-\udfff]", text)
    assert "a�b�[31mc�d�e�f��\ttab\nline" in text
    assert text.encode()


@given(st.text(st.characters()))
def test_any_message_is_described(message: str) -> None:
    text = describe(ValueError(message))
    assert text.startswith("ValueError")
    assert "\x00" not in text
    assert len(text.encode()) <= LIMIT


def test_the_traceback_begins_outside_of_backburner() -> None:
    ours = ModuleType("backburner.worker.imaginary")
    exec(compile("def call(function): function()", "imaginary.py", "exec"), vars(ours))  # noqa: S102 - a module of ours

    def failing() -> None:
        raise ValueError("in the job")

    with pytest.raises(ValueError, match="in the job") as caught:
        ours.call(failing)
    error = caught.value.with_traceback(caught.value.__traceback__.tb_next)  # type: ignore[union-attr]  # it has one
    text = describe(error)
    assert "imaginary.py" not in text
    assert "in failing" in text


def test_a_traceback_that_is_all_ours_is_kept() -> None:
    ours = ModuleType("backburner.worker.imaginary")
    exec(compile("def call(): 1 / 0", "imaginary.py", "exec"), vars(ours))  # noqa: S102 - a module of ours
    with pytest.raises(ZeroDivisionError) as caught:
        ours.call()
    error = caught.value.with_traceback(caught.value.__traceback__.tb_next)  # type: ignore[union-attr]  # it has one
    assert "imaginary.py" in describe(error)


def test_text_is_made_printable_in_one_line() -> None:
    assert printable("plain text ä ☃") == "plain text ä ☃"
    assert printable("a\nb\tc\rd\xa0e") == "a b c d e"
    assert printable("\x1b[31mred\x00\u2028\u202e\ud800\x9b") == "�[31mred�����"
    assert printable("") == ""


def test_printable_text_is_cut() -> None:
    assert printable("x" * 300) == "x" * 199 + "…"
    assert printable("abcdef", 4) == "abc…"
    assert printable("abcd", 4) == "abcd"
    assert printable("abc", 0) == "…"


@given(st.text(st.characters()), st.integers(1, 50))
def test_any_text_is_made_printable(text: str, limit: int) -> None:
    shown = printable(text, limit)
    assert shown.isprintable()
    assert len(shown) <= limit
    assert sys.getsizeof(shown) < 1000
