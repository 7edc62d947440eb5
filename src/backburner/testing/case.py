"""The test case for users of unittest, and what it is mixed of."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar
from unittest import TestCase
from uuid import UUID

from backburner.app import Backburner
from backburner.core.codec import Codec
from backburner.core.job import Job
from backburner.testing.assertions import Assertions
from backburner.testing.clock import Clock
from backburner.testing.faults import Fault, everywhere
from backburner.testing.harnessing import Harness, Mode, clean_app, harness

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Unpack

    from backburner.app import AppSettings
    from backburner.testing.performing import Draining


class WithHarness(Assertions):
    """The methods of the harness in `self.backburner`, as methods of a test case."""

    backburner: Harness

    @property
    def codec(self) -> Codec:
        """The codec that wrote the jobs."""
        return self.backburner.codec

    def enqueued(self, target: Any = None, /, *args: Any, **wanted: Any) -> list[Job[Any]]:
        """Return the jobs that wait to be performed, now or later, oldest first; see `Harness.enqueued`."""
        return self.backburner.enqueued(target, *args, **wanted)

    def drain(self, **how: Unpack[Draining]) -> tuple[int, int]:
        """Perform what is due; see `Harness.drain`."""
        return self.backburner.drain(**how)

    async def adrain(self, **how: Unpack[Draining]) -> tuple[int, int]:
        """Perform what is due; see `Harness.adrain`."""
        return await self.backburner.adrain(**how)

    def perform(self, job: Job[Any] | UUID | str, *, raises: bool = True) -> bool:
        """Perform this one job; see `Harness.perform`."""
        return self.backburner.perform(job, raises=raises)

    async def aperform(self, job: Job[Any] | UUID | str, *, raises: bool = True) -> bool:
        """Perform this one job; see `Harness.aperform`."""
        return await self.backburner.aperform(job, raises=raises)

    def travel(self, to: datetime | timedelta | float) -> None:
        """Put the app's clock forward; see `Harness.travel`."""
        self.backburner.travel(to)

    def faults(self, *, statements: bool = True) -> Iterator[Fault]:
        """Kill jobs everywhere, one place after the other; see `faults.everywhere`."""
        return everywhere(self.backburner, statements=statements)


class BackburnerTestMixin(WithHarness):
    """Puts an app under test in `self.backburner`, clean for each test; stands before the test case among the bases.

    A `setUp` of your own calls `super().setUp()` first.
    """

    backburner_settings: ClassVar[AppSettings] = {}
    """Settings of the app under test."""

    backburner_mode: ClassVar[Mode] = "drain"
    """What becomes of its jobs: stored until they are drained, performed where they are enqueued, or only collected."""

    def setUp(self) -> None:
        """Put an app under test."""
        case: Any = self
        super().setUp()  # type: ignore[misc]  # of the test case that this is mixed into
        clock = Clock()
        app = case.enterContext(self.backburner_app(clock))
        under_test = harness(app, clock=clock, mode=self.backburner_mode, connection=self.backburner_connection())
        self.backburner: Harness = case.enterContext(under_test)

    def backburner_app(self, clock: Clock) -> Backburner:
        """Make the app, in memory; override it to put an app of your own under test, which is closed after the test."""
        return clean_app([type(self).__module__], clock, **self.backburner_settings)

    def backburner_connection(self) -> object | None:
        """Return None; override it to return the connection in whose transaction all is done, see `harness`."""
        return None


class BackburnerTestCase(BackburnerTestMixin, TestCase):
    """A test case with an app under test in `self.backburner`, clean for each test.

    A `setUp` of your own calls `super().setUp()` first.
    """
