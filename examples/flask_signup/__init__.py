"""A sign-up page with Flask and Flask-SQLAlchemy, whose welcome mail is sent in the background."""

from __future__ import annotations

from .app import create_app

__all__ = ["create_app"]
