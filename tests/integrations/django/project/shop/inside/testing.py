"""What `backburner.integrations.django.testing` gives to Django's test cases."""

from __future__ import annotations

from contextlib import redirect_stderr, redirect_stdout
from datetime import timedelta
from io import StringIO
from typing import Any

from asgiref.sync import sync_to_async
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import SimpleTestCase, TestCase, TransactionTestCase, override_settings
from shop import jobs as shop_jobs
from shop.models import Customer

from backburner import current, delay, jobs
from backburner.core.errors import JobNotFound
from backburner.integrations.django.testing import BackburnerTestMixin
from backburner.testing import inline


def tables() -> int:
    """Return how many jobs there are in the database, whatever became of them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT (SELECT count(*) FROM backburner_jobs) + (SELECT count(*) FROM backburner_finished)")
        return int(cursor.fetchone()[0])


class Shared(BackburnerTestMixin):
    def setUp(self) -> None:
        super().setUp()
        shop_jobs.DONE.clear()
        self.ann = Customer.objects.create(name="Ann")

    def test_nothing_is_there_at_first(self: Any) -> None:
        self.assertEqual(tables(), 0)
        self.assertEqual(list(self.backburner.queues.list()), [])

    def test_nothing_is_left_of_this_one(self: Any) -> None:
        for number in range(3):
            shop_jobs.welcome.delay(number)
        self.drain(limit=2)
        self.backburner.queues.pause("slow")
        self.assertEqual(tables(), 3)

    def test_assertions(self: Any) -> None:
        self.refute_enqueued(self.ann.activate)
        with self.assertRaises(AssertionError):
            self.assert_enqueued(self.ann.activate)
        self.ann.delay(queue="mail").activate("7")
        self.assert_enqueued(self.ann.activate, "7", queue="mail", count=1)

    def test_draining(self: Any) -> None:
        self.ann.delay.activate("7")
        self.assertEqual(self.drain(), (1, 0))
        self.ann.refresh_from_db()
        self.assertEqual(self.ann.code, "7")

    def test_what_a_job_raises_leaves_drain(self: Any) -> None:
        job = shop_jobs.fail.delay()
        with self.assertRaisesRegex(RuntimeError, "it went wrong"):
            self.drain()
        self.assertEqual(jobs.get(job.id).attempts, 1)
        self.backburner.travel(timedelta(minutes=1))
        self.assertEqual(self.drain(raises=False), (0, 1))
        self.assertEqual(Customer.objects.count(), 1)

    def test_time_may_pass(self: Any) -> None:
        shop_jobs.welcome.options(run_at=timedelta(hours=1)).delay(1)
        self.assertEqual(self.drain(), (0, 0))
        self.backburner.travel(timedelta(hours=1))
        self.assertEqual(self.drain(), (1, 0))

    def test_inline(self: Any) -> None:
        with inline():
            self.ann.delay.activate("7")
        self.ann.refresh_from_db()
        self.assertEqual(self.ann.code, "7")
        self.refute_enqueued(self.ann.activate)

    def test_a_savepoint_that_is_rolled_back_drops_the_job(self: Any) -> None:
        with self.assertRaises(ZeroDivisionError), transaction.atomic():
            self.ann.delay.activate("7")
            _ = 1 / 0
        self.refute_enqueued(self.ann.activate)

    def test_looking_at_and_changing_jobs(self: Any) -> None:
        job = self.ann.delay(queue="mine").activate("7")
        self.assertEqual(jobs.cancel(job).state, "cancelled")
        self.assertEqual(jobs.retry(job).state, "queued")
        self.assertEqual(jobs.count(state="queued", queue="mine"), 1)
        jobs.delete(job)
        with self.assertRaises(JobNotFound):
            jobs.get(job.id)

    def test_a_job_looks_at_itself(self: Any) -> None:
        job = delay(shop_jobs).report_here()
        self.assertEqual(self.drain(), (1, 0))
        self.assertEqual(shop_jobs.DONE, [0.5])
        self.assertEqual(jobs.get(job.id).state, "succeeded")

    async def test_async_forms(self: Any) -> None:
        await self.ann.adelay(queue="mine").activate("7")
        self.assertEqual(await jobs.acount(queue="mine"), 1)
        self.assertEqual(await sync_to_async(self.drain)(), (1, 0))
        self.assertEqual((await Customer.objects.aget()).code, "7")


class InATestCase(Shared, TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        shop_jobs.welcome.options(run_at=timedelta(days=1)).delay("prepared")

    def test_nothing_is_there_at_first(self) -> None:
        self.assertEqual([job.name for job in self.enqueued()], ["welcome"])

    def test_nothing_is_left_of_this_one(self) -> None:
        shop_jobs.welcome.delay(1)
        self.assertEqual(tables(), 2)

    def test_queries_are_counted_as_they_are(self) -> None:
        with self.assertNumQueries(2 if connection.vendor == "mysql" else 1):
            self.ann.delay.activate("7")


class InATransactionTestCase(Shared, TransactionTestCase):
    pass


class InAPlainTestCase(TestCase):
    """Without the mixin, the project's own app works in the transaction of the test as well."""

    def test_work_off(self) -> None:
        ann = Customer.objects.create(name="Ann")
        ann.delay.activate("7")
        self.assertEqual(current().worker().work_off(), (1, 0))
        ann.refresh_from_db()
        self.assertEqual(ann.code, "7")

    def test_commands_are_about_the_same_database(self) -> None:
        ann = Customer.objects.create(name="Ann")
        ann.delay.activate("7")
        said = StringIO()
        with redirect_stdout(said):
            call_command("backburner", "workoff", "--quiet")
        self.assertIn("1 succeeded, 0 failed", said.getvalue())
        self.assertEqual(Customer.objects.get().code, "7")
        with self.assertRaises(CommandError) as raised, redirect_stderr(StringIO()):
            call_command("backburner", "jobs", "show", "nothing")
        self.assertEqual(raised.exception.returncode, 1)

    def test_nothing_is_left(self) -> None:
        self.assertEqual(tables(), 0)


class Settings(TestCase):
    def test_override_settings_makes_the_app_anew(self) -> None:
        before = current()
        with override_settings(BACKBURNER={"DEFAULT_QUEUE": "late", "MAX_ATTEMPTS": 3}):
            job = shop_jobs.welcome.delay(1)
            self.assertEqual((job.queue, job.max_attempts), ("late", 3))
        self.assertEqual(shop_jobs.welcome.delay(1).queue, "default")
        self.assertIsNot(current(), before)


@override_settings(BACKBURNER={"URL": "postgresql://nobody@localhost:1/production"})
class WithAUrl(BackburnerTestMixin, TestCase):
    def test_the_database_of_the_url_is_left_alone(self) -> None:
        shop_jobs.welcome.delay(Customer.objects.create(name="Ann"))
        self.assertEqual(self.drain(), (1, 0))
        self.assertEqual(tables(), 0)


class WithoutADatabase(SimpleTestCase):
    def test_the_app_can_be_made(self) -> None:
        self.assertIn("shop", current().allowed.prefixes)
