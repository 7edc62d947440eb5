"""The pages: sign up, activate; and the inbox and the jobs, which a real application would show to nobody.

There are no CSRF tokens. Signing up uses nobody's rights, so there is nothing that another site could borrow; "send it
again" does use the session, whose cookie is SameSite=Lax: browsers do not send it with posts from other sites.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from flask import Flask, abort, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from backburner import enqueue

from . import database, inbox, overview, settings
from .forms import SignUpForm
from .jobs import HelloEmailJob
from .models import User

app = Flask(__name__)
app.config.update(SECRET_KEY=settings.SECRET_KEY, SESSION_COOKIE_SAMESITE="Lax")

Page = str | Response | tuple[str, int]


@app.get("/")
def sign_up_form() -> Page:
    return render_template("sign_up.html", form=SignUpForm())


@app.post("/")
def sign_up() -> Page:
    form = SignUpForm.of(request.form)
    if not form.is_valid():
        return render_template("sign_up.html", form=form), 422
    try:
        with database.transaction() as connection:
            user = User.create(connection, name=form.name, email=form.email)
    except sqlite3.IntegrityError:
        form.errors["email"] = "This address has signed up already."
        return render_template("sign_up.html", form=form), 422
    session["user_id"] = user.id
    return redirect(url_for("welcome"), 303)


@app.get("/welcome")
def welcome() -> Page:
    return render_template("welcome.html", user=signed_up_user(), again="again" in request.args)


@app.post("/welcome/again")
def send_again() -> Page:
    enqueue(HelloEmailJob(signed_up_user()))
    return redirect(url_for("welcome", again=1), 303)


@app.get("/users/<int:user_id>/activate/<code>")
def activate(user_id: int, code: str) -> Page:
    user = User.find(user_id) or abort(404)
    user.delay.activate(code)
    return render_template("activating.html")


@app.get("/inbox")
def show_inbox() -> Page:
    return render_template("inbox.html", mails=inbox.mails())


@app.get("/jobs")
def show_jobs() -> Page:
    return render_template("jobs.html", jobs=overview.newest_jobs())


def signed_up_user() -> User:
    return User.find(session.get("user_id", 0)) or abort(redirect(url_for("sign_up_form")))


@app.template_filter()
def pretty(handler: str) -> str:
    """Show the JSON of a handler to people."""
    return json.dumps(json.loads(handler), indent=2, ensure_ascii=False)


@app.template_filter()
def clock(moment: Any) -> str:
    """Show the time of day, here."""
    return f"{moment.astimezone():%H:%M:%S}"
