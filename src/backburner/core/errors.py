"""Every error that backburner raises, as one tree.

::

    BackburnerError
    ├── ConfigurationError        a setting, URL or option of the app is wrong
    ├── SchemaMissing             the tables are not there, or not of this version
    ├── EnqueueError              a job was refused at the enqueueing line; nothing was stored
    │   ├── UnknownOption         (also a TypeError)
    │   ├── InvalidOption         (also a TypeError and a ValueError)
    │   ├── UnknownMethod         (also an AttributeError)
    │   ├── WrongArguments        (also a TypeError)
    │   ├── NotSerializable       an argument cannot be written down
    │   ├── NotImportable         a worker could not find this function or class again
    │   ├── NotAllowed            a worker may not run this function or class
    │   └── UnsavedRecord         a record without a key
    ├── DeserializationError      a handler cannot be read; permanent
    │   └── RecordMissing         a record that a handler names is gone
    ├── UnknownJob                a handler names code that is not here (yet); not permanent
    ├── JobNotFound               no job has this id
    ├── InvalidState              the job's state does not allow this
    ├── LeaseLost                 another worker has taken the job since
    └── StoreUnavailable          the database did not answer in time

    JobTimeout, JobCancelled, JobInterrupted are BaseExceptions raised inside a job.

The first line of a class's docstring is its message when none is given. All of it is in the reference.
"""

from __future__ import annotations


class BackburnerError(Exception):
    """Something went wrong in backburner.

    The root of all that backburner raises, but for what is raised within a job to end it.
    """

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message if message is not None else _first_line(type(self)))


class ConfigurationError(BackburnerError):
    """The configuration is wrong.

    A setting, a URL, a driver or another part of the set-up; the message says what was expected, and names all settings
    that are wrong.
    """


class SchemaMissing(BackburnerError):
    """The tables of backburner are missing: run `backburner migrate`.

    Or they are of another version; the message says which.
    """


class EnqueueError(BackburnerError):
    """The job was refused and nothing was stored.

    Raised at the line that makes the job, with the path of the value that is the matter, as in `args[0].items[3]`.
    """


class UnknownOption(EnqueueError, TypeError):
    """The option is not known.

    The message names those that are.
    """


class InvalidOption(EnqueueError, TypeError, ValueError):
    """The value of an option is wrong.

    It is a TypeError and a ValueError, because callers look for either.
    """


class UnknownMethod(EnqueueError, AttributeError):
    """The target has no such method.

    Or it is none that a job may call.
    """


class WrongArguments(EnqueueError, TypeError):
    """The arguments do not fit the signature.

    Their names and their number are checked; their types are left to type checkers.
    """


class NotSerializable(EnqueueError):
    """A value cannot be written into a handler.

    Pass what the job can find it by, such as a path or a key.
    """


class NotImportable(EnqueueError):
    """A worker could not import this function or class.

    Lambdas and what is defined within a function have no name by which another process finds them.
    """


class NotAllowed(EnqueueError):
    """A job may not name this function or class.

    Mark it, or allow its module; the message has the line to write. A job that was stored all the same fails for good.
    """


class UnsavedRecord(EnqueueError):
    """A record that is not saved has no key to find it by.

    One that is deleted has none any more.
    """


class DeserializationError(BackburnerError):
    """The handler of a job cannot be read. The job fails for good."""


class RecordMissing(DeserializationError):
    """A record that the handler names is gone. The job fails for good.

    With `missing_record="discard"` it is cancelled instead.
    """


class UnknownJob(BackburnerError):
    """The handler names code that this process does not have, or is of a newer format. The job is put back for later.

    That spends no attempt: a deploy may be under way that brings the code.
    """


class JobNotFound(BackburnerError):
    """No job has this id.

    It may have been deleted, or pruned some time after its end.
    """


class InvalidState(BackburnerError):
    """The state of the job does not allow this.

    The message names the state; what was asked has changed nothing.
    """


class LeaseLost(BackburnerError):
    """The job is not held by this worker any more.

    The worker was not heard of for `lease`, and others have the job now. What this one tells of it is not stored.
    """


class StoreUnavailable(BackburnerError):
    """The database did not answer in time.

    Or it is broken, full, locked or cannot be reached; the message says what to do. When the answer to a commit was
    lost, what was asked may have been done.
    """


class JobTimeout(BaseException):
    """The job ran longer than its `max_run_time`.

    Raised within the job, whose attempt has failed.
    """


class JobCancelled(BaseException):
    """The running job was cancelled.

    Raised within the job; one that has seen `job.is_cancelled` may raise it as well. The job ends as cancelled.
    """


class JobInterrupted(BaseException):
    """The worker stops before the job is done; the job will be given back.

    Raised within the job. No attempt is spent.
    """


def _first_line(cls: type) -> str:
    return (cls.__doc__ or cls.__name__).strip().splitlines()[0]
