"""A record of the tutorial's application: plain Python over sqlite3, with a callback after its creation."""

from __future__ import annotations

import sqlite3
from typing import ClassVar, Self


class Record:
    """A row of the table `users`. Its creation, and what its callback does, is one transaction."""

    connection: ClassVar[sqlite3.Connection]

    def __init__(self, name: str, email: str, key: int | None = None) -> None:
        self.key = key
        self.name = name
        self.email = email

    @classmethod
    def create(cls, name: str, email: str) -> Self:
        record = cls(name, email)
        with cls.connection as connection:
            insert = "INSERT INTO users (name, email) VALUES (?, ?)"
            record.key = connection.execute(insert, (name, email)).lastrowid
            record.after_create()
        return record

    @classmethod
    def find(cls, key: int) -> Self | None:
        row = cls.connection.execute("SELECT name, email, id FROM users WHERE id = ?", (key,)).fetchone()
        return None if row is None else cls(*row)

    @classmethod
    def count(cls) -> int:
        (count,) = cls.connection.execute("SELECT count(*) FROM users").fetchone()
        return int(count)

    def after_create(self) -> None:
        """Do what belongs to the creation; subclasses say what."""

    def __job_key__(self) -> int | None:
        return self.key

    @classmethod
    def __job_load__(cls, key: int) -> Self | None:
        return cls.find(key)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.key == other.key

    def __hash__(self) -> int:
        return hash((type(self), self.key))
