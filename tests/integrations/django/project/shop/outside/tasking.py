"""`django.tasks` on the project's own database, performed by workers."""

from __future__ import annotations

import os
import subprocess
import sys
import unittest
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connections, transaction
from django.utils import timezone
from shop import tasks
from shop.models import Customer

from backburner import current, jobs
from backburner.integrations.django.tasks_names import TaskResultDoesNotExist, TaskResultStatus

MANAGE = Path(__file__).parents[2] / "manage.py"


class Tasks(unittest.TestCase):
    def setUp(self) -> None:
        jobs.clear()
        Customer.objects.all().delete()
        tasks.DONE.clear()

    def work_off(self) -> tuple[int, int]:
        return current().worker().work_off()

    def test_commit_keeps_the_task_and_the_row(self) -> None:
        with transaction.atomic():
            Customer.objects.create(name="Ann")
            result = tasks.add.enqueue(1, 2)
            self.assertEqual(self.jobs_that_others_see(), 0)
        self.assertEqual(self.jobs_that_others_see(), 1)
        self.assertEqual(self.work_off(), (1, 0))
        result.refresh()
        self.assertEqual(result.return_value, 3)

    def test_rollback_drops_the_task_and_the_row(self) -> None:
        with self.assertRaises(ZeroDivisionError), transaction.atomic():
            Customer.objects.create(name="Ann")
            result = tasks.add.enqueue(1, 2)
            _ = 1 / 0
        self.assertEqual((Customer.objects.count(), self.jobs_that_others_see()), (0, 0))
        with self.assertRaises(TaskResultDoesNotExist):
            result.refresh()

    def test_a_savepoint_drops_it_as_well(self) -> None:
        with transaction.atomic():
            tasks.add.enqueue(1)
            with self.assertRaises(ZeroDivisionError), transaction.atomic():
                tasks.add.enqueue(2)
                _ = 1 / 0
        self.assertEqual(self.work_off(), (1, 0))
        self.assertEqual(tasks.DONE, [(1, 0)])

    def test_what_is_read_again_is_equal(self) -> None:
        result = tasks.add.using(run_after=timedelta(hours=1)).enqueue(1)
        self.assertEqual(tasks.add.get_result(result.id), result)

    def test_its_times_are_like_those_of_the_project(self) -> None:
        result = tasks.add.enqueue(1)
        self.work_off()
        result.refresh()
        for moment in (result.enqueued_at, result.started_at, result.last_attempted_at, result.finished_at):
            self.assertEqual(timezone.is_aware(moment), settings.USE_TZ)
            self.assertLess(abs(timezone.now() - moment), timedelta(minutes=1))

    def test_a_running_task_is_seen_running(self) -> None:
        result = tasks.look_at_itself.enqueue()
        self.assertEqual(self.work_off(), (1, 0))
        result.refresh()
        self.assertEqual(result.return_value, {"status": "RUNNING", "same": True, "attempts": 1})

    def test_a_worker_of_another_process_performs_it(self) -> None:
        succeeding, failing = tasks.greet.enqueue("Ann"), tasks.fail.enqueue("no luck")
        worker = subprocess.run(
            [sys.executable, str(MANAGE), "backburner", "work", "--exit-on-complete"],
            env=dict(os.environ),
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(worker.returncode, 0, worker.stderr)
        for result in (succeeding, failing):
            result.refresh()
        self.assertEqual((succeeding.return_value, Customer.objects.get().name), ("Ann", "Ann"))
        self.assertEqual(failing.status, TaskResultStatus.FAILED)
        self.assertIs(failing.errors[0].exception_class, ValueError)
        self.assertEqual(failing.worker_ids, succeeding.worker_ids)

    def jobs_that_others_see(self) -> Any:
        """Return the number of jobs in a connection of its own."""
        other = connections.create_connection("default")
        try:
            with other.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM backburner_jobs")
                return cursor.fetchone()[0]
        finally:
            other.close()
