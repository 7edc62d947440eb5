"""The OPTIONS of a backend for tasks: options of their jobs, in capitals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backburner.core.options import check_option
from backburner.integrations.django.tasks_names import InvalidTaskBackend

KNOWN = ("MAX_ATTEMPTS", "MAX_RUN_TIME", "ISOLATION", "TAGS")

DEFAULTS = {"max_attempts": 1}
"""Django's tasks are not tried again, unless the project wants it."""


def job_options(alias: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of jobs. Raises InvalidTaskBackend."""
    unknown = [str(name) for name in given if name not in KNOWN]
    if unknown:
        raise InvalidTaskBackend(
            f"TASKS[{alias!r}]['OPTIONS']: expected only {', '.join(KNOWN)}, got {', '.join(unknown)}"
        )
    try:
        options = {name.lower(): check_option(name.lower(), value) for name, value in given.items()}
    except (TypeError, ValueError) as error:
        raise InvalidTaskBackend(f"TASKS[{alias!r}]['OPTIONS']: {error}") from error
    return {**DEFAULTS, **options}
