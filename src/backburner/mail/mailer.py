"""Mailers: classes whose methods build messages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from inspect import isawaitable, iscoroutinefunction
from types import FunctionType
from typing import TYPE_CHECKING, Any, ClassVar

from backburner.authoring.delayable import Delayable
from backburner.core.naming import is_reserved
from backburner.mail.errors import InvalidMessage
from backburner.mail.message import Message
from backburner.mail.transports import DELIVERIES, current_transport

if TYPE_CHECKING:
    from email.message import Message as AnyEmail
    from typing import TypeGuard


class Mailer(Delayable):
    """Base of mailers: its class methods build messages and return them.

    ::

        class Mailer(backburner.mail.Mailer):
            sender = "Shop <shop@example.com>"

            @classmethod
            def hello(cls, user: User) -> Message:
                return Message(to=user.email, subject="Welcome", body=f"Hello {user.name}")

        Mailer.hello(user).deliver()            # builds and sends it now
        Mailer.delay.hello(user)                # builds and sends it in a worker
        Mailer.hello(user).deliver_later()      # the same

    A method may also return an `email.message.EmailMessage`, or anything with `deliver()` or `send()`.
    """

    sender: ClassVar[str | None] = None
    """The sender of messages that name none."""

    deliveries: ClassVar[list[Any]] = DELIVERIES
    """What was delivered to `memory:` in this process, oldest first; `deliveries.clear()` forgets it."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        members: dict[str, Any] = dict(vars(cls))
        for name, member in members.items():
            if isinstance(member, (classmethod, staticmethod)) and _builds_messages(name, member.__func__):
                signer = _Signer(cls, name, is_static=isinstance(member, staticmethod))
                setattr(cls, name, type(member)(signer.signing(member.__func__)))

    @classmethod
    def __job_result__(cls, result: object) -> Awaitable[object] | None:
        """Deliver what a delayed method returned."""
        if isinstance(result, Message):
            _default_sender(result, cls)
            result.identify()
        return deliver(result)


def deliver(mail: object) -> Awaitable[object] | None:
    """Deliver what a mailer's method returned: a message, an `EmailMessage`, or anything with `deliver()` or `send()`.

    Returns an awaitable only when that `deliver()` or `send()` does. Raises InvalidMessage for anything else, and what
    the delivery raises.
    """
    if _is_email(mail):
        current_transport().deliver(mail)
        return None
    for name in ("deliver", "send"):
        if callable(method := getattr(mail, name, None)):
            sent = method()
            return sent if isawaitable(sent) else None
    raise InvalidMessage(
        "expected the mailer's method to return a Message, an EmailMessage or anything with deliver() or send(), "
        f"got {mail!r}"
    )


def _is_email(mail: object) -> TypeGuard[AnyEmail]:
    """Say whether this is an e-mail of Python's own."""
    from email.message import Message as AnyEmail

    return isinstance(mail, AnyEmail)


def _builds_messages(name: str, function: object) -> bool:
    return isinstance(function, FunctionType) and not is_reserved(name)


def _default_sender(message: Message, mailer: type[Mailer]) -> None:
    if message.sender is None:
        message.sender = mailer.sender


class _Signer:
    """Gives the messages of a mailer's method their default sender, and notes where they come from."""

    def __init__(self, mailer: type[Mailer], name: str, *, is_static: bool) -> None:
        self._mailer = mailer
        self._name = name
        self._is_static = is_static

    def signing(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """Return the method, whose messages are signed."""
        if iscoroutinefunction(method):

            @wraps(method)
            async def asigned(*args: Any, **kwargs: Any) -> Any:
                return self._sign(await method(*args, **kwargs), args, kwargs)

            return asigned

        @wraps(method)
        def signed(*args: Any, **kwargs: Any) -> Any:
            return self._sign(method(*args, **kwargs), args, kwargs)

        return signed

    def _sign(self, built: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if isinstance(built, Message):
            mailer, rest = (self._mailer, args) if self._is_static else (args[0], args[1:])
            _default_sender(built, mailer)
            built.remember(mailer, self._name, rest, kwargs)
        return built
