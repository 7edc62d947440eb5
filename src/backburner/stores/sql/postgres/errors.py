"""What psycopg raises, said to people: what is wrong, and what to do about it."""

from __future__ import annotations

import re
from typing import NamedTuple

import psycopg

from backburner.core.errors import BackburnerError, ConfigurationError, SchemaMissing, StoreUnavailable
from backburner.stores.sql.postgres.url import Place
from backburner.stores.sql.troubles import Conflict, ConnectionLost, Locked, NoRoom, Unanswered


class NoAnswer(psycopg.OperationalError):
    """The server said nothing for as long as it was given."""


class Refusal(NamedTuple):
    """What a connection was refused for, as libpq and the server say it in English."""

    text: re.Pattern[str]
    kind: type[BackburnerError]
    advice: str


def _refusal(text: str, kind: type[BackburnerError], advice: str) -> Refusal:
    return Refusal(re.compile(text, re.IGNORECASE), kind, advice)


# There is no code when the connection itself fails, only a text. The first that fits counts.
REFUSALS = [
    _refusal(
        "password authentication failed|no password supplied|authentication failed|SASL",
        ConfigurationError,
        "give the right user and password, in the URL, PGPASSWORD or ~/.pgpass",
    ),
    _refusal(
        r"role \"?.*\"? does not exist|no such user", ConfigurationError, "create this role, or name another in the URL"
    ),
    _refusal(
        r"database \"?.*\"? does not exist|no such database",
        ConfigurationError,
        "create this database, or change the URL",
    ),
    _refusal(
        r"permission denied for database|not permitted to log in",
        ConfigurationError,
        "grant the role LOGIN, and CONNECT on the database",
    ),
    _refusal(
        r"pg_hba\.conf",
        ConfigurationError,
        "let this host and user in with a line in the server's pg_hba.conf, or try sslmode=require",
    ),
    _refusal(
        "unsupported startup parameter",
        ConfigurationError,
        "the pooler in between takes no such parameter: leave it out of the URL, or let the pooler ignore it "
        "(ignore_startup_parameters)",
    ),
    _refusal(
        r"invalid .*(value|option|port)|bad value|definition of service|service file|invalid integer",
        ConfigurationError,
        "correct the options of the URL or libpq's environment variables",
    ),
    _refusal(
        "certificate|private key",
        ConfigurationError,
        "check sslmode, sslrootcert, sslcert and sslkey in the URL against what the server has",
    ),
    _refusal(
        "SYSCALL|closed (the connection )?unexpectedly|reset by peer",
        StoreUnavailable,
        "the server or something in between hung up: look into its log, and try again",
    ),
    _refusal(
        "refused|no such file|not running|unreachable|no route",
        StoreUnavailable,
        "start the server, or check host and port in the URL",
    ),
    _refusal("SSL|TLS|GSS", ConfigurationError, "check sslmode in the URL against what the server offers"),
    _refusal(
        "too many (clients|connections)|connection slots|no more connections allowed",
        NoRoom,
        "raise max_connections, lower pool_size in the URL, or put a pooler in between",
    ),
    _refusal(
        "starting up|shutting down|recovery|accepting connections|read-only|hot standby",
        StoreUnavailable,
        "it is starting, stopping or not the primary server: try again in a moment",
    ),
    _refusal(
        "translate host name|name or service not known|nodename|temporary failure in name|no such host",
        StoreUnavailable,
        "check the host in the URL and the name server",
    ),
    _refusal("timeout|timed out", StoreUnavailable, "check host and port in the URL, the network and the firewall"),
]

LOST = re.compile(r"57P0[1-5]|08...|25006")
"""The server goes down or away, the protocol broke, or this is not the primary server any more."""

STALE = frozenset({"0A000", "26000", "42P05"})
"""What was prepared does not fit any more: the tables have changed, or it was prepared on another connection."""

_NOISE = re.compile(
    r"^(connection is bad|connection failed|consuming input failed): |\s*Is the server running[^?]*\?"
    r"|\s*This probably means[^.]*\.",
    re.MULTILINE,
)
"""What psycopg and libpq say around their messages."""

_MISSING = re.compile(r"42P01|42703|3F000|42704")
_DENIED = re.compile(r"permission denied for (?P<kind>table|sequence|schema|relation|view) \"?(?P<name>[^\"\s]+)")
_OWNED = re.compile(r"must be owner of")


class Explainer:
    """Translates the errors of the connections to one place."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def refused(self, error: psycopg.Error) -> BackburnerError:
        """Return the error that says why no connection could be made."""
        text = self.text_of(error)
        for refusal in REFUSALS:
            if refusal.text.search(text):
                return refusal.kind(f"cannot connect to {self._place.shown} ({text}): {refusal.advice}")
        return StoreUnavailable(f"cannot connect to {self._place.shown}: {text}")

    def explained(self, error: psycopg.Error, *, is_closed: bool) -> BackburnerError:
        """Return the error that says what an error of a statement means."""
        code, text, where = error.sqlstate or "", self.text_of(error), self._place.shown
        if isinstance(error, NoAnswer):
            return Unanswered(f"{where} did not answer in time ({text}): look after the server and the network")
        if code == "25006":
            return ConnectionLost(
                f"{where} takes no changes just now ({text}): it is a standby, or being switched over; "
                "let the URL lead to the primary server"
            )
        if code in STALE:
            return ConnectionLost(
                f"what the connection to {where} had prepared does not fit any more ({text}): try again; "
                "if a pooler stands in between, add pooler=yes to the URL"
            )
        if is_closed or LOST.fullmatch(code):
            return ConnectionLost(f"the connection to {where} was lost ({text})")
        match code[:2]:
            case "40":
                return Conflict(f"{where} gave up this transaction for another one ({text}): try again")
            case "53" | "54" | "58" | "XX":
                return StoreUnavailable(f"{where} is in trouble ({text}): {_cure(code)}")
            case "55" | "57":
                kind = Locked if code == "55P03" else StoreUnavailable
                return kind(f"{where} did not get to it in time ({text}): {_cure(code)}")
        return self._mistaken(error, code, text)

    def text_of(self, error: BaseException) -> str:
        """Return what an error says in one line, without a password."""
        diagnosis = getattr(error, "diag", None)
        text = (diagnosis and diagnosis.message_primary) or _NOISE.sub("", str(error)) or type(error).__name__
        return self._place.masked(" ".join(text.split()))

    def cause(self, error: psycopg.Error) -> psycopg.Error | None:
        """Return an error that may be shown as the cause of ours: its own text may not hold a password."""
        return error if self._place.masked(str(error)) == str(error) else None

    def _mistaken(self, error: psycopg.Error, code: str, text: str) -> BackburnerError:
        where = self._place.shown
        if _MISSING.fullmatch(code) and "selected to create in" not in text:
            return SchemaMissing(
                f"the tables of backburner in {where} are missing or incomplete ({text}): run `backburner migrate`"
            )
        if code == "42501" or "selected to create in" in text:
            return ConfigurationError(f"{where} does not allow this ({text}): {_grant(text)}")
        if code == "25P02":
            return ConfigurationError(
                f"the transaction of connection= has failed already ({text}): roll it back before enqueueing"
            )
        if isinstance(error, (psycopg.InterfaceError, psycopg.ProgrammingError)) and not code:
            return ConfigurationError(f"this connection cannot be used here: {text}")
        return StoreUnavailable(f"{where} did not do what it was asked to: {type(error).__name__}: {text}")


def _cure(code: str) -> str:
    match code:
        case "53100":
            return "make room on its disk"
        case "53300":
            return "raise max_connections, lower pool_size in the URL, or put a pooler in between"
        case "55P03" | "57014":
            return "another transaction holds what it waits for, or the server is overloaded; see pg_stat_activity"
    return "look into the server's log"


def _grant(text: str) -> str:
    """Return what to grant, as far as the English text tells."""
    if "selected to create in" in text:
        return "GRANT USAGE, CREATE ON SCHEMA public to this role, or name another with schema= in the URL"
    if _OWNED.search(text):
        return "migrate as the owner of the tables, or make this role a member of the owner"
    denied = _DENIED.search(text)
    if denied is None:
        return "grant this role what it needs"
    if denied["kind"] == "schema":
        return (
            f"GRANT USAGE ON SCHEMA {denied['name']} to this role, and CREATE to the one that runs `backburner migrate`"
        )
    if denied["kind"] == "sequence":
        return f"GRANT USAGE ON SEQUENCE {denied['name']} to this role"
    return f"GRANT SELECT, INSERT, UPDATE, DELETE ON {denied['name']} to this role"
