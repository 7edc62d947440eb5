"""The tutorial's application: what its pages enqueue, in which transaction, and what its jobs do."""

from __future__ import annotations

import json
import sqlite3
from contextlib import suppress

import pytest
from flask.testing import FlaskClient

from backburner import State, UnsavedRecord
from backburner.testing import Harness
from examples.tutorial import database
from examples.tutorial.jobs import HelloEmailJob
from examples.tutorial.mail_server import CatchAll
from examples.tutorial.mailers import Mailer
from examples.tutorial.models import User

ANN = {"name": "Ann", "email": "ann@example.com"}
EVERY_STATE = tuple(State)


def users() -> list[str]:
    with database.transaction() as connection:
        return [row["email"] for row in connection.execute("SELECT email FROM users ORDER BY id")]


def ann() -> User:
    user = User.find(1)
    assert user is not None
    return user


# Signing up


def test_the_form_is_there(browser: FlaskClient) -> None:
    page = browser.get("/")

    assert page.status_code == 200
    assert '<form class="card narrow" method="post" action="/"' in page.text


def test_signing_up_enqueues_the_welcome_mail(browser: FlaskClient, backburner: Harness) -> None:
    answer = browser.post("/", data=ANN)

    assert answer.status_code == 303
    assert users() == ["ann@example.com"]
    job = backburner.assert_enqueued(Mailer.hello, ann(), queue="default", count=1)
    assert backburner.app.jobs.count(state=EVERY_STATE) == 1
    assert json.loads(job.handler)["call"]["args"] == [
        {
            "$record": "examples.tutorial.models:User",
            "key": 1,
            "attributes": {"name": "Ann", "email": "ann@example.com"},
        }
    ]


def test_the_page_answers_before_any_mail_is_sent(browser: FlaskClient) -> None:
    answer = browser.post("/", data=ANN, follow_redirects=True)

    assert "Welcome, Ann" in answer.text
    assert Mailer.deliveries == []


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({"name": "  ", "email": "ann@example.com"}, "What may we call you?"),
        ({"name": "A" * 81, "email": "ann@example.com"}, "up to 80 letters"),
        ({"name": "Ann", "email": ""}, "Where should the welcome mail go?"),
        ({"name": "Ann", "email": "ann"}, "looks like ann@example.com"),
        ({"name": "Ann", "email": "ann@example.com\nBcc: eve@example.com"}, "looks like ann@example.com"),
        ({}, "What may we call you?"),
    ],
)
def test_what_cannot_be_right_is_explained_and_enqueues_nothing(
    browser: FlaskClient, backburner: Harness, typed: dict[str, str], message: str
) -> None:
    answer = browser.post("/", data=typed)

    assert answer.status_code == 422
    assert message in answer.text
    assert users() == []
    assert backburner.app.jobs.count(state=EVERY_STATE) == 0


def test_what_was_typed_is_shown_again_and_is_not_taken_for_html(browser: FlaskClient) -> None:
    answer = browser.post("/", data={"name": '"><script>', "email": "ann"})

    assert 'value="&#34;&gt;&lt;script&gt;"' in answer.text
    assert "<script>" not in answer.text


def test_an_address_signs_up_once(browser: FlaskClient, backburner: Harness) -> None:
    browser.post("/", data=ANN)
    answer = browser.post("/", data={"name": "Anna", "email": "ANN@example.com"})

    assert answer.status_code == 422
    assert "has signed up already" in answer.text
    assert backburner.app.jobs.count() == 1


# One transaction


def test_others_see_the_user_and_the_job_at_the_same_moment(backburner: Harness) -> None:
    assert backburner.app.jobs.count() == 0
    with database.transaction() as connection:
        User.create(connection, **ANN)
        assert users() == []
        assert backburner.app.jobs.count() == 0

    assert users() == ["ann@example.com"]
    assert backburner.app.jobs.count() == 1


def test_a_rollback_drops_the_user_and_the_job(backburner: Harness) -> None:
    with suppress(ZeroDivisionError), database.transaction() as connection:
        User.create(connection, **ANN)
        raise ZeroDivisionError

    assert users() == []
    assert backburner.app.jobs.count(state=EVERY_STATE) == 0


def test_a_job_that_is_refused_takes_the_user_with_it(backburner: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(User, "__job_key__", lambda user: None)

    with pytest.raises(UnsavedRecord), database.transaction() as connection:
        User.create(connection, **ANN)

    assert users() == []


def test_the_page_rolls_back_what_it_could_not_finish(
    browser: FlaskClient, backburner: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def create_and_fail(connection: sqlite3.Connection, **attributes: str) -> User:
        create(connection, **attributes)
        raise sqlite3.IntegrityError

    create = User.create
    monkeypatch.setattr(User, "create", create_and_fail)
    answer = browser.post("/", data=ANN)

    assert answer.status_code == 422
    assert users() == []
    assert backburner.app.jobs.count(state=EVERY_STATE) == 0


# What the jobs do


def test_the_welcome_mail(browser: FlaskClient, backburner: Harness) -> None:
    browser.post("/", data={"name": "Zoë", "email": "zoe@example.com"})

    assert backburner.drain() == (1, 0)
    (mail,) = Mailer.deliveries
    assert mail.to == ["zoe@example.com"]
    assert mail.subject == "Welcome, Zoë"
    assert mail.sender == "Simmer <hello@simmer.example>"
    assert f"http://page.example/users/1/activate/{ann().activation_code}" in mail.body


def test_the_link_in_the_mail_activates(browser: FlaskClient, backburner: Harness) -> None:
    browser.post("/", data=ANN)
    backburner.drain()
    answer = browser.get(f"/users/1/activate/{ann().activation_code}")

    assert answer.status_code == 200
    backburner.assert_enqueued(ann().activate, ann().activation_code)
    assert not ann().is_active
    assert backburner.drain() == (1, 0)
    assert ann().is_active
    assert "You are in" in browser.get("/welcome").text


def test_another_code_does_not_activate_and_is_not_tried_again(browser: FlaskClient, backburner: Harness) -> None:
    browser.post("/", data=ANN)
    backburner.drain()
    browser.get("/users/1/activate/wrong")

    assert backburner.drain(raises=False) == (0, 1)
    assert not ann().is_active
    failed = backburner.app.jobs.last(state="failed")
    assert failed is not None
    assert "expected the activation code of ann@example.com" in str(failed.last_error)


def test_a_second_click_changes_nothing(browser: FlaskClient, backburner: Harness) -> None:
    browser.post("/", data=ANN)
    ann().activate(ann().activation_code)
    with database.transaction() as connection:
        connection.execute("UPDATE users SET activated_at = 'the first time'")
    ann().activate(ann().activation_code)

    assert ann().activated_at == "the first time"


def test_a_link_for_nobody_is_not_found(browser: FlaskClient, backburner: Harness) -> None:
    assert browser.get("/users/7/activate/code").status_code == 404
    assert backburner.app.jobs.count() == 0


def test_sending_again_goes_before_other_mails(browser: FlaskClient, backburner: Harness) -> None:
    browser.post("/", data={"name": "Bob", "email": "bob@example.com"})
    browser.post("/", data=ANN)
    answer = browser.post("/welcome/again", follow_redirects=True)

    assert "once more" in answer.text
    backburner.assert_enqueued(HelloEmailJob, priority=-10, count=1)
    assert backburner.drain(limit=1) == (1, 0)
    assert [mail.to for mail in Mailer.deliveries] == [["ann@example.com"]]


def test_who_is_active_by_then_gets_no_second_mail(browser: FlaskClient, backburner: Harness) -> None:
    browser.post("/", data=ANN)
    backburner.drain()
    browser.post("/welcome/again")
    ann().activate(ann().activation_code)

    assert backburner.drain() == (0, 0)
    assert len(Mailer.deliveries) == 1
    assert backburner.app.jobs.count(name="HelloEmailJob", state="cancelled") == 1


def test_nobody_in_particular_is_led_to_the_form(browser: FlaskClient, backburner: Harness) -> None:
    for answer in browser.get("/welcome"), browser.post("/welcome/again"):
        assert answer.status_code == 302
        assert answer.headers["Location"] == "/"
    assert backburner.app.jobs.count() == 0


# Behind the scenes


def test_the_jobs_are_shown_with_their_handlers(browser: FlaskClient, backburner: Harness) -> None:
    assert "No jobs yet" in browser.get("/jobs").text
    browser.post("/", data=ANN)
    waiting = browser.get("/jobs").text
    backburner.drain()
    done = browser.get("/jobs").text

    assert "Mailer.hello" in waiting
    assert "ann@example.com" in waiting
    assert 'class="tag queued"' in waiting
    assert 'http-equiv="refresh"' in waiting
    assert 'class="tag succeeded"' in done
    assert 'http-equiv="refresh"' not in done


def test_the_inbox_shows_what_the_mail_server_kept(
    browser: FlaskClient, backburner: Harness, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "No mail yet" in browser.get("/inbox").text
    browser.post("/", data={"name": "Zoë", "email": "zoe@example.com"})
    email = Mailer.hello(ann()).to_email()
    email["X-RcptTo"] = "zoe@example.com"
    CatchAll(seconds=0).handle_message(email)
    page = browser.get("/inbox").text

    assert "Welcome, Zoë" in page
    assert "Simmer &lt;hello@simmer.example&gt; to zoe@example.com" in page
    assert f'href="http://page.example/users/1/activate/{ann().activation_code}"' in page
    assert "for zoe@example.com" in capsys.readouterr().out
