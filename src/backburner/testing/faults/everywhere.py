"""The loop over all the places where a job can be killed."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from inspect import iscoroutinefunction
from traceback import clear_frames
from types import TracebackType
from typing import TYPE_CHECKING, Any
from uuid import UUID

from backburner.core.errors import ConfigurationError
from backburner.core.job import Job
from backburner.inspection import id_of
from backburner.testing.bench import bench
from backburner.testing.faults.strike import Killed, Strike, striking
from backburner.testing.faults.watching import watching
from backburner.testing.lending import LentStore
from backburner.worker.outcome import Count, Outcome

if TYPE_CHECKING:
    from typing import Self

    from backburner.testing.harnessing import Harness

NOBODY, SQLITE = 2, 2
"""References to a connection that nobody has but who counts them; how many more one of sqlite3 has to itself."""

MOST = 1_000
"""Places in a job, after which it is taken for one that takes another way each time."""


class Fault:
    """One fault: the job is killed in one place, once.

    As a context manager, it says in an exception that leaves the block where that was.
    """

    def __init__(self, harness: Harness, number: int) -> None:
        self._harness = harness
        self._strike = Strike(number)
        self._has_performed = False

    @property
    def where(self) -> str | None:
        """Where the job was killed; None: it was not (any more)."""
        return self._strike.where

    @property
    def statements(self) -> int:
        """How many statements were seen."""
        return self._strike.statements

    @property
    def has_performed(self) -> bool:
        """Whether `perform` was called."""
        return self._has_performed

    def perform(self, job: Job[Any] | UUID | str) -> None:
        """Perform a job that is killed in this fault's place, and then again, as after a rescue; now it must succeed.

        What it raises leaves this call.
        """
        self._has_performed = True
        job_id = id_of(job)
        if self._is_killed(job_id) and not self._harness.perform(job_id):
            raise AssertionError("performed again, the job did not succeed: it snoozed or was cancelled")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if error is not None and self.where is not None:
            error.add_note(f"after the job was killed {self.where}, and performed again")

    def _is_killed(self, job_id: UUID) -> bool:
        """Perform the job; say whether it was killed, and then let it be taken for lost by its worker."""
        with bench(self._harness.app) as at:
            job = at.claim_one(job_id)
            with striking(self._strike):
                outcome = at.make(job)
                self._come_to_the_end(outcome)
            if self.where is None:
                at.settle(outcome)
                if outcome.error is not None:
                    raise outcome.error
                return False
            _let_go(outcome.error)
            self._end_connections()
            at.die()
            return True

    def _come_to_the_end(self, outcome: Outcome) -> None:
        """Come through the last place: the job has returned, and nobody knows."""
        if outcome.count is Count.SUCCESS:
            with suppress(Killed):
                self._strike.reach("when it had returned, before that was noted")

    def _end_connections(self) -> None:
        """Do to the connections what the end of their process does, as far as others can go on with them."""
        connections = self._strike.connections
        while connections:
            _end(connections.pop())


def _let_go(error: BaseException | None) -> None:
    """Forget what the frames of a job hold, as the end of its process would."""
    while error is not None:
        clear_frames(error.__traceback__)
        error = error.__context__


def _end(connection: Any) -> None:
    if iscoroutinefunction(connection.rollback):
        return  # it has ended with the job's event loop
    with suppress(Exception):  # it is closed already, or is another thread's
        connection.rollback()
        own = SQLITE if isinstance(connection, sqlite3.Connection) else 0
        if sys.getrefcount(connection) <= NOBODY + own:  # the job had it for itself, and was killed before it closed it
            connection.close()


class Faults:
    """Watches what is done with connections while it is entered; called, it gives one fault after the other."""

    def __init__(self, harness: Harness) -> None:
        if isinstance(harness.app.store, LentStore):
            raise ConfigurationError(
                "faults: expected a database of the test's own, got a harness with connection=, "
                "whose transaction a job that is killed would undo"
            )
        self._harness = harness
        self._resources = ExitStack()

    def __enter__(self) -> Self:
        self._resources.enter_context(watching())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._resources.close()

    def __call__(self, *, statements: bool = True) -> Iterator[Fault]:
        """Give faults until the job came to its end without being killed.

        Without `statements`, for a job that has no database, only at its points and at its end. Raises AssertionError
        when no statement was seen where some are expected.
        """
        seen = 0
        for number in range(1, MOST + 1):
            fault = Fault(self._harness, number)
            yield fault
            if not fault.has_performed:
                raise AssertionError("expected the body of the loop to call fault.perform(job)")
            seen += fault.statements
            if fault.where is None:
                break
        else:
            raise AssertionError(
                f"killed the job in {MOST} places, and there are more: does it take another way each time?"
            )
        if statements and not seen:
            raise AssertionError(
                "expected statements on a connection of sqlite3, psycopg, psycopg2 or PyMySQL, got none: those of "
                "sqlite3 and psycopg2 must be opened within the test, after the fixture backburner_faults; for a job "
                "without a database, say statements=False"
            )


def everywhere(harness: Harness, *, statements: bool = True) -> Iterator[Fault]:
    """Kill a job everywhere, one place after the other, in a loop over the faults; see `Faults`.

    Connections are watched until the loop has ended.
    """
    with Faults(harness) as faults:
        yield from faults(statements=statements)
