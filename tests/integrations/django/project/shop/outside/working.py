"""Workers and Django's connections."""

from __future__ import annotations

import unittest
from typing import Any

from django.db import connection, connections, transaction
from shop import jobs as shop_jobs
from shop.models import Customer

from backburner import current, delay, jobs


class Connections(unittest.TestCase):
    def setUp(self) -> None:
        jobs.clear()
        Customer.objects.all().delete()
        shop_jobs.DONE.clear()

    def work_off(self, **options: Any) -> tuple[int, int]:
        return current().worker(**options).work_off()

    def test_a_connection_that_is_too_old_is_closed_around_a_job(self) -> None:
        delay(shop_jobs).note_connection()
        Customer.objects.count()  # opens it
        self.assertEqual(self.work_off(), (1, 0))
        self.assertEqual(shop_jobs.DONE, [True])  # closed before; opened by the job
        self.assertIsNone(connection.connection)

    def test_a_connection_in_an_atomic_block_is_left_alone(self) -> None:
        with transaction.atomic():
            ann = Customer.objects.create(name="Ann")
            ann.delay.say_name()
            inside = connection.connection
            self.assertEqual(self.work_off(), (1, 0))
            self.assertIs(connection.connection, inside)
        self.assertEqual(Customer.objects.count(), 1)

    def test_the_log_of_queries_does_not_grow_from_job_to_job(self) -> None:
        shop_jobs.welcome.delay(1)
        connection.force_debug_cursor = True
        try:
            Customer.objects.count()
            self.assertTrue(connection.queries_log)
            self.work_off()
            self.assertFalse(connection.queries_log)
        finally:
            connection.force_debug_cursor = False

    def test_a_broken_connection_is_not_used_for_the_next_job(self) -> None:
        if connection.vendor == "sqlite":
            self.skipTest("expected a server: only that can break a connection")
        connection.settings_dict["CONN_MAX_AGE"] = None
        try:
            delay(shop_jobs).break_connection()
            Customer.objects.create(name="Ann").delay.say_name()
            self.assertEqual(self.work_off(), (1, 1))
        finally:
            connection.settings_dict["CONN_MAX_AGE"] = 0
            connection.close()

    def test_async_jobs_and_threads_find_the_records_as_well(self) -> None:
        for number in range(6):
            customer = Customer.objects.create(name=str(number))
            customer.delay.say_name_later()
            customer.delay.say_name()
        self.assertEqual(self.work_off(concurrency=3), (12, 0))

    def test_a_process_that_is_forked_for_a_job_has_connections_of_its_own(self) -> None:
        ann = Customer.objects.create(name="Ann")
        delay(shop_jobs, isolation="process").note_connection_number(ann)
        connection.settings_dict["CONN_MAX_AGE"] = None
        connection.close()  # the next one is kept
        try:
            ours = shop_jobs.connection_number()
            self.assertEqual(self.work_off(), (1, 0))
            self.assertEqual(shop_jobs.connection_number(), ours)
        finally:
            connection.settings_dict["CONN_MAX_AGE"] = 0
        self.assertNotEqual(Customer.objects.get().name, ours)

    def test_what_a_job_wrote_is_kept_though_it_failed_when_it_had_no_transaction(self) -> None:
        ann = Customer.objects.create(name="Ann")
        delay(shop_jobs, max_attempts=1).rename_and_fail(ann, "Anna")
        self.assertEqual(self.work_off(), (0, 1))
        self.assertEqual(Customer.objects.get().name, "Anna")

    def test_a_job_reports_its_progress_from_within_a_transaction_of_its_own(self) -> None:
        if connection.vendor == "sqlite":
            self.skipTest("expected a server: on SQLite nobody else writes while a transaction is open")
        job = delay(shop_jobs).report_from_within(Customer.objects.create(name="Ann"))
        self.assertEqual(self.work_off(), (1, 0))
        self.assertEqual(shop_jobs.DONE, [0.5])
        self.assertEqual(jobs.get(job.id).state, "succeeded")

    def tearDown(self) -> None:
        connections.close_all()
