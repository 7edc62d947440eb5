"""The tables of backburner among those that Alembic compares with the application's models."""

from __future__ import annotations

from typing import Any

PREFIX = "backburner_"


def include_object(object: Any, name: str | None, type_: str, reflected: bool, compare_to: Any) -> bool:  # noqa: ARG001
    """Leave out the tables of backburner: they are in no model, and autogenerate would drop them.

    To be passed to `context.configure()` in the `env.py` of Alembic; or to be called in a function of your own.
    """
    return not (type_ == "table" and reflected and (name or "").startswith(PREFIX))
