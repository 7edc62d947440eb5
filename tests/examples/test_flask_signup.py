"""The example with Flask, as three processes: somebody signs up through the page, and the mail arrives."""

from __future__ import annotations

import mailbox
from contextlib import ExitStack
from pathlib import Path

import pytest

from backburner import Backburner, State
from tests.examples.running import get, mail_server, post, started

pytestmark = pytest.mark.timeout(120)

FLASK = ("-m", "flask", "--app", "flask_signup")


def test_who_signs_up_gets_a_mail(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/signup.db"
    with mail_server(tmp_path) as (mail, mail_url):
        environment = {
            "FLASK_SQLALCHEMY_DATABASE_URI": database,
            "FLASK_BACKBURNER__mail": mail_url,
            "FLASK_SERVER_NAME": "simmer.example",
        }
        with ExitStack() as stack:
            page = stack.enter_context(started(*FLASK, "run", "--port", "0", **environment))
            url = page.wait_for(r"Running on (\S+)")[1]  # it has made the tables, which only one can do at a time
            worker = stack.enter_context(started(*FLASK, "backburner", "work", **environment))
            worker.wait_for("worker started")
            assert '<form method="post"' in get(url)
            status, answer = post(url, name="Ann", email="ann@example.com")
            assert (status, "A mail is on its way" in answer) == (200, True)
            mail.wait_for("received 'Welcome, Ann' for ann@example.com")
            worker.wait_for("job succeeded name=Mailer.hello")
            status, answer = post(url, name="Ann", email="ann@example.com")
            assert (status, "has signed up already" in answer) == (422, True)
            assert worker.end() == 0
    with Backburner(database) as app:
        assert [job.name for job in app.jobs.where(state=tuple(State))] == ["Mailer.hello"]
    [received] = mailbox.Maildir(tmp_path / "mail" / "inbox")
    assert "signing up at http://simmer.example/" in received.get_payload()
