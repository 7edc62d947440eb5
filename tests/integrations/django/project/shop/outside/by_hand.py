"""Apps that the project's code makes itself, beside Django's settings."""

from __future__ import annotations

import tempfile
import unittest

from django.db import connections, transaction
from shop import jobs as shop_jobs
from shop.models import Customer

from backburner import Backburner, delay
from backburner.app import use
from backburner.integrations.django.addresses import url_of
from backburner.testing import Clock
from backburner.testing.harnessing import clean_app, harness


class AppsOfTheProjectsOwn(unittest.TestCase):
    def setUp(self) -> None:
        Customer.objects.all().delete()

    def test_an_app_whose_url_leads_to_the_default_database_joins_its_transactions(self) -> None:
        url = url_of(connections["default"])
        with Backburner(url, allow=["shop"]) as app, use(app):
            app.jobs.clear()
            with self.assertRaises(ZeroDivisionError), transaction.atomic():
                shop_jobs.welcome.delay(1)
                Customer.objects.create(name="Ann").delay.activate()
                _ = 1 / 0
            self.assertEqual(app.jobs.count(), 0)
            with transaction.atomic():
                shop_jobs.welcome.delay(1)
                Customer.objects.create(name="Ann").delay.activate()
            self.assertEqual(app.jobs.count(), 2)
            self.assertEqual(app.worker().work_off(), (2, 0))

    def test_an_app_with_a_database_of_its_own_waits_for_the_commit(self) -> None:
        with (
            tempfile.TemporaryDirectory() as folder,
            Backburner(f"sqlite:///{folder}/jobs.db", allow=["shop"]) as app,
            use(app),
        ):
            with transaction.atomic():
                shop_jobs.welcome.delay(1)  # about no record: at once
                ann = Customer.objects.create(name="Ann")
                ann.delay.activate("7")
                self.assertEqual(app.jobs.count(), 1)
            self.assertEqual(app.jobs.count(), 2)
            with self.assertRaises(ZeroDivisionError), transaction.atomic():
                ann.delay.activate("8")
                _ = 1 / 0
            self.assertEqual(app.jobs.count(), 2)

    def test_an_app_in_memory_takes_no_part_in_transactions(self) -> None:
        with Backburner("memory://") as app, use(app):
            Customer.objects.create(name="Ann").delay.activate("7")
            self.assertEqual(app.worker().work_off(), (1, 0))
        self.assertEqual(Customer.objects.get().code, "7")


class FixtureOfPytest(unittest.TestCase):
    """What the fixture `backburner` does by default, within a test's transaction."""

    def setUp(self) -> None:
        Customer.objects.all().delete()

    def test_jobs_are_kept_in_memory_and_may_name_the_projects_code(self) -> None:
        clock = Clock()
        with (
            clean_app(["elsewhere"], clock) as app,
            harness(app, clock=clock) as backburner,
            transaction.atomic(),
        ):
            ann = Customer.objects.create(name="Ann")
            delay(shop_jobs).rename(ann, "Anna")
            backburner.assert_enqueued(shop_jobs.rename, ann, "Anna")
            self.assertEqual(backburner.drain(), (1, 0))
            self.assertEqual(Customer.objects.get().name, "Anna")
            transaction.set_rollback(True)
        self.assertEqual(Customer.objects.count(), 0)
