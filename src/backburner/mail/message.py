"""A message: an e-mail as a value, which may be delivered now or later."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn, TypeAlias

import backburner.mail.checks as checks
from backburner.authoring.verbs import adelay, aenqueue, delay, enqueue
from backburner.core.current import current_job
from backburner.core.errors import InvalidState, UnknownMethod
from backburner.core.marks import Runnable
from backburner.mail.errors import InvalidMessage
from backburner.mail.transports import current_transport

if TYPE_CHECKING:
    from email.message import EmailMessage
    from typing import Unpack

    from backburner.core.job import Job
    from backburner.core.options import Options

Addresses: TypeAlias = str | Sequence[str]


@dataclass(frozen=True)
class Attachment(Runnable):
    """A file that goes with a message; without a `content_type` its type is guessed from the filename.

    Raises InvalidMessage for a filename of several lines, content that is not bytes, and what is no content type.
    """

    filename: str
    content: bytes
    content_type: str | None = None

    def __post_init__(self) -> None:
        checks.check_line("attachment", self.filename)
        if not isinstance(self.content, bytes):
            raise InvalidMessage(f"attachment {self.filename!r}: expected bytes, got {self.content!r}")
        if self.content_type is not None:
            checks.check_content_type(f"attachment {self.filename!r}", self.content_type)


class Origin(NamedTuple):
    """The call of a mailer's method that built a message."""

    mailer: Any
    method: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    values: dict[str, Any]
    """What the message said when it was built."""


@dataclass(init=False)
class Message(Runnable):
    """An e-mail.

    An address is `ann@example.com` or `Ann <ann@example.com>`; `to`, `cc`, `bcc` and `reply_to` take one or several.
    Without `sender`, that of the mailer's class is taken. `html` stands beside `body`, or alone when `body` is empty.
    An attachment may be given as a tuple, `(filename, bytes)` or `(filename, bytes, content_type)`.
    Raises InvalidMessage, here and where a field is set, for what could not be sent.
    """

    # The defaults are for messages in handlers of an earlier release, which had fewer fields.
    to: list[str] = field(default_factory=list)
    subject: str = ""
    body: str = ""
    html: str | None = None
    sender: str | None = None
    cc: list[str] = field(default_factory=list)
    bcc: list[str] = field(default_factory=list)
    reply_to: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    attachments: list[Attachment] = field(default_factory=list)

    def __init__(
        self,
        to: Addresses = (),
        subject: str = "",
        body: str = "",
        *,
        html: str | None = None,
        sender: str | None = None,
        cc: Addresses = (),
        bcc: Addresses = (),
        reply_to: Addresses = (),
        headers: Mapping[str, str] | None = None,
        attachments: Iterable[Attachment | tuple[str, bytes] | tuple[str, bytes, str]] = (),
    ) -> None:
        given = locals()
        for name in _CHECKS:
            setattr(self, name, given[name])

    def __setattr__(self, name: str, value: Any) -> None:
        check = _CHECKS.get(name)
        if check is None:
            raise AttributeError(f"a message has no {name!r}: expected one of {', '.join(_CHECKS)}")
        super().__setattr__(name, check(name, value))

    def deliver(self) -> None:
        """Send the message now, to where the current app's `mail` says.

        Raises InvalidMessage when a part is missing; SomeRefused when the server refused some of the recipients;
        and what smtplib raises.
        """
        current_transport().deliver(self)

    def deliver_later(self, **options: Unpack[Options]) -> Job[None]:
        """Send the message in a worker: enqueue the mailer's call that built it, which will build it anew.

        A message that was changed since, or that no mailer built, is enqueued as it is, with all that is in it. Raises
        EnqueueError; then nothing is stored.
        """
        origin = self._unchanged_origin()
        if origin is None:
            return enqueue(self, **options)
        job: Job[None] = getattr(delay(origin.mailer, **options), origin.method)(*origin.args, **origin.kwargs)
        return job

    async def adeliver_later(self, **options: Unpack[Options]) -> Job[None]:
        """Send the message in a worker as `deliver_later` does, without blocking the event loop."""
        origin = self._unchanged_origin()
        if origin is None:
            return await aenqueue(self, **options)
        job: Job[None] = await getattr(adelay(origin.mailer, **options), origin.method)(*origin.args, **origin.kwargs)
        return job

    def perform(self) -> None:
        """Send the message, as the payload of a job."""
        self.identify()
        self.deliver()

    def to_email(self) -> EmailMessage:
        """Return the message as Python's own, with a date and a message id.

        Its Bcc header is there for `smtplib.SMTP.send_message`, which takes it away before sending.
        Raises InvalidMessage when there is no sender or no recipient.
        """
        from backburner.mail.composing import compose

        return compose(self)

    @property
    def delay(self) -> NoReturn:
        """Raise UnknownMethod: the mailer is delayed, not the message that it has built already."""
        origin = self.__dict__.get(_ORIGIN)
        form = "Mailer.delay.hello(user)" if origin is None else f"{origin.mailer.__name__}.delay.{origin.method}(…)"
        raise UnknownMethod(
            f"expected {form}, which builds and sends the message in the worker, or .deliver_later() on the message; "
            "got .delay on a message that is built already"
        )

    def remember(self, mailer: Any, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Note the mailer's call that built this message; called by the mailer."""
        self.__dict__[_ORIGIN] = Origin(mailer, method, args, kwargs, self._values())

    def identify(self) -> None:
        """Derive the message id from the job that is performed here: receivers know what a second attempt repeats."""
        with suppress(InvalidState):  # none is: the payload is performed by hand
            self.__dict__[_IDENTITY] = str(current_job().id)

    @property
    def identity(self) -> str | None:
        """What the message id begins with, if it is derived from a job."""
        return self.__dict__.get(_IDENTITY)

    def check(self) -> None:
        """Check every field again, as lists and headers may have been changed in place. Raises InvalidMessage."""
        for name, check in _CHECKS.items():
            check(name, getattr(self, name))

    def _unchanged_origin(self) -> Origin | None:
        origin: Origin | None = self.__dict__.get(_ORIGIN)
        return origin if origin is not None and origin.values == self._values() else None

    def _values(self) -> dict[str, Any]:
        """Return what the message says, in copies that do not change with it."""
        values = {part.name: getattr(self, part.name) for part in fields(self)}
        return {name: value.copy() if isinstance(value, (list, dict)) else value for name, value in values.items()}


_ORIGIN: Final = "__origin__"
_IDENTITY: Final = "__identity__"
"""Where a message keeps what is no part of its value: in its dictionary, under names that the codec leaves out."""


def _check_headers(name: str, value: Any) -> dict[str, str]:
    return {} if value is None else checks.check_headers(name, value)


def _check_attachments(name: str, value: Any) -> list[Attachment]:
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise InvalidMessage(f"{name}: expected a list of attachments, got {value!r}")
    return [_to_attachment(f"{name}[{index}]", item) for index, item in enumerate(value)]


def _to_attachment(place: str, value: Any) -> Attachment:
    if isinstance(value, Attachment):
        return value
    if not isinstance(value, tuple) or len(value) not in (2, 3):
        raise InvalidMessage(f"{place}: expected an Attachment or (filename, bytes[, content_type]), got {value!r}")
    return Attachment(*value)


_CHECKS: Final[dict[str, Callable[[str, Any], Any]]] = {
    "to": checks.check_addresses,
    "subject": checks.check_line,
    "body": checks.check_text,
    "html": checks.check_optional_text,
    "sender": checks.check_optional_address,
    "cc": checks.check_addresses,
    "bcc": checks.check_addresses,
    "reply_to": checks.check_addresses,
    "headers": _check_headers,
    "attachments": _check_attachments,
}
"""Brings each field into its normal form."""
