"""The first spec of the tutorial, "Delaying an email": the e-mail is still sent during the request."""

from __future__ import annotations

from unittest.mock import Mock, patch

from backburner import jobs
from tests.tutorial.mailers import Mailer
from tests.tutorial.records import Record


class User(Record):
    # after_create :send_hello_email
    def after_create(self) -> None:
        self.send_hello_email()

    # def send_hello_email
    #   Mailer.hello(self).deliver
    def send_hello_email(self) -> None:
        Mailer.hello(self).deliver()


def test_sends_a_welcome_email_after_creation() -> None:
    # it 'sends a welcome email after creation' do
    #   mailer_stub = stub(:deliver)
    mailer_stub = Mock(["deliver"])
    #   Mailer.stubs(:hello).returns(mailer_stub)
    with patch.object(Mailer, "hello", return_value=mailer_stub):
        #   user = create(:user)
        user = User.create("Ann", "ann@example.com")

        #   expect(Mailer).to have_received(:hello).with(user)
        Mailer.hello.assert_called_once_with(user)  # type: ignore[attr-defined]  # it is a mock
        #   expect(mailer_stub).to have_received(:deliver)
        mailer_stub.deliver.assert_called_once_with()


def test_the_email_itself() -> None:
    User.create("Ann", "ann@example.com")
    (message,) = Mailer.deliveries
    assert (message.to, message.body) == (["ann@example.com"], "Hello Ann!")
    assert jobs.count() == 0
