"""Models of Django as records: named by class and primary key, read again from the database that they came from."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from django.db import DEFAULT_DB_ALIAS, router


class Models:
    """The kind of Django's models.

    A key is the primary key; of a record that is not in the default database, `{"pk": 7, "db": "other"}`.
    """

    def recognises(self, cls: type) -> bool:
        """See `RecordKind.recognises`."""
        base = sys.modules.get("django.db.models.base")  # as long as nobody imported it, there are no models
        return base is not None and issubclass(cls, base.Model)

    def key(self, record: Any) -> Any:
        """See `RecordKind.key`."""
        if record._state.adding or record.pk is None:
            return None
        alias = record._state.db or DEFAULT_DB_ALIAS
        return record.pk if alias == DEFAULT_DB_ALIAS else {"pk": record.pk, "db": alias}

    def connection(self, record: Any) -> object | None:
        """See `RecordKind.connection`: where a change of this record would be written to."""
        if record._state.adding:
            return None
        alias: str = router.db_for_write(type(record), instance=record)
        return alias

    def attributes(self, record: Any) -> Mapping[str, Any]:
        """See `RecordKind.attributes`: the fields that were loaded, under the names of their columns in Python."""
        loaded = record.__dict__
        return {
            field.attname: loaded[field.attname] for field in record._meta.concrete_fields if field.attname in loaded
        }

    def load(self, cls: Any, key: Any) -> Any:
        """See `RecordKind.load`."""
        pk, alias = (key["pk"], key["db"]) if isinstance(key, dict) else (key, DEFAULT_DB_ALIAS)
        return cls._base_manager.using(alias).filter(pk=pk).first()
