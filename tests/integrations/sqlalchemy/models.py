"""The models of a shop: what the tests make jobs about."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column, relationship

from backburner import Delayable

SEEN: list[Any] = []
"""What jobs have seen."""


class Base(DeclarativeBase):
    pass


class User(Delayable, Base):
    __tablename__ = "users"
    __job_secrets__ = ("nickname",)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50), unique=True)
    nickname: Mapped[str | None] = mapped_column(String(50))
    password: Mapped[str | None] = mapped_column(String(50))
    word: Mapped[str | None] = mapped_column("secret_word", String(50))
    is_active: Mapped[bool] = mapped_column(default=False)
    addresses: Mapped[list[Address]] = relationship(back_populates="user", cascade="all, delete-orphan")

    def activate(self, code: str = "") -> None:
        SEEN.append((self.name, code))
        self.is_active = True

    def fail(self) -> None:
        self.is_active = True
        raise RuntimeError("no")

    def greet(self, other: User) -> None:
        SEEN.append((self.name, other.name))

    def list_addresses(self) -> None:
        SEEN.append([address.street for address in self.addresses])

    def befriend(self, name: str) -> None:
        """Enqueue in a job, about a record and about none."""
        self.name = name
        self.delay.activate("later")
        note_mail("later")

    async def wait(self) -> None:
        SEEN.append(self.name)
        self.is_active = True


class Address(Base):
    __tablename__ = "addresses"

    id: Mapped[int] = mapped_column(primary_key=True)
    street: Mapped[str] = mapped_column(String(50))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    user: Mapped[User] = relationship(back_populates="addresses")


class Seat(Delayable, Base):
    """A composite key."""

    __tablename__ = "seats"

    row: Mapped[str] = mapped_column(String(5), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)

    def take(self) -> None:
        SEEN.append((self.row, self.number))


class Person(Delayable, Base):
    """Joined-table inheritance."""

    __tablename__ = "people"
    __mapper_args__: ClassVar = {"polymorphic_on": "kind", "polymorphic_identity": "person"}

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))

    def work(self) -> None:
        SEEN.append(type(self).__name__)


class Employee(Person):
    __tablename__ = "employees"
    __mapper_args__: ClassVar = {"polymorphic_identity": "employee"}

    id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    desk: Mapped[str | None] = mapped_column(String(20))


class Manager(Person):
    """Single-table inheritance: no table of its own."""

    __mapper_args__: ClassVar = {"polymorphic_identity": "manager"}


class Tag(MappedAsDataclass, Delayable, Base, unsafe_hash=True):
    __tablename__ = "tags"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    label: Mapped[str] = mapped_column(String(20))

    def show(self) -> None:
        SEEN.append(self.label)


def note_mail(text: str) -> Any:
    from backburner import delay

    return delay(note)(text)


def note(value: Any) -> None:
    SEEN.append(value)


def note_names(value: dict[str, list[User]]) -> None:
    SEEN.append([user.name for users in value.values() for user in users])
