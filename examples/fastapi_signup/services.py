"""What the application does, whatever asks for it."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from .mailers import Mailer
from .models import User


async def sign_up(session: AsyncSession, name: str, email: str) -> User:
    """Add a user and the welcome mail, both in the session's transaction. The user gets its key when that is written.

    Raises IntegrityError when the address has signed up already.
    """
    user = User(name=name, email=email)
    session.add(user)
    Mailer.delay.hello(user)  # adds a row to the session: nothing to await, and commit keeps both
    await session.commit()
    return user
