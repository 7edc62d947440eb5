"""How code says of itself that jobs may name it.

A class says so by its base: `Runnable`, which `JobHooks` here and the mixins of other layers extend. A function says so
by its decorator, whose wrapper carries `__backburner_job__ = True` and the original as `__wrapped__`.
"""

from __future__ import annotations

MARK = "__backburner_job__"


class Runnable:
    """Base of the classes that a job may name wherever they are defined.

    A subclass may have a classmethod `__job_result__(result)`. It is given what a delayed call of one of its methods
    returned, and what it returns is the result of the job.
    """

    __slots__ = ()


class JobHooks(Runnable):
    """Mixin for classes with hooks: job objects, and objects whose methods are delayed.

    Hooks are methods of these names, each of which may leave out trailing parameters: `enqueue(job)` before the job is
    stored; `before(job)`, `success(job)`, `error(job, exception)` and `after(job)` in each attempt; `failure(job)` when
    the job has failed for good. A job object has its hooks without this class as well; an object whose methods are
    delayed has them only as a subclass. A job may name subclasses wherever they are defined.
    """

    __slots__ = ()


def is_marked(value: object) -> bool:
    """Say whether `@job` or `@handle_asynchronously` made this function or method."""
    return getattr(value, MARK, False) is True
