"""`Did you mean …?`"""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(got: str, known: Iterable[str]) -> str:
    """Return the end of a message about a mistyped word: a question, or nothing when no known word is near."""
    from difflib import get_close_matches

    near = get_close_matches(got, list(map(str, known)), n=1, cutoff=0.6)
    return f": did you mean {near[0]!r}?" if near else ""
