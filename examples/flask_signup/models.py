"""The model of the example: a user, whose insertion enqueues a welcome mail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import String, event
from sqlalchemy.orm import Mapped, mapped_column

from backburner import Delayable

from .extensions import db
from .mailers import Mailer

if TYPE_CHECKING:
    from .extensions import Base as Model
else:
    Model = db.Model


class User(Delayable, Model):
    """Somebody who signed up."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    email: Mapped[str] = mapped_column(String(200), unique=True)


@event.listens_for(User, "after_insert")
def send_welcome(_mapper: Any, _connection: Any, user: User) -> None:
    """Enqueue the welcome mail in the transaction of the insertion: commit keeps both, rollback drops both."""
    Mailer.delay.hello(user)
