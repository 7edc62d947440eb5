"""The page."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.exc import IntegrityError
from werkzeug.wrappers import Response

from .extensions import db
from .models import User

pages = Blueprint("pages", __name__)


@pages.get("/")
def sign_up() -> str:
    return render_template("sign_up.html")


@pages.post("/")
def create_user() -> tuple[str, int] | Response:
    db.session.add(User(name=request.form["name"], email=request.form["email"]))
    try:
        db.session.commit()
    except IntegrityError:
        db.session.rollback()
        return render_template("sign_up.html", error="This address has signed up already."), 422
    return redirect(url_for("pages.welcome"), 303)


@pages.get("/welcome")
def welcome() -> str:
    return render_template("sign_up.html", message="Welcome! A mail is on its way.")
