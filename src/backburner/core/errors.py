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

The docstring of a class is its message when none is given.
"""

from __future__ import annotations


class BackburnerError(Exception):
    """Something went wrong in backburner."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message if message is not None else _first_line(type(self)))


class ConfigurationError(BackburnerError):
    """The configuration is wrong."""


class SchemaMissing(BackburnerError):
    """The tables of backburner are missing: run `backburner migrate`."""


class EnqueueError(BackburnerError):
    """The job was refused and nothing was stored."""


class UnknownOption(EnqueueError, TypeError):
    """The option is not known."""


class InvalidOption(EnqueueError, TypeError, ValueError):
    """The value of an option is wrong.

    It is a TypeError and a ValueError, because callers look for either.
    """


class UnknownMethod(EnqueueError, AttributeError):
    """The target has no such method."""


class WrongArguments(EnqueueError, TypeError):
    """The arguments do not fit the signature."""


class NotSerializable(EnqueueError):
    """A value cannot be written into a handler."""


class NotImportable(EnqueueError):
    """A worker could not import this function or class."""


class NotAllowed(EnqueueError):
    """A job may not name this function or class."""


class UnsavedRecord(EnqueueError):
    """A record that is not saved has no key to find it by."""


class DeserializationError(BackburnerError):
    """The handler of a job cannot be read. The job fails for good."""


class RecordMissing(DeserializationError):
    """A record that the handler names is gone. The job fails for good."""


class UnknownJob(BackburnerError):
    """The handler names code that this process does not have. The job is put back for later."""


class JobNotFound(BackburnerError):
    """No job has this id."""


class InvalidState(BackburnerError):
    """The state of the job does not allow this."""


class LeaseLost(BackburnerError):
    """The job is not held by this worker any more."""


class StoreUnavailable(BackburnerError):
    """The database did not answer in time."""


class JobTimeout(BaseException):
    """The job ran longer than its `max_run_time`."""


class JobCancelled(BaseException):
    """The running job was cancelled."""


class JobInterrupted(BaseException):
    """The worker stops before the job is done; the job will be given back."""


def _first_line(cls: type) -> str:
    return (cls.__doc__ or cls.__name__).strip().splitlines()[0]
