"""The extensions, which `create_app` gives to the application."""

from __future__ import annotations

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import DeclarativeBase

from backburner.integrations.flask import FlaskBackburner


class Base(DeclarativeBase):
    """The base of all models."""


db = SQLAlchemy(model_class=Base)
backburner = FlaskBackburner()
