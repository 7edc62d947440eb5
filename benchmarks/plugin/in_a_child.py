"""A process of its own for each measure: one that has imported pytest, and nothing that the measure is to import."""

from __future__ import annotations

import os
from collections.abc import Callable
from multiprocessing import get_context
from typing import ParamSpec, TypeVar

import pytest

P = ParamSpec("P")
T = TypeVar("T")


def in_a_child(measure: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what a function returns that is called in a fork of this process."""
    with get_context("fork").Pool(1) as pool:
        return pool.apply(measure, args, kwargs)


def run_pytest(*args: str, plugins: list[object]) -> None:
    """Run pytest with these plugins, no others and no configuration. Raises RuntimeError unless all tests passed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        code = pytest.main(["-q", "-c", os.devnull, "-p", "no:cacheprovider", *args], plugins=plugins)
    if code != 0:
        raise RuntimeError(f"expected pytest to pass, got exit code {int(code)} of {args[-1]}")
