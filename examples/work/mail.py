"""Sending e-mail: the receipt for an order, which arrives once, as far as mail can promise that."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from smtplib import SMTPRecipientsRefused

from backburner import Cancel, Fail, JobHooks, enqueue
from backburner.mail import Mailer, Message

from .database import database


class ShopMailer(Mailer):
    sender = "Shop <receipts@shop.example>"

    @classmethod
    def receipt(cls, order: int, email: str, cents: int) -> Message:
        return Message(to=email, subject=f"Receipt for order {order}", body=f"Paid: {cents / 100:.2f} EUR")


@dataclass
class SendReceipt(JobHooks):
    order: int

    queue = "mail"
    max_attempts = 10
    max_run_time = 60

    def perform(self) -> None:
        with database() as db:
            asked = "SELECT email, cents, receipt_sent_at FROM orders WHERE id = ?"
            order = db.execute(asked, (self.order,)).fetchone()
        if order is None:
            raise Cancel(f"order {self.order} is gone")
        email, cents, sent_at = order
        if sent_at is None:  # an earlier attempt may have sent it, and failed after that
            self._send(ShopMailer.receipt(self.order, email, cents))

    def _send(self, message: Message) -> None:
        message.identify()  # its Message-ID is the job's id: who gets it twice can tell
        try:
            message.deliver()
        except SMTPRecipientsRefused as refused:
            if all(code >= 500 for code, _ in refused.recipients.values()):
                raise Fail(f"there is no such address: {message.to[0]}") from refused
            raise  # "try again later", says the server; so does the queue
        with database() as db:
            db.execute("UPDATE orders SET receipt_sent_at = datetime() WHERE id = ?", (self.order,))


if __name__ == "__main__":
    from .app import app

    with app:
        print(enqueue(SendReceipt(int(sys.argv[1]))).handler)
