"""Shows the tutorial at work: `make demo`.

Starts a mail server, the page and a worker, each a process of its own, signs Ann up through the page and tells what
happened when. Then everything stays up, to be looked at, until Ctrl-C; with `DEMO_EXIT=1` the demo ends by itself, with
exit code 0 if all of it was seen.
"""

from __future__ import annotations

import json
import os
import re
import sys
import textwrap
import time
from http.cookiejar import CookieJar
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote, urlencode, urljoin
from urllib.request import HTTPCookieProcessor, ProxyHandler, build_opener

from processes import NotSeen, Process, Processes, end_by_signals

from backburner import Backburner, Job, State

PATIENCE = 30.0
"""Seconds within which everything must have been seen."""

MAIL_SECONDS = 0.3
"""How long the mail server takes over each mail."""

ANN = {"name": "Ann", "email": "ann@example.com"}


class Browser:
    """Looks at pages as a person would: follows redirects, keeps cookies, and notes how long each page took."""

    def __init__(self, deadline: float) -> None:
        # No proxy: it could not reach this machine's own addresses.
        self._opener = build_opener(ProxyHandler({}), HTTPCookieProcessor(CookieJar()))
        self._deadline = deadline
        self.asked_at = self.answered_at = 0.0

    def get(self, url: str) -> str:
        return self._open(url, None)

    def post(self, url: str, **fields: str) -> str:
        return self._open(url, urlencode(fields).encode())

    def _open(self, url: str, data: bytes | None) -> str:
        self.asked_at = time.monotonic()
        try:
            with self._opener.open(url, data, max(self._deadline - self.asked_at, 0.1)) as answer:
                text: str = answer.read().decode()
        except OSError as error:
            raise NotSeen(f"{url}: {error}") from error
        self.answered_at = time.monotonic()
        return text


class Story:
    """What happens in the demo, told while it happens."""

    def __init__(self, home: str, processes: Processes) -> None:
        self._deadline = time.monotonic() + PATIENCE
        self._processes = processes
        self._browser = Browser(self._deadline)
        self._database = f"sqlite:///{quote(home)}/tutorial.db"
        self._environment = {"TUTORIAL_HOME": home}

    def tell(self) -> None:
        """Start everything, and show the three ways to make a job."""
        heading("A sign-up page, its worker and a slow mail server")
        self._start()
        with Backburner(self._database) as app:
            self._sign_up(app)
            self._send_again(app)
            self._activate(app)
        self._show_addresses()

    def _start(self) -> None:
        seconds = str(MAIL_SECONDS)
        self._mail_server = self._python("mail server", "-m", "tutorial.mail_server", "--port=0", "--seconds", seconds)
        self._environment["TUTORIAL_MAIL_URL"] = mail_url = self._address_of(self._mail_server)
        say(f"mail server   {mail_url}, takes {MAIL_SECONDS * 1000:.0f} ms for each mail")
        self._page = self._python("page", "-m", "tutorial", "--port=0")
        self._environment["TUTORIAL_PAGE_URL"] = self._url = self._address_of(self._page)
        say(f"page          {self._url}")
        self._worker = self._python("worker", "-m", "backburner", "--app", "tutorial.environment:backburner", "work")
        self._wait_for(self._worker, "worker started", "the start of the worker")
        say(f"worker        python -m backburner work, process {self._worker.pid}")

    def _sign_up(self, app: Backburner) -> None:
        heading("Ann signs up")
        form = self._browser.get(self._url)
        action = found(r'<form[^>]* method="post" action="([^"]+)"', form, "the sign-up form")
        answer = self._browser.post(urljoin(self._url, action), **ANN)
        found("Welcome, Ann", answer, "the answer of the page")
        self._tell_of_answer()
        job = newest(app, "Mailer.hello")
        at(None, f"Mailer.hello was committed with the user in one transaction, as job {job.id}:")
        say(json.dumps(json.loads(job.handler), indent=2), indent=" " * 13)
        delivered_at = self._tell_of_mail()
        saved = (delivered_at - self._browser.answered_at) * 1000
        at(None, f"Ann did not wait for it: the page had answered {saved:.0f} ms before.")

    def _send_again(self, app: Backburner) -> None:
        heading("Ann asks for the mail once more")
        self._browser.post(urljoin(self._url, "/welcome/again"))
        self._tell_of_answer()
        job = newest(app, "HelloEmailJob")
        at(None, f"HelloEmailJob, a job object with priority {job.priority}, is job {job.id}")
        self._tell_of_mail()

    def _activate(self, app: Backburner) -> None:
        heading("Ann follows the link in the mail")
        inbox = self._browser.get(urljoin(self._url, "/inbox"))
        self._browser.get(found(r'href="([^"]+/activate/[^"]+)"', inbox, "the link in the mail"))
        self._tell_of_answer()
        job = newest(app, "User.activate")
        at(None, f"user.delay.activate(code) is job {job.id}")
        _, moment = self._wait_for(self._worker, f"job succeeded .*{job.id}", "the end of User.activate")
        self._at(moment, "Ann is active")

    def _show_addresses(self) -> None:
        heading("Look at it")
        for name, path in ("sign up", "/"), ("inbox", "/inbox"), ("jobs", "/jobs"):
            say(f"{name:12}  {urljoin(self._url, path)}")

    def _tell_of_answer(self) -> None:
        self._at(self._browser.answered_at, "the page answered")

    def _tell_of_mail(self) -> float:
        mail, moment = self._wait_for(self._mail_server, "received '(.*)' for (.*)", "the mail")
        self._at(moment, f'the mail was delivered to {mail[2]}: "{mail[1]}"')
        return moment

    def _at(self, moment: float, text: str) -> None:
        at((moment - self._browser.asked_at) * 1000, text)

    def _python(self, name: str, *arguments: str) -> Process:
        return self._processes.start(name, arguments, self._environment)

    def _address_of(self, process: Process) -> str:
        line, _ = self._wait_for(process, r"listening on (\S+)", f"the address of the {process.name}")
        return line[1]

    def _wait_for(self, process: Process, pattern: str, what: str) -> tuple[re.Match[str], float]:
        return self._processes.wait_for(process, pattern, what, self._deadline)


def newest(app: Backburner, name: str) -> Job[Any]:
    """Return the newest job of this name; the worker may have finished it by now."""
    job = app.jobs.last(name=name, state=tuple(State))
    if job is None:
        raise NotSeen(f"a job {name}")
    return job


def found(pattern: str, page: str, what: str) -> str:
    """Return the part of a page that is looked for."""
    match = re.search(pattern, page)
    if match is None:
        raise NotSeen(f"{what}: expected {pattern}, got\n{page}")
    return match[match.re.groups]


def say(text: str, indent: str = "  ") -> None:
    print(textwrap.indent(text, indent), flush=True)


def at(milliseconds: float | None, text: str) -> None:
    when = "" if milliseconds is None else f"{milliseconds:.0f} ms"
    say(f"{when:>8}   {text}")


def heading(text: str) -> None:
    bold, plain = ("\033[1m", "\033[0m") if sys.stdout.isatty() and "NO_COLOR" not in os.environ else ("", "")
    print(f"\n{bold}{text}{plain}\n", flush=True)


def show_problem(problem: NotSeen, processes: Processes) -> None:
    say(f"\nNot seen: {problem}", indent="")
    for name, log in processes.logs():
        heading(f"Log of the {name}")
        say(log or "(empty)")


def run(ends_by_itself: bool) -> None:
    with TemporaryDirectory(prefix="backburner-tutorial-") as home, Processes() as processes:
        try:
            Story(home, processes).tell()
            if not ends_by_itself:
                say("\nCtrl-C ends the demo.", indent="")
                processes.stay()
        except NotSeen as problem:
            show_problem(problem, processes)
            raise


def main() -> int:
    end_by_signals()
    ends_by_itself = os.environ.get("DEMO_EXIT") == "1"
    try:
        run(ends_by_itself)
    except NotSeen:
        return 1
    except KeyboardInterrupt:
        return 1 if ends_by_itself else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
