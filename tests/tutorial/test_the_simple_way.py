"""The specs of "Delayed::Jobs - the simple way": `.delay` between the object and the method."""

from __future__ import annotations

import re
from typing import Any
from unittest.mock import MagicMock, Mock, patch

import pytest

from backburner import jobs
from backburner.testing import Harness
from tests.tutorial.mailers import Mailer
from tests.tutorial.records import Record


class User(Record):
    # after_create :send_hello_email
    def after_create(self) -> None:
        self.send_hello_email()

    # def send_hello_email
    #   Mailer.delay.hello(self)
    def send_hello_email(self) -> None:
        Mailer.delay(connection=self.connection).hello(self)


class UserInTheTutorialsWords(User):
    # Mailer.delay.hello(self)
    def send_hello_email(self) -> None:
        Mailer.delay.hello(self)


def create(cls: type[User] = User) -> User:
    return cls.create("Ann Müller", "ann@example.com")


def test_sends_a_welcome_email_after_creation() -> None:
    # it 'sends a welcome email after creation' do
    #   mailer_stub = stub(:hello)
    mailer_stub = Mock(["hello"])
    #   Mailer.stubs(:delay).returns(mailer_stub)
    with patch.object(Mailer, "delay", return_value=mailer_stub) as delay:
        #   user = create(:user)
        user = create()

    #   expect(Mailer).to have_received(:delay)
    delay.assert_called_once()
    #   expect(mailer_stub).to have_received(:hello).with(user)
    mailer_stub.hello.assert_called_once_with(user)


def test_the_same_where_delay_is_not_called() -> None:
    with patch.object(Mailer, "delay") as delay:  # as in mocker.patch.object(Mailer, "delay")
        user = UserInTheTutorialsWords("Ann", "ann@example.com", key=1)
        user.after_create()
    delay.hello.assert_called_once_with(user)
    assert jobs.count() == 0


def test_the_same_with_any_kind_of_patch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Mailer, "delay", stub := MagicMock())
    user = create()
    stub.return_value.hello.assert_called_once_with(user)
    monkeypatch.undo()
    with patch("tests.tutorial.mailers.Mailer.delay") as delay:
        user = create()
    delay.return_value.hello.assert_called_once_with(user)
    create()
    assert jobs.count() == 1  # the patches left nothing behind


def test_delays_a_job() -> None:
    # it 'delays a job' do
    #   user = create(:user)
    user = create()

    #   expect(Delayed::Job.count).to eq 1
    assert jobs.count() == 1
    last: Any = jobs.last()
    #   expect(Delayed::Job.last.handler).to match user.name
    assert re.search(user.name, last.handler)
    #   expect(Delayed::Job.last.handler).to match user.email
    assert re.search(user.email, last.handler)


def test_delays_a_job_in_the_words_of_the_test_helpers(backburner: Harness) -> None:
    user = create()
    backburner.assert_enqueued(Mailer.hello, user, count=1)


def test_the_worker_sends_it(backburner: Harness) -> None:
    create()
    assert Mailer.deliveries == []
    assert backburner.drain() == (1, 0)
    (message,) = Mailer.deliveries
    assert (message.to, message.body) == (["ann@example.com"], "Hello Ann Müller!")


def test_the_worker_delivers_what_a_stubbed_mailer_returns(backburner: Harness) -> None:
    mailer_stub = Mock(["deliver"])
    with patch.object(Mailer, "hello", return_value=mailer_stub) as hello:
        user = create()
        hello.assert_not_called()
        assert backburner.drain() == (1, 0)
    hello.assert_called_once_with(user)
    mailer_stub.deliver.assert_called_once_with()


class UserThatIsRefused(User):
    def after_create(self) -> None:
        super().after_create()
        raise PermissionError("not this one")


def test_what_is_rolled_back_leaves_neither_a_user_nor_a_job() -> None:
    with pytest.raises(PermissionError):
        create(UserThatIsRefused)
    assert (User.count(), jobs.count()) == (0, 0)
    create()
    assert (User.count(), jobs.count()) == (1, 1)


def test_without_delay_jobs_it_is_sent_right_away(backburner: Harness) -> None:
    backburner.app.delay_jobs = False
    create()
    assert len(Mailer.deliveries) == 1
    assert jobs.count() == 0
