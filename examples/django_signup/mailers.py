"""What the project writes to people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.mail import EmailMessage

from backburner import mail

if TYPE_CHECKING:
    from .models import Member


class Mailer(mail.Mailer):
    """Builds the mails; what is returned is sent as Django sends mail."""

    @classmethod
    def hello(cls, member: Member) -> EmailMessage:
        """Build the welcome mail. The worker calls this."""
        return EmailMessage(f"Welcome, {member.name}", f"Hello {member.name},\n\nthank you!\n", to=[member.email])
