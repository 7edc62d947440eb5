"""SQLAlchemy 2: jobs in the transaction of a session or connection, and records that jobs are about.

Nothing here has to be called but `app.bind(sessionmaker)`, so that workers know where sessions come from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backburner.integrations.sqlalchemy.library import SQLAlchemy
from backburner.integrations.sqlalchemy.scope import current_session
from backburner.integrations.sqlalchemy.tables import include_object

if TYPE_CHECKING:
    from backburner.app import Backburner

__all__ = ["current_session", "include_object", "library"]


def library(app: Backburner) -> SQLAlchemy:
    """Return what is known of SQLAlchemy, for one app."""
    return SQLAlchemy(app)
