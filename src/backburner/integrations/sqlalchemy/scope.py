"""The session of a job: made when it is first needed, committed when the job has succeeded, and closed in the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy.orm import Session

from backburner.core.caller import callers_connection
from backburner.core.errors import ConfigurationError
from backburner.core.job import Job
from backburner.integrations.sqlalchemy.forks import open_anew_in_children
from backburner.integrations.sqlalchemy.records import held_by
from backburner.integrations.sqlalchemy.sources import Source, session_of
from backburner.worker.awaiting import one_loop

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    AnySession = Session | AsyncSession

T = TypeVar("T")


class Scope:
    """One attempt at a job of one app, as far as its session is concerned."""

    def __init__(self, source: Source, job: Job[Any] | None = None) -> None:
        self.source = source
        self.job = job
        self._made: AnySession | None = None

    def session(self) -> AnySession:
        """Return the session of this attempt."""
        if self._made is None:
            self._made = self.source.make()
        return self._made

    def do(self, act: Callable[[Session], T]) -> T:
        """Let something that may ask the database be done with the session."""
        session = session_of(self.session())
        if session is None:
            raise ConfigurationError(f"expected app.bind() to get a source of sessions, got one of {self._made!r}")
        if not self.source.is_async:
            return act(session)
        from backburner.integrations.sqlalchemy.awaiting import blocking

        return blocking(act, session)

    def end(self, act: Callable[[Session], None]) -> None:
        """Commit, roll back or close the session, if there is one."""
        if self._made is not None:
            self.do(act)

    def roll_back(self, reason: BaseException) -> None:
        """Roll back; where that fails too, it is the reason for it that counts."""
        try:
            self.end(Session.rollback)
        except Exception as error:
            reason.add_note(f"the rollback failed: {type(error).__name__}: {error}")


_current: ContextVar[Scope | None] = ContextVar("backburner_sqlalchemy_scope", default=None)


def current_session() -> Any:
    """Return the session of the job that is being performed: of the source that `app.bind()` was given.

    It is an AsyncSession when that was an `async_sessionmaker`. It is committed when the job has succeeded, so that
    the job itself need not. For a job that is performed at once, in the caller, it is the caller's session, if the job
    is about a record of that. Raises ConfigurationError outside of a job, and when nothing was bound.
    """
    scope = _current.get()
    if scope is None and (callers := session_of(callers_connection())) is not None:
        return callers
    if scope is None:
        raise ConfigurationError(
            "expected to be called inside a job of an app that knows where its sessions come from: "
            "write app.bind(sessionmaker), and call this in a job that a worker performs"
        )
    return scope.session()


@contextmanager
def opened(source: Source, job: Job[Any] | None = None) -> Iterator[Scope]:
    """Give a scope, whose session is closed when the block ends."""
    scope = Scope(source, job)
    with one_loop() if source.is_async else nullcontext():
        try:
            yield scope
        finally:
            scope.end(Session.close)


@contextmanager
def scope_of(source: Source, job: Job[Any]) -> Iterator[None]:
    """Give a job that is performed within the block a session of its own."""
    with opened(source, job) as scope:
        token = _current.set(scope)
        try:
            with source.presenting(scope.session):
                yield
        finally:
            _current.reset(token)


@contextmanager
def committing() -> Iterator[None]:
    """Commit the session of the job when the block ends well, and roll it back when it does not."""
    scope = _current.get()
    try:
        yield
        if scope is not None:
            scope.end(Session.commit)
    except BaseException as error:
        if scope is not None:
            scope.roll_back(error)
        raise


class Scopes:
    """Gives the jobs of one app their sessions."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._source: Source | None = None

    def bind(self, source: Source) -> None:
        """Take the source of sessions, instead of a former one."""
        if self._source is None:
            self._listen()
        self._source = source
        open_anew_in_children(source)
        drivers = self._app.parts.drivers
        drivers.loads_early = False  # records are read in the session of the attempt
        drivers.in_task = None
        if source.is_async:
            from backburner.integrations.sqlalchemy.awaiting import drive_in_task

            drivers.in_task = drive_in_task

    def load(self, cls: Any, key: Any) -> Any:
        """Return a record of the present job's session; None when it is gone."""
        scope = self._scope
        if scope is not None:
            return scope.do(lambda session: session.get(cls, key))
        if (callers := session_of(callers_connection())) is not None:
            found = held_by(callers, cls, key)
            return callers.get(cls, key) if found is None else found
        with opened(self._bound(cls.__qualname__)) as scope:  # outside of a job, to be looked at: it is detached
            return scope.do(lambda session: session.get(cls, key))

    def present_session(self) -> Session | None:
        """Return the session of the present job, else the present one of a scoped session."""
        scope = self._scope
        if scope is not None:
            return session_of(scope.session())
        return None if self._source is None else self._source.present

    @property
    def _scope(self) -> Scope | None:
        """That of the present job, if it is one of this app's."""
        scope = _current.get()
        return scope if scope is not None and scope.source is self._source else None

    def _listen(self) -> None:
        app = self._app
        app.around("perform")(self._performing)
        app.around("invoke")(self._invoking)
        # What is done about a failure outlasts the rollback: a hook may note it, or enqueue a mail about it.
        app.around("error")(lambda worker, job, exception: committing())  # noqa: ARG005  # an event has its parameters
        app.around("failure")(lambda worker, job: committing())  # noqa: ARG005

    @contextmanager
    def _performing(self, worker: Any, job: Job[Any]) -> Iterator[None]:  # noqa: ARG002
        job.cached_payload = None  # whoever has looked at it has read the records in another session
        with scope_of(self._bound(job.name), job):
            yield

    @contextmanager
    def _invoking(self, job: Job[Any]) -> Iterator[None]:
        scope, source = self._scope, self._bound(job.name)
        if scope is not None and scope.job is job:
            with committing():
                yield
        elif scope is None and session_of(callers_connection()) is None and not source.is_async:
            # Performed at once, in the caller, but about nothing of the caller's.
            with scope_of(source, job), committing():
                yield
        else:
            yield

    def _bound(self, what: str) -> Source:
        """Return the source of sessions. Raises ConfigurationError, which says what is to be read in one."""
        if self._source is None:
            raise ConfigurationError(
                f"expected to know which session {what} is to be read in: "
                "write app.bind(sessionmaker), with the sessionmaker of your application, beside configure(…)"
            )
        return self._source
