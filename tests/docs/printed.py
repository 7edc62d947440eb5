"""Comparing what a command printed with what a page says: `...` stands for anything, times and ids for one another."""

from __future__ import annotations

import re
from doctest import ELLIPSIS, OutputChecker

_VARYING = (
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}", "<id>"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*(Z|\+00:00)", "<time>"),
    (r"\w{3}, \d\d \w{3} \d{4} [\d:]{8} \+0000", "<time>"),
    (r"worker=\S+", "<worker>"),
    (r"\bin \d+\.\d+ ?s\b|seconds=[\d.]+|\d+ (s|min) ago|just now", "<while>"),
    (r"={2,}|-{2,}", "<rule>"),
    (r"\s+", " "),
)


def is_as_shown(shown: str, printed: str) -> bool:
    """Say whether a command printed what a page shows."""
    return OutputChecker().check_output(_without_what_varies(shown), _without_what_varies(printed), ELLIPSIS)


def _without_what_varies(text: str) -> str:
    for pattern, word in _VARYING:
        text = re.sub(pattern, word, text)
    return text.strip()
