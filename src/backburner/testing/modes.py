"""Blocks in which jobs are not stored: performed at once, or only collected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from backburner.app import Backburner, current
from backburner.authoring.outlets import Inline, Outlet
from backburner.core.codec import Codec
from backburner.core.errors import UnsavedRecord
from backburner.core.job import Job
from backburner.testing.assertions import Assertions


class Enqueued(list[Job[Any]], Assertions):
    """The jobs that were collected, with the assertions about them."""

    def __init__(self, codec: Codec) -> None:
        super().__init__()
        self._codec = codec

    @property
    def codec(self) -> Codec:
        """The codec that wrote the jobs."""
        return self._codec

    def enqueued(self, target: Any = None, /, *args: Any, **wanted: Any) -> list[Job[Any]]:
        """Return the jobs; with a target, only those that `assert_enqueued` would take."""
        for job in self:
            if job.late:
                with suppress(UnsavedRecord):  # in the handler, a token stands for the key until the record is saved
                    job.handler, job.late = self._codec.fill(job.handler, job.late), ()
        return list(self) if target is None else self.fitting(self, target, *args, **wanted)


@contextmanager
def inline(app: Backburner | None = None) -> Iterator[Backburner]:
    """Perform jobs of an app (default: the current one) where they are enqueued, within the block.

    They make the round trip through their handlers; what they raise leaves the enqueueing call.
    """
    app = app or current()
    with _sending(app, Inline(app.parts)):
        yield app


@contextmanager
def fake(app: Backburner | None = None) -> Iterator[Enqueued]:
    """Collect jobs of an app (default: the current one) in the list that is given, within the block, and nothing more.

    All that is checked at the enqueueing line is checked.
    """
    app = app or current()
    enqueued = Enqueued(app.codec)
    with _sending(app, _Collecting(enqueued)):
        yield enqueued


class _Collecting:
    """Puts jobs into a list."""

    waits_for_bulk = True

    def __init__(self, jobs: list[Job[Any]]) -> None:
        self._jobs = jobs

    def put(self, jobs: Sequence[Job[Any]], connection: object | None) -> None:  # noqa: ARG002  # nothing is written
        """Keep jobs."""
        self._jobs.extend(jobs)

    async def aput(self, jobs: Sequence[Job[Any]], connection: object | None) -> None:
        """Keep jobs."""
        self.put(jobs, connection)


@contextmanager
def _sending(app: Backburner, outlet: Outlet) -> Iterator[None]:
    """Send the jobs of an app elsewhere within the block."""
    enqueuer = app.enqueuer
    former, enqueuer.outlet = enqueuer.outlet, outlet
    try:
        yield
    finally:
        enqueuer.outlet = former
