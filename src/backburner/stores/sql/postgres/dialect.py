"""PostgreSQL's answers, and what its sessions should be set to."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from backburner.stores.sql.dialect import Dialect
from backburner.stores.sql.postgres.texts import array

POSTGRES = Dialect(
    name="postgres",
    mark="%s",
    clock="(date_part('epoch', statement_timestamp()) * 1000000)::bigint",
    id_value=lambda job_id: job_id,
    to_id=lambda job_id: job_id,
    list_value=array,
    has_tag="tags::jsonb @> to_jsonb(?::text)",
)

SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        # Planned once for each connection. A claim takes less time than its planning.
        "plan_cache_mode": "force_generic_plan",
        # Every statement has an index to go along. What a plan would do instead is cheap while there are few jobs, or
        # while the statistics say so, and a plan is kept, or made from old statistics, when there are a million.
        "enable_seqscan": "off",
        "enable_bitmapscan": "off",
        "enable_sort": "off",
        # The planner's guesses about arrays and limits are high enough for it to compile a statement of a millisecond.
        "jit": "off",
    }
)
"""What a session of ours should be set to. Where a session does not keep it, behind a pooler, plans are as good as the
statistics of the tables are."""
