"""Records of a small application, kept in a dictionary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from backburner.core.marks import Runnable

table: dict[Any, Any] = {}
"""The database: records by their key."""


class Model:
    """A record with a key and attributes."""

    def __init__(self, key: Any, **attributes: Any) -> None:
        self.id = key
        vars(self).update(attributes)

    def save(self) -> Model:
        table[self.id] = self
        return self

    def __job_key__(self) -> Any:
        return self.id

    @classmethod
    def __job_load__(cls, key: Any) -> Any:
        try:
            return table.get(key)
        except TypeError:  # a list is nobody's key
            return None


class User(Model, Runnable):
    """A record that jobs may name by its class alone."""

    __job_secrets__: ClassVar[list[str]] = ["birthday"]

    def activate(self, code: str) -> tuple[Any, str]:
        return self.id, code

    @property
    def age(self) -> int:
        raise AssertionError("looked at")


class Invoice(Model):
    """A record that jobs may name when this package is allowed."""

    def __job_attributes__(self) -> Mapping[str, Any]:
        return {"number": self.id, "secret_note": "not for the eyes of others", "shown": True}

    def send(self) -> Any:
        return self.id


class Broken(Model):
    """A record whose attributes cannot be shown."""

    def __job_attributes__(self) -> Mapping[str, Any]:
        raise RuntimeError("no attributes")


class Offline(Model):
    """A record whose database does not answer."""

    @classmethod
    def __job_load__(cls, key: Any) -> Any:
        raise ConnectionError("the database is away")


def keys() -> Iterator[Any]:
    return iter(table)
