"""The lifespan: whose app is current while the server runs, what ends when, and the dependency."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, WebSocket
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from backburner import Backburner, Job, configure, current, job
from backburner.app import use
from backburner.authoring.apps import current_app
from backburner.integrations.fastapi import embedded_worker, embedding, get_backburner, lifespan

PATIENCE = 20.0

performed = threading.Event()
ended = threading.Event()


@job
def perform() -> None:
    performed.set()


@job
def go_on(started: str) -> None:
    Path(started).touch()
    while not ended.is_set():
        time.sleep(0.01)  # between two such waits it can be interrupted


@job
def hang(started: str) -> None:
    Path(started).touch()
    ended.wait(PATIENCE)  # one wait in C code, which nothing interrupts


@pytest.fixture(autouse=True)
def _no_current_app() -> Iterator[None]:
    performed.clear()
    ended.clear()
    with current_app.use(None):  # type: ignore[type-var]  # as in a process of its own
        yield


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Backburner]:
    with Backburner(f"sqlite:///{tmp_path}/jobs.db") as app:
        yield app


async def enqueue(jobs: Annotated[Backburner, Depends(get_backburner)]) -> str:
    assert jobs is current()
    return str((await perform.adelay()).id)


def with_fastapi(**options: Any) -> Any:
    api = FastAPI(**options)
    api.post("/")(enqueue)
    return api


def with_starlette(**options: Any) -> Any:
    async def page(request: Request) -> PlainTextResponse:
        assert request.state.backburner is await get_backburner(request)
        return PlainTextResponse(await enqueue(request.state.backburner))

    return Starlette(routes=[Route("/", page, methods=["POST"])], **options)


frameworks = pytest.mark.parametrize("framework", [with_fastapi, with_starlette])


@frameworks
def test_the_app_is_the_current_one_and_that_of_each_request(framework: Any, app: Backburner) -> None:
    with TestClient(framework(lifespan=lifespan(app))) as client:
        id_of_job = client.post("/").json() if framework is with_fastapi else client.post("/").text
        assert app.jobs.get(id_of_job).name == "perform"
        assert current() is app


def test_without_an_app_it_is_the_one_that_was_configured() -> None:
    app = configure("memory://")

    with TestClient(with_fastapi(lifespan=lifespan())) as client:
        client.post("/")
        assert app.jobs.count() == 1


def test_without_a_lifespan_the_dependency_is_the_current_app(app: Backburner) -> None:
    with use(app):
        TestClient(with_fastapi()).post("/")

    assert app.jobs.count() == 1


def test_a_websocket_may_depend_on_it_too(app: Backburner) -> None:
    api = FastAPI(lifespan=lifespan(app))

    @api.websocket("/")
    async def socket(websocket: WebSocket, jobs: Annotated[Backburner, Depends(get_backburner)]) -> None:
        await websocket.accept()
        await websocket.send_text(str(jobs is app))
        await websocket.close()

    with TestClient(api) as client, client.websocket_connect("/") as connected:
        assert connected.receive_text() == "True"


@frameworks
def test_it_composes_with_a_lifespan_of_ones_own(framework: Any, app: Backburner) -> None:
    order: list[str] = []

    @asynccontextmanager
    async def own(api: Any) -> AsyncIterator[dict[str, str]]:
        assert current() is app
        order.append("begins")
        yield {"greeting": "hello"}
        assert current() is app
        order.append("ends")

    api = framework(lifespan=lifespan(app, own))

    async def greet(request: Request) -> PlainTextResponse:
        return PlainTextResponse(request.state.greeting)

    api.add_route("/greet", greet)
    with TestClient(api) as client:
        assert client.get("/greet").text == "hello"
        assert order == ["begins"]
    assert order == ["begins", "ends"]


def test_the_former_app_is_current_again_and_the_own_is_closed(
    app: Backburner, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[bool] = []
    monkeypatch.setattr(app.store, "close", lambda: closed.append(True))
    former = configure("memory://")

    with TestClient(with_fastapi(lifespan=lifespan(app))):
        assert closed == []

    assert closed == [True]
    assert current() is former


def test_a_server_may_start_twice_with_one_app(app: Backburner) -> None:
    api = with_fastapi(lifespan=lifespan(app))
    for _ in range(2):
        with TestClient(api) as client:
            assert client.post("/").status_code == 200

    assert app.jobs.count() == 2


@pytest.mark.parametrize("worker", [True, {"concurrency": 2}])
def test_a_worker_runs_beside_the_server(app: Backburner, worker: Any, caplog: pytest.LogCaptureFixture) -> None:
    with TestClient(with_fastapi(lifespan=lifespan(app, worker=worker))) as client:
        client.post("/")
        assert performed.wait(PATIENCE)

    assert app.workers() == []
    assert app.jobs.count() == 0
    [warning] = [record for record in caplog.records if "inside of this process" in record.message]
    assert warning.levelno == logging.WARNING
    assert "backburner work" in warning.message


def test_without_a_wish_there_is_no_worker(app: Backburner) -> None:
    with TestClient(with_fastapi(lifespan=lifespan(app))):
        assert "backburner worker" not in {thread.name for thread in threading.enumerate()}


def test_the_worker_works_while_ones_own_lifespan_does(app: Backburner) -> None:
    worked: list[int] = []

    @asynccontextmanager
    async def own(api: Any) -> AsyncIterator[None]:
        worked.append(len(app.workers()))
        yield
        worked.append(len(app.workers()))

    with TestClient(with_fastapi(lifespan=lifespan(app, own, worker=True))) as client:
        client.post("/")
        assert performed.wait(PATIENCE)
    assert worked == [0, 0]


def test_what_does_not_end_in_time_is_given_back(app: Backburner, tmp_path: Path) -> None:
    job = enqueue_and_leave(app, go_on, tmp_path / "started")

    assert (job.state, job.attempts) == ("queued", 0)


def test_what_cannot_be_interrupted_is_left_behind(
    app: Backburner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(embedding, "PATIENCE", 0.1)
    job = enqueue_and_leave(app, hang, tmp_path / "started")

    assert job.state == "running"
    assert "did not end: a job cannot be interrupted" in caplog.text
    ended.set()
    for thread in threading.enumerate():
        if thread.name == "backburner worker":
            thread.join(PATIENCE)


def enqueue_and_leave(app: Backburner, target: Any, started: Path) -> Job[Any]:
    """Leave the block of an embedded worker while a job runs, and return what became of the job."""
    with use(app), embedded_worker(app, grace=0.1):
        job = target.delay(str(started))
        deadline = time.monotonic() + PATIENCE
        while not started.exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
    return app.jobs.get(job.id)


def test_a_script_may_have_a_worker_for_a_while(app: Backburner) -> None:
    with use(app), embedded_worker():
        perform.delay()
        assert performed.wait(PATIENCE)

    assert app.jobs.count() == 0
