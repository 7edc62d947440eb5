"""BackburnerTestCase."""

from __future__ import annotations

import asyncio
import unittest
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from backburner import Backburner, current, delay, testing
from backburner.app import use
from backburner.mail import Mailer
from backburner.testing import BackburnerTestCase, BackburnerTestMixin, Clock
from tests.testing.shop import ShopMailer, User, add, done, fail, note_loop


class Jobs(BackburnerTestCase):
    def test_assertions(self) -> None:
        user = User(7, "Ann")
        ShopMailer.delay(queue="mail").hello(user)
        self.assert_enqueued(ShopMailer.hello, user, queue="mail")
        assert self.enqueued(ShopMailer.hello) == self.enqueued()
        self.refute_enqueued(ShopMailer.bye)
        with pytest.raises(AssertionError, match=r"^expected a job ShopMailer\.bye\(\); found none among 1 job\n"):
            self.assert_enqueued(ShopMailer.bye)
        assert [job.name for job in self.enqueued()] == ["ShopMailer.hello"]

    def test_drain(self) -> None:
        ShopMailer.delay.hello(User(7, "Ann"))
        delay(User(7, "Ann")).activate("code")
        assert self.drain() == (2, 0)
        assert [mail.to for mail in Mailer.deliveries] == [["ann@example.com"]]
        fail.delay("alas")
        assert self.drain(raises=False, limit=1) == (0, 1)

    def test_time(self) -> None:
        add.options(run_at=60).delay(1)
        add.options(run_at=timedelta(days=1), queue="sums").delay(2)
        self.travel(60)
        assert self.drain(queue="default") == (1, 0)
        assert self.drain(until=timedelta(days=2)) == (1, 0)
        assert self.perform(add.delay(3)) is True
        assert self.backburner.events.names.count("perform") == 3

    def test_the_rest_of_the_harness(self) -> None:
        job = add.options(run_at=60).delay(1)
        assert self.backburner.app is current()
        self.backburner.travel(60)
        assert self.backburner.perform(job)
        with testing.inline():
            add.delay(2)
        assert done[-2:] == [1, 2]


class WithSettings(BackburnerTestCase):
    backburner_settings = {"default_queue": "shopping"}  # noqa: RUF012  # declared a ClassVar in the base

    def setUp(self) -> None:
        super().setUp()
        add.delay(1)

    def test_settings(self) -> None:
        self.assert_enqueued(add, 1, queue="shopping")


class Inline(BackburnerTestCase):
    backburner_mode = "inline"

    def test_mode(self) -> None:
        add.delay(1)
        assert done == [1]
        done.clear()


class Fake(BackburnerTestCase):
    backburner_mode = "fake"

    def test_mode(self) -> None:
        add.delay(1)
        self.assert_enqueued(add, 1)
        assert self.backburner.jobs.count() == 0


class Awaiting(BackburnerTestMixin, unittest.IsolatedAsyncioTestCase):
    async def test_awaiting(self) -> None:
        await note_loop.adelay()
        assert await self.adrain() == (1, 0)
        assert await self.aperform(note_loop.delay()) is True
        assert done == [asyncio.get_running_loop()] * 2
        done.clear()


class OnAFile(BackburnerTestCase):
    def backburner_app(self, clock: Clock) -> Backburner:
        directory = self.enterContext(TemporaryDirectory())
        return Backburner(f"sqlite:///{directory}/jobs.db", clock=clock)

    def test_file(self) -> None:
        add.options(run_at=60).delay(1)
        self.backburner.travel(60)
        assert self.drain() == (1, 0)


def run(case: type[unittest.TestCase]) -> unittest.TestResult:
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
    return result


@pytest.mark.parametrize("case", [Jobs, WithSettings, Inline, Fake, Awaiting, OnAFile])
def test_under_unittest(case: type[unittest.TestCase], tmp_path: Path) -> None:
    with Backburner("memory://") as own, use(own):
        result = run(case)
        assert current() is own
    assert (result.errors, result.failures) == ([], [])
    assert result.testsRun > 0


def test_every_test_has_a_clean_app() -> None:
    apps: list[Any] = []

    class Twice(BackburnerTestCase):
        def test_one(self) -> None:
            apps.append(self.backburner.app)
            assert self.enqueued() == []
            add.delay(1)

        test_other = test_one

    assert run(Twice).wasSuccessful()
    assert len(set(map(id, apps))) == 2
