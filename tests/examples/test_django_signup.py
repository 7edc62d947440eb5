"""The example with Django, as three processes: somebody signs up through the page, and the mail arrives."""

from __future__ import annotations

import re
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPCookieProcessor, ProxyHandler, build_opener

import pytest

from backburner import Backburner, State
from tests.examples.running import PATIENCE, mail_server, started

pytestmark = pytest.mark.timeout(120)

MANAGE = "django_signup/manage.py"


class Browser:
    """Keeps cookies, and fills in the form that it was shown."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._opener = build_opener(ProxyHandler({}), HTTPCookieProcessor(CookieJar()))

    def sign_up(self, **fields: str) -> tuple[int, str]:
        _, page = self._open()
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert token is not None
        return self._open(urlencode({**fields, "csrfmiddlewaretoken": token[1]}).encode())

    def _open(self, data: bytes | None = None) -> tuple[int, str]:
        try:
            with self._opener.open(self._url, data, timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()


def test_who_signs_up_gets_a_mail(tmp_path: Path) -> None:
    with mail_server(tmp_path) as (mail, mail_url):
        environment = {
            "SIGNUP_DATABASE": str(tmp_path / "signup.sqlite3"),
            "SIGNUP_MAIL_PORT": str(urlsplit(mail_url).port),
        }
        with started(MANAGE, "migrate", **environment) as migrating:
            migrating.wait_for("Applying backburner.0001_jobs... OK")
            migrating.wait_for("Applying sessions.0001_initial... OK")  # the last one
        with (
            started(MANAGE, "runserver", "--noreload", "127.0.0.1:0", **environment) as page,
            started(MANAGE, "backburner", "work", **environment) as worker,
        ):
            browser = Browser(page.wait_for(r"server at (\S+)")[1])
            worker.wait_for("worker started")
            status, answer = browser.sign_up(name="Ann", email="ann@example.com")
            assert (status, "A mail is on its way" in answer) == (200, True)
            mail.wait_for("received 'Welcome, Ann' for ann@example.com")
            worker.wait_for("job succeeded name=Mailer.hello")
            status, answer = browser.sign_up(name="Ann", email="ann@example.com")
            assert (status, "has signed up already" in answer) == (422, True)
            assert worker.end() == 0
    with Backburner(f"sqlite:///{tmp_path}/signup.sqlite3") as app:
        [job] = app.jobs.where(state=tuple(State))
        assert (job.name, job.queue, job.priority) == ("Mailer.hello", "mail", -10)
