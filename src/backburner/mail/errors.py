"""What may be wrong with mail."""

from __future__ import annotations

from collections.abc import Mapping

from backburner.core.errors import BackburnerError
from backburner.core.steering import Fail


class InvalidMessage(BackburnerError, Fail, ValueError):
    """A message cannot be sent as it is.

    A job that raises it fails without another attempt.
    """


class SomeRefused(Fail):
    """The mail server took a message for some of its recipients and refused the others.

    The job fails without another attempt, which would reach again those who have the message already.
    """

    def __init__(self, refused: Mapping[str, tuple[int, bytes]]) -> None:
        self.refused = refused
        """The server's answer, a code and a text, for each recipient that it refused."""
        listed = ", ".join(f"{to} ({code} {said.decode(errors='replace')})" for to, (code, said) in refused.items())
        super().__init__(
            f"the mail server refused {listed}; the other recipients have the message, so it is not sent again"
        )
