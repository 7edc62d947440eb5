"""A wrong setting is refused when the app is made, and the message says what was expected."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from backburner import Backburner
from backburner.core.errors import ConfigurationError

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"lease": 0}, "lease: expected more than zero seconds, got 0"),
    ({"max_run_time": "long"}, "max_run_time: expected "),
    ({"keep_finished": -1}, "keep_finished: expected zero seconds or more, got -1"),
    ({"heartbeat": 30, "lease": 30}, "heartbeat: expected less than the lease of 0:00:30, got 0:00:30"),
    ({"heartbeat": 31}, "heartbeat: expected less than the lease of 0:00:30, got 0:00:31"),
    ({"min_priority": 5, "max_priority": 4}, "min_priority: expected at most max_priority, 4, got 5"),
    ({"min_priority": "low"}, "min_priority: expected "),
    ({"keep_failed": "no"}, "keep_failed: expected True or False, got 'no'"),
    ({"delay_jobs": "no"}, "delay_jobs: expected True, False or a callable, got 'no'"),
    ({"retry_jitter": 2}, "retry_jitter: expected a number from 0 to 1, got 2"),
    ({"retry_jitter": True}, "retry_jitter: expected a number from 0 to 1, got True"),
    ({"mail": ""}, "mail: expected a text, got ''"),
    ({"allow": "shop"}, "allow: expected a list of texts, got 'shop'"),
    ({"allow": [3]}, "allow: expected a list of texts, got [3]"),
    ({"queues": ["mail", ""]}, "queues: expected a name"),
    ({"queue_attributes": ["mail"]}, "queue_attributes: expected a mapping of queues to options, got ['mail']"),
    ({"queue_attributes": {"mail": 3}}, "queue_attributes: expected a mapping of options for 'mail', got 3"),
    ({"queue_attributes": {"mail": {"priority": "low"}}}, "queue_attributes: priority: expected an integer"),
    ({"queue_attributes": {"": {}}}, "queue_attributes: expected a name"),
    ({"queue_attributes": {"mail": {"prio": 3}}}, "for 'mail', got prio"),
]


@pytest.mark.parametrize(("given", "message"), WRONG, ids=str)
def test_a_wrong_setting_is_named(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Backburner("memory://", **given)
    assert message in str(caught.value)


def test_settings_at_the_limits_are_right() -> None:
    limits: dict[str, Any] = {
        "keep_finished": 0,
        "heartbeat": 29,
        "lease": timedelta(seconds=30),
        "min_priority": 4,
        "max_priority": 4,
        "retry_jitter": 1,
        "queues": [],
        "queue_attributes": {"mail": {"priority": -10}},
        "delay_jobs": lambda job: True,
    }
    with Backburner("memory://", **limits) as app:
        assert (app.settings.keep_finished, app.settings.retry_jitter) == (timedelta(0), 1.0)
        assert app.settings.queues is None
