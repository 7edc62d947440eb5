"""What the excerpts in the README take for granted."""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker

from backburner import Delayable, configure


class Base(DeclarativeBase): ...


class Customer(Delayable, Base):
    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]

    def activate(self, code: str) -> None: ...


class User(Delayable):
    def activate(self, code: str) -> None: ...


def sign_up(name: str, email: str) -> Any:
    """Stand in for the application of the excerpt about tests, with the classes of the README."""
    user = globals()["User"](name, email)
    globals()["Mailer"].delay(queue="mail").hello(user)
    return user


configure("sqlite:///jobs.db")
engine = create_engine("sqlite:///jobs.db")
Base.metadata.create_all(engine)
Session = sessionmaker(engine)
user = User()
connection = sqlite3.connect("jobs.db")
connection.execute("CREATE TABLE users (name, email)")
