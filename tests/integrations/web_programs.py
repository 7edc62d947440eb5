"""Random programs for a request: what it does with its session, as JSON."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

NAMES = ["Ann", "Bob", "Cid", "Dan", "Eve"]
"""Few, so that some are taken already: a flush fails then."""


class Undone(Exception):
    """Rolls a savepoint back."""


class Broken(Exception):
    """Ends a request in its middle."""


def programs() -> st.SearchStrategy[list[Any]]:
    """Lists of steps; the step `savepoint` has steps of its own, and says whether it ends well."""
    simple = st.one_of(
        st.tuples(st.just("sign up"), st.sampled_from(NAMES)),
        st.sampled_from([("flush",), ("commit",), ("rollback",), ("commit",), ("break",)]),
    )
    step = st.recursive(
        simple,
        lambda inner: st.tuples(st.just("savepoint"), st.lists(inner, max_size=4), st.booleans()),
        max_leaves=6,
    )
    return st.lists(step, min_size=1, max_size=8)
