"""Looking at jobs, as far as PostgreSQL needs help with it."""

from __future__ import annotations

from collections.abc import Sequence

from backburner.core.ops import Statement
from backburner.stores.sql.looking import Looking


class LookingByTable(Looking):
    """The part of the `Insight` port that gives jobs by the page."""

    def _page(self, parts: Sequence[Statement], order: str, limit: int) -> Statement:
        # A page of each table first: else all that both hold is put together and sorted.
        page_of = super()._page
        if len(parts) > 1:
            pages = [page_of([part], order, limit) for part in parts]
            parts = [page._replace(text=f"({page.text})") for page in pages]
        return page_of(parts, order, limit)
