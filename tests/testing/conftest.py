"""A clean slate for the jobs of the shop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

# Imported here, because pytester forgets what a run in this process imported, while packages still hold some of it.
from backburner.testing import faults, harnessing  # noqa: F401  # see above
from tests.testing.shop import User, done


@pytest.fixture(autouse=True)
def _clean_slate() -> Iterator[None]:
    yield
    done.clear()
    User.table.clear()
