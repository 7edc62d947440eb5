"""The admin's pages of jobs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Permission, User
from django.test import TestCase
from shop import jobs as shop_jobs
from shop.models import Customer

from backburner import current, jobs
from backburner.core.ports import ClaimRequest, WorkerInfo, lease_of
from backburner.integrations.django.testing import BackburnerTestMixin

LIST = "/admin/backburner/job/"
FINISHED = "/admin/backburner/finishedjob/"


class Case(BackburnerTestMixin, TestCase):
    rights = ("view_job", "change_job", "delete_job", "view_finishedjob", "change_finishedjob", "delete_finishedjob")

    def setUp(self) -> None:
        super().setUp()
        user = User.objects.create_user("ann", password="secret", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=self.rights))
        self.client.force_login(user)
        self.customer = Customer.objects.create(name="Ann", email="ann@example.com")

    def page(self, address: str = LIST, **query: Any) -> str:
        response = self.client.get(address, query)
        self.assertEqual(response.status_code, 200, response)
        return response.content.decode()

    def act(self, action: str, *chosen: Any, address: str = LIST, **more: Any) -> str:
        ids = [str(job.id) for job in chosen]
        response = self.client.post(address, {"action": action, "_selected_action": ids, **more}, follow=True)
        self.assertEqual(response.status_code, 200)
        return response.content.decode()

    def failed(self) -> Any:
        job = shop_jobs.fail.options(max_attempts=1).delay()
        self.drain(raises=False)
        return jobs.get(job.id)

    def running(self) -> Any:
        store = current().store
        job = shop_jobs.welcome.delay("running")
        number = store.run(store.register(WorkerInfo("somebody", "here", 1, None, 1)))
        [claimed] = store.run(store.claim(ClaimRequest(lease_of(number, 1), "somebody", 1))).jobs
        self.assertEqual(claimed.id, job.id)
        return claimed


class Looking(Case):
    def test_the_list_shows_jobs_and_their_first_line_of_error(self) -> None:
        self.customer.delay(queue="mail", run_at=timedelta(hours=1)).activate("7")
        self.failed()
        page = self.page()
        self.assertIn("Customer.activate", page)
        self.assertIn("RuntimeError: it went wrong", page)
        self.assertNotIn("Traceback", page)

    def test_it_is_filtered_by_state_and_queue(self) -> None:
        self.customer.delay(queue="mail", run_at=timedelta(hours=1)).activate("7")
        self.failed()
        running = self.running()
        for query, shown in (
            ({"state": "queued"}, "Customer.activate"),
            ({"state": "failed"}, "fail"),
            ({"state": "running"}, running.name),
            ({"queue": "mail"}, "Customer.activate"),
        ):
            page = self.page(**query)
            rows = [name for name in ("Customer.activate", "fail", running.name) if f">{name}</a></th>" in page]
            self.assertEqual(rows, [shown], query)

    def test_it_is_searched_by_id_name_and_handler(self) -> None:
        self.customer.delay.activate("7")
        other = shop_jobs.welcome.delay("needle")
        for term, shown in ((str(other.id), "welcome"), ("activ", "Customer.activate"), ("needle", "welcome")):
            page = self.page(q=term)
            rows = [name for name in ("Customer.activate", "welcome") if f">{name}</a></th>" in page]
            self.assertEqual(rows, [shown], term)

    def test_a_page_shows_handler_and_error_and_nothing_to_edit(self) -> None:
        job = self.failed()
        page = self.page(f"{LIST}{job.id}/change/")
        for part in ("&quot;function&quot;: &quot;shop.jobs:fail&quot;", "Traceback", "it went wrong", "failed"):
            self.assertIn(part, page)
        self.assertNotIn('name="_save"', page)
        self.assertEqual(self.client.post(f"{LIST}{job.id}/change/", {"name": "x"}).status_code, 403)

    def test_finished_jobs_have_a_page_of_their_own(self) -> None:
        job = self.customer.delay.activate("7")
        self.drain()
        self.assertIn("succeeded", self.page(FINISHED))
        self.assertIn("Ann", self.page(f"{FINISHED}{job.id}/change/"))
        self.assertNotIn("Customer.activate", self.page())

    def test_nobody_adds_jobs(self) -> None:
        self.assertEqual(self.client.get(f"{LIST}add/").status_code, 403)

    def test_an_id_that_is_none_leads_back(self) -> None:
        self.assertEqual(self.client.get(f"{LIST}nonsense/change/").status_code, 302)


class Changing(Case):
    def test_retrying(self) -> None:
        job = self.failed()
        self.assertIn("to be retried: 1", self.act("retry", job))
        self.assertEqual((jobs.get(job.id).state, jobs.get(job.id).attempts), ("queued", 0))

    def test_cancelling(self) -> None:
        waiting, failed = self.customer.delay(run_at=timedelta(hours=1)).activate("7"), self.failed()
        page = self.act("cancel", waiting, failed)
        self.assertIn("asked to stop: 1", page)
        self.assertIn(str(failed.id), page)  # with why it was refused
        self.assertEqual(jobs.get(waiting.id).state, "cancelled")
        self.assertEqual(jobs.get(failed.id).state, "failed")

    def test_a_cancelled_job_is_retried_from_its_page(self) -> None:
        job = self.customer.delay.activate("7")
        jobs.cancel(job)
        self.assertIn("to be retried: 1", self.act("retry", job, address=FINISHED))
        self.assertEqual(jobs.get(job.id).state, "queued")

    def test_deleting_asks_and_leaves_running_ones(self) -> None:
        running, waiting = self.running(), self.customer.delay.activate("7")
        asked = self.act("delete_selected", running, waiting)
        self.assertIn("A running job cannot be deleted", asked)
        self.assertIn("Are you sure", asked)
        self.assertEqual(jobs.count(), 2)
        self.act("delete_selected", running, waiting, post="yes")
        self.assertEqual([job.id for job in jobs.where()], [running.id])

    def test_deleting_from_the_page_of_a_job(self) -> None:
        job = self.customer.delay.activate("7")
        self.assertEqual(self.client.post(f"{LIST}{job.id}/delete/", {"post": "yes"}).status_code, 302)
        self.assertEqual(jobs.count(), 0)
        running = self.running()
        self.assertEqual(self.client.post(f"{LIST}{running.id}/delete/", {"post": "yes"}).status_code, 403)
        self.assertEqual(jobs.count(), 1)


class WhoMayOnlyLook(Case):
    rights = ("view_job",)

    def test_sees_no_action_and_can_do_none(self) -> None:
        job = self.failed()
        page = self.page()
        self.assertIn("fail", page)
        self.assertNotIn('value="retry"', page)
        for action in ("retry", "cancel", "delete_selected"):
            self.act(action, job, post="yes")
        self.assertEqual(jobs.get(job.id).state, "failed")
        self.assertEqual(self.client.post(f"{LIST}{job.id}/delete/", {"post": "yes"}).status_code, 403)
        self.assertEqual(self.client.get(FINISHED).status_code, 403)


class WhoMayNothing(Case):
    rights = ()

    def test_sees_nothing(self) -> None:
        job = self.failed()
        self.assertEqual(self.client.get(LIST).status_code, 403)
        self.assertEqual(self.client.get(f"{LIST}{job.id}/change/").status_code, 403)
        self.assertNotIn("Background jobs", self.page("/admin/"))


class WithAUrl(Case):
    def test_there_are_no_pages(self) -> None:
        with self.settings(BACKBURNER={"URL": "memory://"}):
            self.assertEqual(self.client.get(LIST).status_code, 403)
