"""What operations on MySQL ask for beyond what all databases understand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from backburner.core.ops import Statement


class Together(NamedTuple):
    """Statements that are sent at once; the reply is the list of their replies.

    An error ends the list: what stands behind is not executed.
    """

    statements: Sequence[Statement]
    ends: bool = False
    """Whether the transaction is committed along with them; what follows is another one."""
    is_slow: bool = False
    """Whether an operation that was begun is left here until its result is asked for."""
