"""Flask: an extension that gives each application its jobs, and each job the application's context."""

from __future__ import annotations

from backburner.integrations.flask.extension import FlaskBackburner

__all__ = ["FlaskBackburner"]
