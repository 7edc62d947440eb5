"""A clean slate for the jobs of the shop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.testing.shop import User, done


@pytest.fixture(autouse=True)
def _clean_slate() -> Iterator[None]:
    yield
    done.clear()
    User.table.clear()
