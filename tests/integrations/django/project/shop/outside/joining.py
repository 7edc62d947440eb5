"""Jobs in Django's transactions."""

from __future__ import annotations

import asyncio
import json
import unittest
from contextlib import suppress
from io import StringIO
from typing import Any

from asgiref.sync import sync_to_async
from django.core.exceptions import SynchronousOnlyOperation
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext
from shop import jobs as shop_jobs
from shop.models import Customer, Order, Regular, Shopkeeper

from backburner import adelay, bulk, current, delay, enqueue_all, jobs
from backburner.core.errors import ConfigurationError, JobNotFound, UnsavedRecord
from backburner.integrations.django.models import Job


class Case(unittest.TestCase):
    def setUp(self) -> None:
        jobs.clear()
        for model in (Order, Customer):
            for alias in ("default", "other"):
                model.objects.using(alias).all().delete()
        shop_jobs.DONE.clear()
        self.ann = Customer.objects.create(name="Ann", email="ann@example.com", password="secret", notes="50 % off?")

    def sql_of(self, block: Any) -> list[str]:
        with CaptureQueriesContext(connection) as queries:
            block()
        return [query["sql"] for query in queries]


class Transactions(Case):
    def test_commit_keeps_both(self) -> None:
        with transaction.atomic():
            bob = Customer.objects.create(name="Bob")
            job = bob.delay.activate("7")
        self.assertEqual(jobs.get(job.id).name, "Customer.activate")
        self.assertEqual(current().worker().work_off(), (1, 0))
        self.assertEqual(Customer.objects.get(name="Bob").code, "7")

    def test_nobody_else_sees_the_job_before_the_commit(self) -> None:
        with transaction.atomic():
            self.ann.delay.activate()
            self.assertEqual(current().store.named.run(current().store.count(current_filter())), 0)  # type: ignore[attr-defined]
            self.assertEqual(jobs.count(), 1)

    def test_rollback_drops_both(self) -> None:
        with self.assertRaises(ZeroDivisionError), transaction.atomic():
            Customer.objects.create(name="Bob").delay.activate()
            shop_jobs.welcome.delay(1)
            _ = 1 / 0
        self.assertEqual((Customer.objects.count(), jobs.count()), (1, 0))

    def test_rollback_of_a_savepoint_drops_what_was_made_since(self) -> None:
        with transaction.atomic():
            self.ann.delay.activate("kept")
            with self.assertRaises(ZeroDivisionError), transaction.atomic():
                shop_jobs.welcome.delay(1)
                _ = 1 / 0
        self.assertEqual([job.name for job in jobs.where()], ["Customer.activate"])

    def test_bulk_and_a_job_about_nothing_are_in_the_transaction_too(self) -> None:
        with self.assertRaises(ZeroDivisionError), transaction.atomic():
            shop_jobs.welcome.delay(1)
            with bulk():
                for number in range(300):
                    shop_jobs.welcome.delay(number)
            _ = 1 / 0
        self.assertEqual(jobs.count(), 0)

    def test_a_savepoint_that_is_rolled_back_in_a_bulk_block_takes_its_jobs_along(self) -> None:
        with transaction.atomic(), bulk():
            self.ann.delay.activate("kept")
            with bulk():
                for fails in (True, False):
                    with suppress(ZeroDivisionError), transaction.atomic():
                        shop_jobs.welcome.delay(fails)
                        _ = 1 / (not fails)
        self.assertEqual([job.name for job in jobs.where()], ["Customer.activate", "welcome"])
        self.assertEqual(jobs.last().payload.args, (False,))

    def test_many_at_once(self) -> None:
        with transaction.atomic(), bulk():
            for number in range(2500):
                shop_jobs.welcome.delay(number)
        self.assertEqual(jobs.count(), 2500)

    def test_an_error_of_the_database_spoils_the_atomic_block(self) -> None:
        self.addCleanup(self.bring_table_back)
        with transaction.atomic():
            self.take_table_away()
            try:
                shop_jobs.welcome.delay(1)
            except Exception as error:
                refused = error
            self.assertTrue(connection.needs_rollback)
            with self.assertRaises(TransactionManagementError):
                Customer.objects.count()
        self.assertRegex(str(refused), "backburner_jobs|backburner migrate")
        self.assertFalse(connection.in_atomic_block)

    def take_table_away(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE backburner_jobs RENAME TO backburner_hidden")

    def bring_table_back(self) -> None:
        if "backburner_hidden" in connection.introspection.table_names():  # MySQL, where the rollback has not done it
            with connection.cursor() as cursor:
                cursor.execute("ALTER TABLE backburner_hidden RENAME TO backburner_jobs")

    def test_the_alias_and_the_connection_may_be_named(self) -> None:
        for named in ("default", connection, connections["default"]):
            with self.assertRaises(ZeroDivisionError), transaction.atomic():
                shop_jobs.welcome.options(connection=named).delay(1)
                _ = 1 / 0
        self.assertEqual(jobs.count(), 0)
        with self.assertRaisesRegex(
            ConfigurationError, "one of DATABASES, which are default, same, other, got 'nowhere'"
        ):
            shop_jobs.welcome.options(connection="nowhere").delay(1)

    def test_another_alias_of_the_same_database_is_joined(self) -> None:
        with self.assertRaises(ZeroDivisionError), transaction.atomic(using="same"):
            shop_jobs.welcome.options(connection="same").delay(1)
            _ = 1 / 0
        with transaction.atomic(using="same"):
            shop_jobs.welcome.options(connection="same").delay(1)
            self.assertEqual(len(connections["same"].run_on_commit), 1)  # to tell workers; the job is there
        self.assertEqual(jobs.count(), 1)

    def test_in_another_database_the_job_waits_for_the_commit(self) -> None:
        with self.assertRaises(ZeroDivisionError), transaction.atomic(using="other"):
            Customer.objects.using("other").create(name="Bob").delay.activate()
            _ = 1 / 0
        self.assertEqual(jobs.count(), 0)
        with transaction.atomic(using="other"):
            Customer.objects.using("other").create(name="Bob").delay.activate("7")
            self.assertEqual(jobs.count(), 0)
        self.assertEqual(jobs.count(), 1)
        self.assertEqual(current().worker().work_off(), (1, 0))
        self.assertEqual(Customer.objects.using("other").get().code, "7")

    def test_reading_and_changing_jobs_joins_as_well(self) -> None:
        job = shop_jobs.welcome.delay(1)
        with self.assertRaises(ZeroDivisionError), transaction.atomic():
            jobs.cancel(job)
            self.assertEqual(jobs.get(job.id).state, "cancelled")
            with self.assertRaises(JobNotFound):
                jobs.get("01a21794-981a-7763-b2bf-d3ee8b3365a4")
            self.assertEqual(Customer.objects.count(), 1)  # the block is not spoilt
            _ = 1 / 0
        self.assertEqual(jobs.get(job.id).state, "queued")


class Queries(Case):
    def test_a_job_is_one_insert(self) -> None:
        shop_jobs.welcome.delay(self.ann)  # the first use looks at the tables
        with transaction.atomic():
            sql = self.sql_of(lambda: self.ann.delay.activate())
        self.assertEqual([text.split()[0] for text in sql], ["INSERT"] * (2 if connection.vendor == "mysql" else 1))

    def test_outside_of_a_transaction_a_single_statement_needs_none(self) -> None:
        shop_jobs.welcome.delay(self.ann)
        sql = self.sql_of(lambda: self.ann.delay.activate())
        expected = (
            ["INSERT"] if connection.vendor == "postgresql" else ["BEGIN", *["INSERT"] * len(sql[1:-1]), "COMMIT"]
        )
        self.assertEqual([text.split()[0] for text in sql], expected)

    def test_many_jobs_are_few_inserts(self) -> None:
        shop_jobs.welcome.delay(self.ann)
        with transaction.atomic():
            sql = self.sql_of(lambda: enqueue_all([delay_of(number) for number in range(5)]))
        self.assertLessEqual(len(sql), 6)

    def test_nothing_is_loaded(self) -> None:
        customer = Customer.objects.defer("notes", "email").get()
        with transaction.atomic():
            sql = self.sql_of(lambda: customer.delay.activate())
        self.assertNotIn("SELECT name", " ".join(sql).upper())
        self.assertEqual({text.split()[0] for text in sql}, {"INSERT"})
        self.assertIn("notes", customer.get_deferred_fields())


class Asynchronously(Case):
    def test_the_ordinary_form_names_its_twin(self) -> None:
        async def enqueue() -> None:
            self.ann.delay.activate()

        with self.assertRaisesRegex(SynchronousOnlyOperation, "adelay"):
            asyncio.run(enqueue())
        self.assertEqual(jobs.count(), 0)

    def test_the_twin_is_in_the_transaction_of_its_thread(self) -> None:
        async def enqueue(fails: bool) -> None:
            await sync_to_async(atomic.__enter__)()
            await self.ann.adelay.activate("7")
            await adelay(shop_jobs).remember(1)
            await sync_to_async(atomic.__exit__)(*((ValueError, ValueError(), None) if fails else (None, None, None)))

        for fails, expected in ((True, 0), (False, 2)):
            atomic = transaction.atomic()
            asyncio.run(enqueue(fails))
            self.assertEqual(jobs.count(), expected)


class Records(Case):
    def handler_of(self, job: Any) -> Any:
        return json.loads(job.handler)["call"]["on"]

    def test_a_record_is_its_class_and_key_and_shows_what_was_loaded(self) -> None:
        customer = Customer.objects.defer("notes").get()
        shown = self.handler_of(customer.delay.activate())
        self.assertEqual(shown["$record"], "shop.models:Customer")
        self.assertEqual(shown["key"], customer.pk)
        self.assertEqual(
            shown["attributes"], {"id": customer.pk, "name": "Ann", "email": "ann@example.com"} | {"code": ""}
        )

    def test_relations_are_shown_by_id(self) -> None:
        order = Order.objects.create(customer=self.ann)
        shown = self.handler_of(delay(order).bill())
        self.assertEqual(shown["attributes"]["customer_id"], self.ann.pk)
        self.assertEqual(shown["key"], {"$uuid": str(order.pk)})
        self.assertEqual(current().worker().work_off(), (1, 0))

    def test_a_record_of_another_database_has_its_alias_in_the_key(self) -> None:
        bob = Customer.objects.using("other").create(name="Bob")
        self.assertEqual(self.handler_of(bob.delay.activate())["key"], {"pk": bob.pk, "db": "other"})

    def test_inherited_and_proxy_models(self) -> None:
        keeper = Shopkeeper.objects.create(name="Cid", shop="Corner")
        regular = Regular.objects.get(pk=self.ann.pk)
        shop_jobs.welcome.delay([keeper, {"regular": regular}])
        self.assertEqual(current().worker().work_off(), (1, 0))
        [[performed, by_name]] = shop_jobs.DONE
        self.assertEqual((type(performed), performed.shop), (Shopkeeper, "Corner"))
        self.assertEqual((type(by_name["regular"]), by_name["regular"]), (Regular, regular))

    def test_an_unsaved_record_is_refused(self) -> None:
        for record in (Order(customer=self.ann), Customer(name="Bob"), self.deleted()):
            with self.assertRaises(UnsavedRecord):
                shop_jobs.welcome.delay(record)
        self.assertEqual(jobs.count(), 0)

    def deleted(self) -> Customer:
        customer = Customer.objects.create(name="Dan")
        customer.delete()
        return customer

    def test_what_was_changed_since_is_seen_changed(self) -> None:
        job = self.ann.delay.say_name()
        Customer.objects.update(name="Anna")
        current().worker().work_off()
        self.assertEqual(jobs.get(job.id).state, "succeeded")
        delay(shop_jobs).remember(self.ann)
        current().worker().work_off()
        self.assertEqual(shop_jobs.DONE[-1].name, "Anna")

    def test_what_was_deleted_since_fails_for_good(self) -> None:
        job = self.ann.delay.say_name()
        Customer.objects.all().delete()
        self.assertEqual(current().worker().work_off(), (0, 1))
        failed = jobs.get(job.id)
        self.assertEqual((failed.state, failed.attempts), ("failed", 0))
        self.assertIn("RecordMissing", failed.last_error or "")

    def test_a_job_is_no_fixture_and_is_there_for_queries(self) -> None:
        job = self.ann.delay.activate()
        dumped = StringIO()
        call_command("dumpdata", stdout=dumped)
        self.assertIn("shop.customer", dumped.getvalue())
        self.assertNotIn("backburner.job", dumped.getvalue())
        found = Job.objects.get(name="Customer.activate", created_at__lte=job.created_at)
        self.assertEqual((found.pk, found.created_at, found.state), (job.id, job.created_at, "queued"))
        self.assertEqual(Job.objects.filter(pk__in=[str(job.id)]).count(), 1)

    def test_a_job_about_a_user_needs_no_setting(self) -> None:
        from django.contrib.auth import get_user_model

        user, _ = get_user_model().objects.get_or_create(username="ann")
        shop_jobs.welcome.delay(user)
        self.assertEqual(current().worker().work_off(), (1, 0))


def current_filter() -> Any:
    from backburner.core.ports import JobFilter

    return JobFilter()


def delay_of(number: int) -> Any:
    return Note(number)


class Note:
    def __init__(self, number: int) -> None:
        self.number = number

    def perform(self) -> None: ...
