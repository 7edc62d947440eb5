"""What the tests of the core share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from backburner.core.allow import Allowed
from backburner.core.codec import Codec
from tests.core import models, shop

SHOP = "tests.core.shop"
MODELS = "tests.core.models"


@pytest.fixture(autouse=True)
def _fresh_shop() -> Iterator[None]:
    shop.calls.clear()
    models.table.clear()
    yield
    shop.calls.clear()


@pytest.fixture
def codec() -> Codec:
    """Return a codec that allows the sample application."""
    return Codec(Allowed([SHOP, MODELS]))


@pytest.fixture
def strict() -> Codec:
    """Return a codec that allows nothing but what code says of itself."""
    return Codec(Allowed())
