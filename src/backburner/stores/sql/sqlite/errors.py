"""What sqlite3 raises, said to people: what is wrong, and what to do about it."""

from __future__ import annotations

import os
import sqlite3

from backburner.core.errors import BackburnerError, ConfigurationError, SchemaMissing, StoreUnavailable

_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


def is_busy(error: sqlite3.Error) -> bool:
    """Say whether the file is only locked, so that the same statement may succeed a moment later."""
    return _primary_code(error) in _BUSY


def translated(error: sqlite3.Error, path: str) -> BackburnerError:
    """Return the error that says what a sqlite3 error about this file means."""
    text = str(error)
    if text.startswith(("no such table: backburner_", "no such column:")):
        return SchemaMissing(
            f"the tables of backburner in {path} are missing or incomplete ({text}): run `backburner migrate`"
        )
    match _primary_code(error):
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreUnavailable(f"{path} is locked by another connection ({text})")
        case sqlite3.SQLITE_FULL:
            return StoreUnavailable(f"{path} cannot grow, the disk is full or its quota is used up ({text}): make room")
        case sqlite3.SQLITE_READONLY:
            return StoreUnavailable(f"{path} cannot be written ({text}): let this user write it and its directory")
        case sqlite3.SQLITE_IOERR | sqlite3.SQLITE_PROTOCOL | sqlite3.SQLITE_NOMEM | sqlite3.SQLITE_INTERRUPT:
            return StoreUnavailable(f"{path} could not be read or written ({text}): look after the disk")
        case sqlite3.SQLITE_CORRUPT:
            return StoreUnavailable(f"{path} is damaged ({text}): restore it from a backup")
        case sqlite3.SQLITE_NOTADB:
            return ConfigurationError(f"expected {path} to be an SQLite database, got another kind of file ({text})")
        case sqlite3.SQLITE_CANTOPEN:
            return ConfigurationError(f"cannot open {path}: {_why_not(path)}")
        case sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            return ConfigurationError(f"may not open {path} ({text}): let this user read and write the file")
    if isinstance(error, sqlite3.ProgrammingError):
        return ConfigurationError(f"this connection cannot be used here: {text}")
    return StoreUnavailable(f"{path} did not do what it was asked to: {type(error).__name__}: {text}")


def _primary_code(error: sqlite3.Error) -> int:
    # The module raises some errors by itself, without a code.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _why_not(path: str) -> str:
    folder = os.path.dirname(path)
    if os.path.isdir(path):
        return "it is a directory; name a file"
    if not os.path.isdir(folder):
        return f"the directory {folder} does not exist; make it, or change the URL"
    return f"let this user read and write it and the directory {folder}"
