"""Fields for the columns of the tables of jobs, which Django did not make."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models

from backburner.core.times import from_micros, to_micros


class JobIdField(models.Field):
    """The id of a job: a UUID, which each database keeps in its own form."""

    description = "The id of a job"
    empty_strings_allowed = False

    def db_type(self, connection: Any) -> str:
        """Return what the column is in this database."""
        return {"postgresql": "uuid", "mysql": "binary(16)"}.get(connection.vendor, "text")

    def to_python(self, value: Any) -> Any:
        """Return a UUID. Raises ValidationError."""
        if value is None or isinstance(value, UUID):
            return value
        try:
            return UUID(str(value))
        except ValueError:
            raise ValidationError(f"expected the id of a job, got {value!r}") from None

    def get_prep_value(self, value: Any) -> Any:
        """Return a UUID."""
        return self.to_python(super().get_prep_value(value))

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """Return what the database keeps."""
        found = value if prepared else self.get_prep_value(value)
        if found is None or connection.vendor == "postgresql":
            return found
        return found.bytes if connection.vendor == "mysql" else str(found)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> UUID | None:  # noqa: ARG002  # Django's signature
        """Return the UUID that a row holds."""
        if value is None or isinstance(value, UUID):
            return value
        return UUID(bytes=bytes(value)) if isinstance(value, (bytes, memoryview)) else UUID(value)


class MomentField(models.Field):
    """A time, kept as microseconds since 1970 (UTC)."""

    description = "A time"
    empty_strings_allowed = False

    def db_type(self, connection: Any) -> str:  # noqa: ARG002  # Django's signature
        """Return what the column is."""
        return "bigint"

    def get_prep_value(self, value: Any) -> Any:
        """Return microseconds."""
        found = super().get_prep_value(value)
        return to_micros(found) if isinstance(found, datetime) else found

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> datetime | None:  # noqa: ARG002  # Django's signature
        """Return the time that a row holds."""
        return None if value is None else from_micros(value)
