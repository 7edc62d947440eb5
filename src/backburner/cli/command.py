"""What a command says of itself; each file in `commands` holds one."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from backburner.cli import exits


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command of the command line."""

    about: str
    """What it does, in sentences."""
    examples: tuple[tuple[str, str], ...]
    """Command lines, each with what it is good for."""
    run: Callable[[Namespace], int]
    """Do it, and return the exit code."""
    add_arguments: Callable[[ArgumentParser], object] = lambda _parser: None
    exit_codes: Mapping[int, str] = field(default_factory=dict)
    """What exit codes mean here, where more can be said than they mean everywhere."""

    @property
    def all_exit_codes(self) -> list[tuple[int, str]]:
        """Every exit code that this command may have, with its meaning."""
        usual = {code: exits.MEANINGS[code] for code in (exits.DONE, exits.WRONG)}
        return sorted((usual | dict(self.exit_codes)).items())
