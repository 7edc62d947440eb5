"""The test case for users of unittest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from unittest import TestCase

from backburner.app import Backburner
from backburner.core.codec import Codec
from backburner.core.job import Job
from backburner.testing.assertions import Assertions
from backburner.testing.clock import Clock
from backburner.testing.harnessing import Harness, clean_app, harness

if TYPE_CHECKING:
    from backburner.app import AppSettings


class BackburnerTestCase(Assertions, TestCase):
    """A test case with an app under test in `self.backburner`, clean for each test.

    A `setUp` of your own calls `super().setUp()` first.
    """

    backburner_settings: ClassVar[AppSettings] = {}
    """Settings of the app under test."""

    backburner: Harness

    def setUp(self) -> None:
        """Put an app under test."""
        super().setUp()
        clock = Clock()
        app = self.enterContext(self.backburner_app(clock))
        self.backburner = self.enterContext(harness(app, clock=clock))

    def backburner_app(self, clock: Clock) -> Backburner:
        """Make the app, in memory; override it to put an app of your own under test, which is closed after the test."""
        return clean_app([type(self).__module__], clock, **self.backburner_settings)

    @property
    def codec(self) -> Codec:
        """The codec that wrote the jobs."""
        return self.backburner.codec

    def enqueued(self) -> list[Job[Any]]:
        """Return the jobs that wait to be performed, now or later, oldest first."""
        return self.backburner.enqueued()

    def drain(self, *, raises: bool = True, limit: int | None = None) -> tuple[int, int]:
        """Perform what is due; see `Harness.drain`."""
        return self.backburner.drain(raises=raises, limit=limit)
