"""The spec of "Custom Delayed::Jobs": an object of a job class is enqueued."""

from __future__ import annotations

from dataclasses import dataclass
from unittest.mock import patch

import backburner
from backburner import jobs
from backburner.testing import Harness
from tests.tutorial.mailers import Mailer
from tests.tutorial.records import Record


# class HelloEmailJob < Struct.new(:user)
@dataclass
class HelloEmailJob:
    user: User

    # def perform
    #   Mailer.hello(user)
    def perform(self) -> None:
        Mailer.hello(self.user).deliver()


class User(Record):
    def after_create(self) -> None:
        # Delayed::Job.enqueue(HelloEmailJob.new(user))
        backburner.enqueue(HelloEmailJob(self), connection=self.connection)


def create() -> User:
    return User.create("Ann", "ann@example.com")


def test_should_enqueue_a_new_hello_mail_job() -> None:
    # it 'should enqueue a new HelloMail job' do
    #   Delayed::Job.stubs(:enqueue)
    with patch.object(backburner, "enqueue") as enqueue:
        #   create(:user)
        user = create()
    #   hello_email_job = HelloEmailJob.new(user)
    hello_email_job = HelloEmailJob(user)

    #   expect(Delayed::Job.to have_received(:enqueue).with(hello_email_job
    enqueue.assert_called_once_with(hello_email_job, connection=User.connection)
    assert jobs.count() == 0


def test_job_objects_are_compared_by_value(backburner: Harness) -> None:
    user = create()
    other = User.create("Bob", "bob@example.com")
    found = User.find(user.key or 0)
    assert found is not user
    assert HelloEmailJob(user) == HelloEmailJob(found or other) != HelloEmailJob(other)
    backburner.assert_enqueued(HelloEmailJob(user), count=1)
    assert [job.payload for job in backburner.enqueued()] == [HelloEmailJob(user), HelloEmailJob(other)]


def test_the_worker_performs_it(backburner: Harness) -> None:
    create()
    assert jobs.count() == 1
    assert backburner.drain() == (1, 0)
    (message,) = Mailer.deliveries
    assert (message.to, message.body) == (["ann@example.com"], "Hello Ann!")
