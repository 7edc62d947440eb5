"""`examples/work/uploads.py`, with a real server that keeps what it has got, also when nobody hears that it has."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from backburner import State
from examples.work.uploads import PART, upload
from tests.examples.web import Handler, serving
from tests.examples.work import Work, kill_worker, noise
from tests.worker.supervision.support import SOON, until

SIZE = 3 * PART + 7


@dataclass
class Store:
    """What a server has of a file, by the protocol tus."""

    content: bytes = b""
    sent: list[int] = field(default_factory=list)
    """How much came with each request."""
    hangs_up: bool = False
    """Whether it says nothing about what it has just got; once."""
    answers: threading.Event = field(default_factory=threading.Event)

    @property
    def offset(self) -> str:
        return str(len(self.content))


@pytest.fixture
def store() -> Store:
    store = Store()
    store.answers.set()
    return store


@pytest.fixture
def url(store: Store) -> Iterator[str]:
    class Server(Handler):
        def do_HEAD(self) -> None:  # noqa: N802  # http.server looks for this name
            self.answer(200, Upload_Offset=store.offset)

        def do_PATCH(self) -> None:  # noqa: N802  # and for this one
            body = self.body()
            if self.headers["Upload-Offset"] != store.offset:
                self.answer(409)
                return
            store.content += body
            store.sent.append(len(body))
            assert store.answers.wait(SOON)
            if store.hangs_up:
                store.hangs_up, self.close_connection = False, True
            else:
                self.answer(204, Upload_Offset=store.offset)

    with serving(Server) as url:
        yield f"{url}/files/7"


@pytest.fixture
def film(work: Work) -> Path:
    path = work.home / "film"
    path.write_bytes(noise(7, SIZE))
    return path


def test_a_file_is_sent_once_in_parts_with_progress(work: Work, store: Store, url: str, film: Path) -> None:
    jobs = [upload.delay(str(film), url), upload.delay(str(film), url)]
    with work.worker():
        first, second = (work.ended(job) for job in jobs)
    assert (first.state, second.state) == (State.SUCCEEDED, State.SUCCEEDED)
    assert first.progress == (SIZE, SIZE, None)
    assert (store.content, store.sent) == (film.read_bytes(), [PART, PART, PART, 7])


def test_a_worker_that_is_killed_sends_nothing_again_that_is_there(
    work: Work, store: Store, url: str, film: Path
) -> None:
    store.answers.clear()
    job = upload.delay(str(film), url)
    with work.worker() as supervisor:
        until(lambda: store.sent, "a part is there")
        kill_worker(supervisor)
        store.answers.set()
        done = work.ended(job)
    assert (done.state, done.crashes, done.attempts) == (State.SUCCEEDED, 1, 0)
    assert (store.content, store.sent) == (film.read_bytes(), [PART, PART, PART, 7])


def test_after_an_answer_that_was_lost_it_asks_what_is_there(work: Work, store: Store, url: str, film: Path) -> None:
    store.hangs_up = True
    job = upload.delay(str(film), url)
    with work.worker():
        failed = work.try_again_now(job)
        assert work.ended(job).state is State.SUCCEEDED
    assert "RemoteDisconnected" in str(failed.last_error)
    assert (store.content, store.sent) == (film.read_bytes(), [PART, PART, PART, 7])
