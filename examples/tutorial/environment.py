"""What the page and the worker load first, as `config/environment.rb` in Rails: the folder, the table, backburner."""

from __future__ import annotations

from urllib.parse import quote

from backburner import configure

from . import database, settings

database.prepare()

backburner = configure(f"sqlite:///{quote(str(database.path()))}", mail=settings.MAIL_URL)
"""Keeps its jobs in the database of the users, so that both are written in one transaction."""
