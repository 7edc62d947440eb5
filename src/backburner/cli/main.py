"""The command `backburner`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from backburner.cli import exits, output
from backburner.cli.parsing import HelpWanted, UsageError, parse
from backburner.core.errors import BackburnerError, InvalidState, JobNotFound

INTERRUPTED = exits.BY_SIGNAL + 2
"""Ended by Ctrl-C."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that a command line names (default: that of this process) and return its exit code."""
    output.prepare()
    try:
        return _run(sys.argv[1:] if argv is None else argv)
    except HelpWanted as wanted:
        output.note(str(wanted))
        return exits.WRONG
    except (JobNotFound, InvalidState) as error:
        output.complain(error)
        return exits.NO
    except (UsageError, BackburnerError) as error:
        output.complain(error)
        return exits.WRONG
    except KeyboardInterrupt:
        return INTERRUPTED
    except SystemExit as ended:  # after --help and --version
        return ended.code if isinstance(ended.code, int) else exits.DONE


def _run(argv: Sequence[str]) -> int:
    try:
        command, options = parse(argv)
        return command.run(options)
    finally:
        output.flush()
