"""E-mail that is sent in the background."""

from __future__ import annotations

from email.mime.image import MIMEImage
from typing import Any

import django
from django.core import mail
from django.core.mail import EmailMessage, EmailMultiAlternatives, send_mail
from django.db import transaction
from django.test import TestCase, override_settings
from django.utils.translation import gettext_lazy
from shop.mailers import Mailer
from shop.models import Customer

from backburner.core.errors import ConfigurationError, NotSerializable
from backburner.integrations.django import EmailBackend
from backburner.integrations.django.mail import Email
from backburner.integrations.django.testing import BackburnerTestMixin

LOCMEM = "django.core.mail.backends.locmem.EmailBackend"
OURS = "backburner.integrations.django.EmailBackend"
HAS_MAILERS = django.VERSION >= (6, 1)


def backends(default: str) -> dict[str, Any]:
    if HAS_MAILERS:
        return {"MAILERS": {"default": {"BACKEND": default}, "real": {"BACKEND": LOCMEM}}}
    return {"EMAIL_BACKEND": default}


@override_settings(
    **backends(OURS), BACKBURNER={"EMAIL_BACKEND": "real" if HAS_MAILERS else LOCMEM, "EMAIL_QUEUE": "mail"}
)
class InTheBackground(BackburnerTestMixin, TestCase):
    def sent(self, message: EmailMessage) -> EmailMessage:
        self.assertEqual(message.send(), 1)
        self.assertEqual(mail.outbox, [])
        self.assertEqual(self.drain(), (1, 0))
        [arrived] = mail.outbox
        return arrived

    def test_a_message_is_sent_by_a_job(self) -> None:
        send_mail("Welcome", "Hello Ann", "shop@example.com", ["ann@example.com"])
        self.assert_enqueued(Email, queue="mail", count=1)
        self.assertEqual(mail.outbox, [])
        self.drain()
        [message] = mail.outbox
        self.assertEqual((message.subject, message.body, message.to), ("Welcome", "Hello Ann", ["ann@example.com"]))

    def test_rollback_takes_the_message_back(self) -> None:
        with self.assertRaises(ZeroDivisionError), transaction.atomic():
            send_mail("Welcome", "Hello Ann", None, ["ann@example.com"])
            _ = 1 / 0
        self.refute_enqueued(Email)

    def test_all_of_a_message_arrives(self) -> None:
        message = EmailMultiAlternatives(
            gettext_lazy("Welcome"),
            "Grüße",
            "Shop <shop@example.com>",
            ["ann@example.com"],
            bcc=["bcc@example.com"],
            cc=["cc@example.com"],
            reply_to=["help@example.com"],
            headers={"X-Campaign": "spring"},
        )
        message.attach_alternative("<b>Grüße</b>", "text/html")
        message.attach("terms.txt", "Grüße", "text/plain")
        message.attach("logo.png", b"\x89PNG\x00", "image/png")
        message.tags = ["welcome"]
        arrived = self.sent(message)
        for name in ("subject", "body", "from_email", "to", "cc", "bcc", "reply_to", "attachments", "alternatives"):
            self.assertEqual(getattr(arrived, name), getattr(message, name), name)
        self.assertEqual(arrived.extra_headers["X-Campaign"], "spring")
        self.assertEqual(arrived.tags, ["welcome"])
        self.assertEqual(arrived.recipients(), message.recipients())
        written = arrived.message()
        self.assertEqual(
            [part.get_content_type() for part in written.walk()],
            [p.get_content_type() for p in message.message().walk()],
        )

    def test_html_alone(self) -> None:
        message = EmailMessage("Welcome", "<b>Hello</b>", to=["ann@example.com"])
        message.content_subtype = "html"
        self.assertEqual(self.sent(message).message().get_content_type(), "text/html")

    def test_an_attachment_that_is_a_part_already(self) -> None:
        if django.VERSION < (6,):
            part = MIMEImage(b"\x89PNG\x00", "png")
            part["Content-ID"] = "<logo>"
        else:
            from email.message import MIMEPart

            part = MIMEPart()
            part.set_content(b"\x89PNG\x00", "image", "png", cid="<logo>")
        message = EmailMessage("Welcome", "Hello", to=["ann@example.com"])
        message.attach(part)
        arrived = self.sent(message).message().get_payload()[1]
        self.assertEqual(arrived["Content-ID"], "<logo>")
        self.assertEqual((arrived.get_content_type(), arrived.get_payload(decode=True)), ("image/png", b"\x89PNG\x00"))

    def test_each_attempt_has_the_same_message_id(self) -> None:
        send_mail("Welcome", "Hello Ann", None, ["ann@example.com"])
        [job] = self.enqueued()
        first, second = (job.payload.message().message() for _ in range(2))
        self.assertTrue(first["Message-ID"])
        self.assertEqual(first["Message-ID"], second["Message-ID"])

    def test_several_at_once(self) -> None:
        messages = [EmailMessage("Welcome", "Hello", to=[f"{number}@example.com"]) for number in range(3)]
        self.assertEqual(EmailBackend().send_messages([*messages, EmailMessage("To nobody")]), 3)
        self.assertEqual(self.drain(), (3, 0))
        self.assertEqual(len(mail.outbox), 3)

    def test_what_a_job_cannot_hold_is_refused_where_it_is_sent(self) -> None:
        message = EmailMessage("Welcome", "Hello", to=["ann@example.com"])
        message.track = object()
        with self.assertRaisesRegex(NotSerializable, "track"):
            message.send()
        with self.assertRaisesRegex(ConfigurationError, "EMAIL_HOST_PASSWORD"):
            EmailBackend(username="ann", password="secret")


@override_settings(**backends(LOCMEM))
class Mailers(BackburnerTestMixin, TestCase):
    def test_a_mailer_may_return_a_message_of_djangos(self) -> None:
        Mailer.delay.hello(Customer.objects.create(name="Ann", email="ann@example.com"))
        self.assertEqual(self.drain(), (1, 0))
        self.assertEqual(
            [(message.subject, message.to) for message in mail.outbox], [("Welcome, Ann", ["ann@example.com"])]
        )
