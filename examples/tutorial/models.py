"""The model of the tutorial: a user, whose creation enqueues a welcome mail."""

from __future__ import annotations

import secrets
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime

from backburner import Delayable, Fail

from . import database
from .mailers import Mailer


@dataclass
class User(Delayable):
    """Somebody who signed up."""

    name: str
    email: str
    activation_code: str
    activated_at: str | None = None
    id: int | None = None

    @classmethod
    def create(cls, connection: sqlite3.Connection, *, name: str, email: str) -> User:
        """Insert a user and run `after_create`, both in the transaction that is open on the connection.

        Raises sqlite3.IntegrityError when the address has signed up already.
        """
        user = cls(name, email, activation_code=secrets.token_urlsafe(16))
        inserted = connection.execute(
            "INSERT INTO users (name, email, activation_code) VALUES (?, ?, ?)",
            (user.name, user.email, user.activation_code),
        )
        user.id = inserted.lastrowid
        user.after_create(connection)
        return user

    def after_create(self, connection: sqlite3.Connection) -> None:
        """Enqueue the welcome mail: commit keeps the user and the job, rollback drops both."""
        Mailer.delay(connection=connection).hello(self)

    @classmethod
    def find(cls, user_id: int) -> User | None:
        with database.transaction() as connection:
            row = connection.execute("SELECT * FROM users WHERE id = ?", (user_id,)).fetchone()
        return cls(**row) if row else None

    @property
    def is_active(self) -> bool:
        return self.activated_at is not None

    def activate(self, code: str) -> None:
        """Let the user in, if the code is the one of the welcome mail."""
        if not secrets.compare_digest(code.encode(), self.activation_code.encode()):
            raise Fail(f"expected the activation code of {self.email}, got another one")
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with database.transaction() as connection:  # the second of two clicks changes nothing
            connection.execute("UPDATE users SET activated_at = coalesce(activated_at, ?) WHERE id = ?", (now, self.id))

    # How a job refers to a user: it keeps the key, and reads the user again when it is performed.

    def __job_key__(self) -> int | None:
        return self.id

    @classmethod
    def __job_load__(cls, key: int) -> User | None:
        return cls.find(key)

    def __job_attributes__(self) -> dict[str, str]:
        """Say what people see in the handler beside the key."""
        return {"name": self.name, "email": self.email}
