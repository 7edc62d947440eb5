"""What the exit codes mean, everywhere in the command line."""

from __future__ import annotations

from typing import Final

DONE: Final = 0
NO: Final = 1
"""The answer is no: nothing has this id, a job waits too long, something was found."""
WRONG: Final = 2
"""Wrong use or set-up."""
NOT_RUNNING: Final = 3
"""No worker runs in the background; what scripts of init systems expect of `status`."""
BY_SIGNAL: Final = 128
"""Added to the number of the signal that ended the command."""

MEANINGS: Final = {
    DONE: "done",
    NO: "the answer is no",
    WRONG: "wrong use or set-up",
}
