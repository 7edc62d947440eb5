"""Tests of a project's jobs, in the test database and in the transaction that Django rolls back.

::

    class SignUpTest(BackburnerTestMixin, TestCase):
        def test_welcome(self):
            user = sign_up("ann@example.com")
            self.assert_enqueued(send_welcome, user)
            self.drain()

Jobs are written, claimed and performed on Django's own connection.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Any

from django.db import connections

from backburner.app import Backburner
from backburner.integrations.django.project import ProjectApp
from backburner.integrations.django.setting import chosen
from backburner.testing.case import BackburnerTestMixin as AnyTestMixin
from backburner.testing.clock import Clock
from backburner.testing.harnessing import clean_app

__all__ = ["BackburnerTestMixin", "app_under_test"]


class BackburnerTestMixin(AnyTestMixin):
    """Puts the project's app under test in `self.backburner`; stands before Django's test case among the bases.

    `backburner_settings` come over those of the setting BACKBURNER. A `setUp` of your own calls `super().setUp()`
    first. What was enqueued before, as in `setUpTestData`, is there too.
    """

    def backburner_app(self, clock: Clock) -> Backburner:
        """Make the project's app, on Django's connection."""
        return app_under_test(clock, modules=[type(self).__module__], **self.backburner_settings)


class TestedApp(ProjectApp):
    """The project's app, for as long as a test takes."""

    __test__ = False  # it is not a test itself

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it; what no rollback takes away is taken away before: jobs, and pauses of queues."""
        if not connections[self.alias].in_atomic_block:
            self.jobs.clear()
            for queue in self.queues.list():
                if queue.paused:
                    self.queues.resume(queue.name)
        super().__exit__(kind, error, traceback)


def app_under_test(clock: Clock, *, modules: Iterable[str] = (), **settings: Any) -> Backburner:
    """Make the project's app on Django's connection, for tests; jobs may name the packages of these modules as well.

    Where the setting BACKBURNER has a URL, the app keeps jobs in memory instead: that database is not the tests'.
    As a context manager, it deletes the jobs at the end that no rollback takes away, as in a TransactionTestCase.
    """
    choice = chosen()
    if choice.alias is None:
        return clean_app(modules, clock, **{**choice.app, **settings})
    app = TestedApp(choice, clock=clock, settings=settings)
    app.allow(*(module.partition(".")[0] for module in modules))
    app.jobs.count()  # what the first use asks is not to be counted among the queries of a test
    return app
