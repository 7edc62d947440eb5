"""The answers of MySQL and MariaDB."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from backburner.stores.sql.dialect import Dialect


def json_list(values: Iterable[Any]) -> str:
    """Return values as a JSON array, for JSON_TABLE; bytes become hexadecimal digits, for UNHEX."""
    return json.dumps([value.hex() if isinstance(value, bytes) else value for value in values], ensure_ascii=False)


def to_id(value: bytes) -> UUID:
    """Return the id that a row holds."""
    return UUID(bytes=value)


MYSQL = Dialect(
    name="mysql",
    mark="%s",
    # Not unix_timestamp(), which goes by the session's time zone and is wrong for an hour when the clocks go back.
    clock="timestampdiff(MICROSECOND, '1970-01-01', utc_timestamp(6))",
    id_value=lambda job_id: job_id.bytes,
    to_id=to_id,
    list_value=json_list,
    # Not JSON_CONTAINS: in MariaDB it compares the text as it is written, with its escapes. Not EXISTS: MySQL makes a
    # join of it, in which the tags of one job stand for those of all.
    has_tag=(
        "(SELECT count(*) FROM JSON_TABLE(tags, '$[*]' COLUMNS (tag LONGTEXT PATH '$')) AS one "
        "WHERE CAST(one.tag AS BINARY) = ?) > 0"
    ),
    live_state="IF(job_id IS NULL, state, 'running')",
)
