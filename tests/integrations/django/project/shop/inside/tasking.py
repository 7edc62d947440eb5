"""`django.tasks` with backburner's backend, in Django's test cases."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.test import TestCase, override_settings
from django.utils import timezone
from shop import tasks
from shop.models import Customer

from backburner import NotAllowed, jobs
from backburner.integrations.django import TaskBackend
from backburner.integrations.django.tasks_names import (
    HOME,
    TaskException,
    TaskResultDoesNotExist,
    TaskResultStatus,
    backend_of,
    task_enqueued,
    task_finished,
    task_started,
)
from backburner.integrations.django.testing import BackburnerTestMixin
from backburner.testing import inline

STUBBORN = "stubborn"
BACKEND = "backburner.integrations.django.TaskBackend"
ONE_QUEUE = {"default": {"BACKEND": BACKEND}}


class TaskCase(BackburnerTestMixin, TestCase):
    def setUp(self) -> None:
        super().setUp()
        tasks.DONE.clear()
        self.backend = backend_of("default")

    def performed(self, result: Any, drained: tuple[int, int] = (1, 0)) -> Any:
        """Perform what is due, and return a result as it is then."""
        self.assertEqual(self.drain(raises=False), drained)
        return self.backend.get_result(result.id) if result.backend == "default" else self.refreshed(result)

    def refreshed(self, result: Any) -> Any:
        result.refresh()
        return result


class Enqueueing(TaskCase):
    def test_the_backend_is_ours_and_can_do_everything(self) -> None:
        self.assertIsInstance(self.backend, TaskBackend)
        self.assertTrue(self.backend.supports_defer and self.backend.supports_async_task)
        self.assertTrue(self.backend.supports_get_result and self.backend.supports_priority)

    def test_an_enqueued_task_is_ready(self) -> None:
        result = tasks.add.enqueue(1, second=2)

        self.assertEqual((result.status, result.is_finished, result.attempts), (TaskResultStatus.READY, False, 0))
        self.assertEqual((result.args, result.kwargs, result.backend), ([1], {"second": 2}, "default"))
        self.assertEqual(result.task, tasks.add)
        self.assertLess(len(result.id), 64)
        with self.assertRaisesMessage(ValueError, "Task has not finished yet"):
            _ = result.return_value

    def test_its_result_is_read_again_as_it_is(self) -> None:
        for task in (tasks.add, tasks.add.using(priority=7, queue_name="mail"), tasks.add.using(backend=STUBBORN)):
            with self.subTest(task):
                result = task.enqueue(1)
                again = task.get_result(result.id)
                self.assertEqual(again, result)
                self.assertEqual(again.task, task)

    def test_the_job_is_like_any_other(self) -> None:
        result = tasks.add.using(queue_name="mail", priority=7).enqueue(1)

        job = jobs.get(result.id)
        self.assertEqual((job.name, job.queue, job.priority, job.max_attempts), ("add", "mail", -7, 1))

    def test_higher_priorities_of_djangos_go_first(self) -> None:
        for priority in (-100, 100, 0):
            tasks.add.using(priority=priority).enqueue(priority)
        self.drain()
        self.assertEqual([first for first, _ in tasks.DONE], [100, 0, -100])

    def test_a_rollback_drops_it(self) -> None:
        with self.assertRaises(ZeroDivisionError), transaction.atomic():
            result = tasks.add.enqueue(1)
            _ = 1 / 0
        self.assertEqual(self.drain(), (0, 0))
        with self.assertRaisesMessage(TaskResultDoesNotExist, result.id):
            self.backend.get_result(result.id)

    def test_it_may_be_deferred(self) -> None:
        for run_after in (timezone.now() + timedelta(hours=1), timedelta(hours=3)):
            with self.subTest(run_after):
                result = tasks.add.using(run_after=run_after).enqueue(1)
                self.assertEqual(self.drain(), (0, 0))
                self.backburner.travel(timedelta(hours=2))
                self.assertEqual(self.performed(result).return_value, 1)
                self.assertEqual(self.refreshed(result).task.run_after, result.task.run_after)

    def test_what_is_not_json_is_refused_at_once(self) -> None:
        for value in (object(), {1}, timezone.now()):
            with self.subTest(value), self.assertRaisesMessage(TypeError, "Unsupported type"):
                tasks.add.enqueue(value)
        self.assertEqual(jobs.count(), 0)

    def test_json_is_made_of_what_is_like_it(self) -> None:
        self.assertEqual(tasks.add.enqueue((1, 2), second=b"bytes").args, [[1, 2]])

    def test_a_task_is_validated_when_it_is_enqueued(self) -> None:
        elsewhere = tasks.add.using(queue_name="elsewhere")
        message = "Queue 'elsewhere' is not valid for backend"
        with override_settings(TASKS=ONE_QUEUE), self.assertRaisesMessage(TaskException, message):
            elsewhere.enqueue(1)
        self.assertEqual(jobs.count(), 0)

    def test_options_are_validated_as_django_has_it(self) -> None:
        for options, message in (
            ({"priority": 101}, "priority must be a whole number between -100 and 100."),
            ({"priority": 1.5}, "priority must be a whole number between -100 and 100."),
            ({"run_after": datetime(2030, 1, 1)}, "run_after must be an aware datetime."),
            ({"queue_name": "elsewhere", "backend": STUBBORN}, "Queue 'elsewhere' is not valid for backend."),
        ):
            with self.subTest(options), self.assertRaisesMessage(TaskException, message):
                tasks.add.using(**options)

    def test_a_task_is_not_callable(self) -> None:
        with self.assertRaises(TypeError):
            tasks.add(1)

    async def test_async_forms(self) -> None:
        result = await tasks.add.aenqueue(1, 2)
        again = await self.backend.aget_result(result.id)
        self.assertEqual((again, again.status), (result, TaskResultStatus.READY))
        with self.assertRaises(TaskResultDoesNotExist):
            await self.backend.aget_result("7")


class Performing(TaskCase):
    def test_its_value_is_kept(self) -> None:
        result = self.performed(tasks.add.enqueue("a", "b"))

        self.assertEqual((result.status, result.return_value), (TaskResultStatus.SUCCESSFUL, "ab"))
        self.assertTrue(result.is_finished)
        self.assertEqual((result.attempts, len(result.worker_ids), result.errors), (1, 1, []))
        self.assertLessEqual(result.enqueued_at, result.started_at)
        self.assertEqual(result.started_at, result.last_attempted_at)
        self.assertLessEqual(result.started_at, result.finished_at)

    def test_an_async_task(self) -> None:
        self.assertEqual(self.performed(tasks.add_async.enqueue(1, 2)).return_value, 3)

    def test_what_it_writes_is_written(self) -> None:
        self.assertEqual(self.performed(tasks.greet.enqueue("Ann")).return_value, "Ann")
        self.assertEqual(Customer.objects.get().name, "Ann")

    def test_it_is_a_job_to_itself(self) -> None:
        self.assertEqual(self.performed(tasks.name_of_job.enqueue()).return_value, "name_of_job")

    def test_its_exception_is_kept(self) -> None:
        result = self.performed(tasks.fail.enqueue("no luck"), (0, 1))

        self.assertEqual((result.status, result.is_finished), (TaskResultStatus.FAILED, True))
        with self.assertRaisesMessage(ValueError, "Task failed"):
            _ = result.return_value
        [error] = result.errors
        self.assertIs(error.exception_class, ValueError)
        self.assertTrue(error.traceback.endswith("ValueError: no luck\n"), error.traceback)
        self.assertEqual(result.attempts, 1)
        self.assertLessEqual(result.started_at, result.finished_at)

    def test_an_exit_is_a_failure(self) -> None:
        [error] = self.performed(tasks.leave.enqueue(), (0, 1)).errors
        self.assertIs(error.exception_class, SystemExit)

    def test_a_value_that_is_not_json_is_a_failure(self) -> None:
        [error] = self.performed(tasks.return_what_is_not_json.enqueue(), (0, 1)).errors
        self.assertIs(error.exception_class, TypeError)
        self.assertIn("Unsupported type", error.traceback)

    def test_a_cancelled_task_has_failed(self) -> None:
        result = tasks.add.enqueue(1)
        jobs.cancel(result.id)
        self.assertEqual(self.refreshed(result).status, TaskResultStatus.FAILED)
        self.assertIsNotNone(result.finished_at)

    def test_the_context(self) -> None:
        result = self.performed(tasks.look_at_context.enqueue())
        self.assertEqual(result.return_value, {"attempt": 1, "id": result.id, "status": "RUNNING", "workers": 1})

    def test_performed_at_once(self) -> None:
        with inline():
            result = tasks.add.enqueue(1, 2)
        self.assertEqual((result.status, result.return_value, result.attempts), (TaskResultStatus.SUCCESSFUL, 3, 1))
        self.assertEqual(jobs.count(), 0)


class Retrying(TaskCase):
    def test_by_default_there_is_one_attempt(self) -> None:
        self.performed(tasks.fail.enqueue("no luck"), (0, 1))
        self.assertEqual(jobs.count(state="failed"), 1)

    def test_a_backend_may_have_more(self) -> None:
        result = tasks.look_at_context.using(backend=STUBBORN).enqueue(fails=1)

        waiting = self.performed(result, (0, 1))
        self.assertEqual((waiting.status, waiting.attempts), (TaskResultStatus.READY, 1))
        [error] = waiting.errors
        self.assertIs(error.exception_class, RuntimeError)
        self.backburner.travel(timedelta(minutes=1))
        done = self.performed(result)
        self.assertEqual((done.status, done.attempts), (TaskResultStatus.SUCCESSFUL, 2))
        self.assertEqual(done.return_value["attempt"], 2)
        self.assertEqual([error.traceback.splitlines()[-1] for error in done.errors], ["RuntimeError: attempt 1"])
        self.assertLess(done.started_at, done.last_attempted_at)
        self.assertEqual(jobs.get(result.id).tags, ("stubborn",))

    def test_all_attempts_are_kept(self) -> None:
        result = tasks.look_at_context.using(backend=STUBBORN).enqueue(fails=9)
        for _ in range(3):
            self.assertEqual(self.drain(raises=False), (0, 1))
            self.backburner.travel(timedelta(minutes=10))
        self.refreshed(result)
        self.assertEqual((result.status, result.attempts), (TaskResultStatus.FAILED, 3))
        self.assertEqual(
            [error.traceback.splitlines()[-1] for error in result.errors],
            [f"RuntimeError: attempt {number}" for number in (1, 2, 3)],
        )

    def test_a_task_may_give_up(self) -> None:
        result = self.performed(tasks.give_up.using(backend=STUBBORN).enqueue(), (0, 1))
        self.assertEqual((result.status, result.attempts), (TaskResultStatus.FAILED, 1))

    def test_to_wait_is_no_attempt(self) -> None:
        result = tasks.wait_once.enqueue()
        self.assertEqual(self.performed(result).return_value, "done")
        self.assertEqual(self.refreshed(result).attempts, 1)


class Signals(TaskCase):
    def setUp(self) -> None:
        super().setUp()
        self.heard: list[tuple[str, Any, str]] = []
        for name, signal in (("enqueued", task_enqueued), ("started", task_started), ("finished", task_finished)):
            self.listen(signal, name)

    def listen(self, signal: Any, name: str) -> None:
        def hear(sender: Any, task_result: Any, **_: Any) -> None:
            self.heard.append((name, sender, str(task_result.status)))

        signal.connect(hear)
        self.addCleanup(signal.disconnect, hear)

    def test_of_a_success(self) -> None:
        tasks.add.enqueue(1)
        self.assertEqual(self.heard, [("enqueued", TaskBackend, "READY")])
        self.drain()
        self.assertEqual(self.heard[1:], [("started", TaskBackend, "RUNNING"), ("finished", TaskBackend, "SUCCESSFUL")])

    def test_of_a_failure(self) -> None:
        tasks.fail.enqueue("no luck")
        with self.assertLogs(HOME, logging.ERROR) as logged:
            self.drain(raises=False)
        self.assertEqual([status for _, _, status in self.heard], ["READY", "RUNNING", "FAILED"])
        self.assertIn("ValueError: no luck", logged.output[0])

    def test_a_failure_that_is_retried_is_not_the_end(self) -> None:
        tasks.fail.using(backend=STUBBORN).enqueue("no luck")
        for _ in range(3):
            self.drain(raises=False)
            self.backburner.travel(timedelta(minutes=10))
        self.assertEqual([name for name, _, _ in self.heard], ["enqueued", "started", "started", "started", "finished"])

    def test_a_receiver_that_raises_does_no_harm_to_the_task(self) -> None:
        def break_down(**_: Any) -> None:
            raise RuntimeError

        for signal in (task_started, task_finished):
            signal.connect(break_down)
            self.addCleanup(signal.disconnect, break_down)
        with self.assertLogs("django.dispatch", logging.ERROR):
            self.assertEqual(self.performed(tasks.add.enqueue(1)).return_value, 1)

    async def test_async_receivers_are_awaited(self) -> None:
        awaited: list[Any] = []

        async def hear(task_result: Any, **_: Any) -> None:
            awaited.append(task_result.id)

        task_enqueued.connect(hear)
        self.addCleanup(task_enqueued.disconnect, hear)
        result = await tasks.add.aenqueue(1)
        self.assertEqual(awaited, [result.id])


class Results(TaskCase):
    def test_ids_that_are_none(self) -> None:
        for result_id in ("123", "", "0197b2f3-6c1e-7c52-9d0e-5f4f0a7b8c11", 123, None):
            with self.subTest(result_id), self.assertRaises(TaskResultDoesNotExist):
                self.backend.get_result(result_id)

    def test_other_jobs_and_other_backends_have_none_here(self) -> None:
        from shop.jobs import welcome

        for other in (welcome.delay(1).id, tasks.add.using(backend=STUBBORN).enqueue(1).id):
            with self.subTest(other), self.assertRaises(TaskResultDoesNotExist):
                self.backend.get_result(str(other))

    def test_of_another_task(self) -> None:
        result = tasks.add.enqueue(1)
        with self.assertRaisesMessage(TaskException, "Task does not match (received 'shop.tasks.add')"):
            tasks.fail.get_result(result.id)

    def test_of_a_task_whose_queue_is_not_valid_any_more(self) -> None:
        result = tasks.add.using(queue_name="elsewhere").enqueue(1)
        with override_settings(TASKS=ONE_QUEUE):
            self.assertEqual(backend_of("default").get_result(result.id).status, TaskResultStatus.READY)
            self.assertEqual(self.drain(), (1, 0))


class Guarding(TaskCase):
    def rewritten(self, path: str) -> Any:
        """Enqueue a task, and let its row name something else."""
        from django.db import connection

        result = tasks.add.enqueue(1)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE backburner_jobs SET handler = replace(handler, 'shop.tasks.add', %s)", [path])
        return result

    def test_what_is_no_task_is_never_called(self) -> None:
        for path in ("shop.tasks.no_task", "os.getcwd", "antigravity.webbrowser"):
            with self.subTest(path):
                result = self.rewritten(path)
                with self.assertRaises(NotAllowed):
                    self.drain()
                self.assertEqual(jobs.get(result.id).state, "failed")
        self.assertEqual(tasks.DONE, [])

    def test_a_task_that_is_not_here_yet_is_put_back(self) -> None:
        result = self.rewritten("shop.tasks.to_come")
        self.assertEqual(self.drain(raises=False), (0, 0))
        job = jobs.get(result.id)
        self.assertEqual((job.state, job.attempts), ("queued", 0))
        self.assertIn("shop.tasks.to_come", str(job.last_error))


class Settings(TaskCase):
    def test_wrong_options_are_named(self) -> None:
        for options, message in (
            ({"MAX_ATEMPTS": 3}, "expected only MAX_ATTEMPTS"),
            ({"MAX_ATTEMPTS": "many"}, "TASKS['default']['OPTIONS']: max_attempts"),
        ):
            with (
                self.subTest(options),
                override_settings(TASKS={"default": {"BACKEND": BACKEND, "OPTIONS": options}}),
                self.assertRaisesMessage(ImproperlyConfigured, message),
            ):
                backend_of("default")

    def test_the_system_checks_have_nothing_to_say(self) -> None:
        self.assertEqual(list(import_module(f"{HOME}.checks").check_tasks()), [])

    def test_results_that_are_not_kept_are_noticed(self) -> None:
        with override_settings(BACKBURNER={"KEEP_FINISHED": 0}):
            [warning] = self.backend.check()
        self.assertEqual(warning.id, "backburner.W010")
