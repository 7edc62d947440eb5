from __future__ import annotations

from django.core.mail import EmailMessage
from shop.models import Customer

from backburner import mail


class Mailer(mail.Mailer):
    @classmethod
    def hello(cls, customer: Customer) -> EmailMessage:
        return EmailMessage(f"Welcome, {customer.name}", "Hello", to=[customer.email])
