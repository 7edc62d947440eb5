"""A worker that is asked for with wrong options is refused, and the message says what was expected."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from backburner import Backburner
from backburner.core.errors import ConfigurationError

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"queues": "mail"}, "queues: expected a list of queues, got the text 'mail'"),
    ({"exclude": "mail"}, "exclude: expected a list of queues, got the text 'mail'"),
    ({"queues": [""]}, "worker: expected a name"),
    ({"min_priority": 1 << 31}, "worker: expected an integer from -2147483648 to 2147483647, got 2147483648"),
    ({"max_priority": "low"}, "worker: expected an integer"),
    ({"concurrency": 0}, "concurrency: expected a whole number from 1 on, got 0"),
    ({"concurrency": True}, "concurrency: expected a whole number from 1 on, got True"),
    ({"concurrency": 1.5}, "concurrency: expected a whole number from 1 on, got 1.5"),
    ({"sleep_delay": "soon"}, "sleep_delay: expected "),
    ({"grace": -1}, "grace: expected zero seconds or more, got -1"),
    ({"grace": timedelta(seconds=-1)}, "grace: expected zero seconds or more, got datetime.timedelta"),
    ({"isolation": "thread"}, "isolation: expected 'process' or 'none', got 'thread'"),
]


@pytest.mark.parametrize(("given", "message"), WRONG, ids=str)
def test_a_wrong_option_is_named(given: dict[str, Any], message: str) -> None:
    with Backburner("memory://") as app, pytest.raises(ConfigurationError) as caught:
        app.worker(**given)
    assert message in str(caught.value)


def test_what_is_not_given_comes_from_the_settings() -> None:
    with Backburner("memory://", queues=["mail"], sleep_delay=3) as app:
        worker = app.worker()
        assert (worker.queues, worker.sleep_delay) == (("mail",), timedelta(seconds=3))
        assert app.worker(queues=["images"]).queues == ("images",)
