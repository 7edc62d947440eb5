"""An app whose mail is kept in memory, current for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from backburner import Backburner
from backburner.app import use
from backburner.mail import Mailer
from tests.mail.mailers import User


@pytest.fixture
def app() -> Iterator[Backburner]:
    Mailer.deliveries.clear()
    with Backburner("memory://", mail="memory:", allow=["tests.mail"]) as app, use(app):
        yield app


@pytest.fixture
def user() -> Iterator[User]:
    yield User(7, "Ann")
    User.table.clear()
