"""A job that gives itself a result: it is kept with its history."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from backburner import Backburner, current_job, job
from backburner.app import use


@job
def answer(question: str) -> None:
    current_job().result = {"to": question, "answer": 42}


@pytest.fixture(params=["memory://", "sqlite"])
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backburner]:
    url = f"sqlite:///{tmp_path}/jobs.db" if request.param == "sqlite" else request.param
    with Backburner(url) as app, use(app):
        yield app


@pytest.mark.parametrize("isolation", ["none", "process"])
def test_the_result_of_a_job_that_succeeded_is_kept_as_json(app: Backburner, isolation: str) -> None:
    done = answer.options(isolation=isolation).delay("everything")  # type: ignore[arg-type]  # one of the two

    assert app.worker().work_off() == (1, 0)
    assert json.loads(str(app.jobs.get(done.id).result)) == {"to": "everything", "answer": 42}
