"""The example with FastAPI, served by uvicorn: somebody signs up, and the mail arrives."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backburner import Backburner, State
from tests.examples.running import get, mail_server, post_json, started

pytestmark = pytest.mark.timeout(120)

ANN = {"name": "Ann", "email": "ann@example.com"}
SERVER = ("-m", "uvicorn", "fastapi_signup.app:api", "--port", "0")
WORKER = ("-m", "backburner", "--app", "fastapi_signup.app:backburner", "work")


def test_who_signs_up_gets_a_mail(tmp_path: Path) -> None:
    with mail_server(tmp_path) as (mail, mail_url):
        environment = {"SIGNUP_DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path}/signup.db", "SIGNUP_MAIL_URL": mail_url}
        with started(*SERVER, **environment) as server, started(*WORKER, **environment) as worker:
            url = server.wait_for(r"running on (\S+)")[1]
            worker.wait_for("worker started")
            assert post_json(f"{url}/users", ANN) == (201, {"id": 1})
            mail.wait_for("received 'Welcome, Ann' for ann@example.com")
            worker.wait_for("job succeeded name=Mailer.hello")
            assert post_json(f"{url}/users", ANN) == (422, {"detail": "This address has signed up already."})
            assert json.loads(get(f"{url}/jobs")) == {"waiting": 0}
            assert worker.end() == 0
            server.end()
    with Backburner(f"sqlite:///{tmp_path}/signup.db") as app:
        assert [job.name for job in app.jobs.where(state=tuple(State))] == ["Mailer.hello"]


def test_for_development_the_worker_is_inside_of_the_server_and_stops_with_it(tmp_path: Path) -> None:
    with mail_server(tmp_path) as (mail, mail_url):
        environment = {
            "SIGNUP_DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path}/signup.db",
            "SIGNUP_MAIL_URL": mail_url,
            "SIGNUP_EMBEDDED_WORKER": "1",
        }
        with started(*SERVER, **environment) as server:
            server.wait_for("a worker runs inside of this process, for development only")
            url = server.wait_for(r"running on (\S+)")[1]
            assert post_json(f"{url}/users", ANN) == (201, {"id": 1})
            mail.wait_for("received 'Welcome, Ann' for ann@example.com")
            server.end()
    with Backburner(f"sqlite:///{tmp_path}/signup.db") as app:
        assert app.workers() == []
        assert app.jobs.count(state="succeeded") == 1
