"""What PyMySQL raises, said to people: what is wrong, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

import pymysql
from pymysql.constants import CR, ER

from backburner.core.errors import BackburnerError, ConfigurationError, SchemaMissing, StoreUnavailable
from backburner.stores.sql.mysql.url import Place
from backburner.stores.sql.troubles import Conflict, ConnectionLost, Locked, NoRoom, Unanswered


class Duplicate(BackburnerError):
    """A row with this key is there already. For operations, which never let it out."""


class AlreadyDone(BackburnerError):
    """What a statement would add to a table is there, or what it would drop is not. For migrations alone."""


class Refusal(NamedTuple):
    """What a connection was refused for."""

    kind: type[BackburnerError]
    advice: str


SECRECY = "use TLS, as PyMySQL does by itself from 1.2 on, or pip install 'pymysql[rsa]'"
"""What is to be done so that MySQL may be sent a password."""

NOT_ALLOWED_HOSTS = (1129, 1130)
TOO_MANY_OF_A_USER = (1203, 1226)
PASSWORD_EXPIRED = (1820, 1862)
USER_LOCKED = (3118, 3955, 4151)  # the last is MariaDB's

REFUSALS: Mapping[int, Refusal] = {
    ER.ACCESS_DENIED_ERROR: Refusal(ConfigurationError, "give the right user and password in the URL"),
    1698: Refusal(ConfigurationError, "this user may not log in with a password: create one who may"),
    ER.DBACCESS_DENIED_ERROR: Refusal(ConfigurationError, "grant this user rights on the database, or change the URL"),
    ER.BAD_DB_ERROR: Refusal(ConfigurationError, "create this database, or change the URL"),
    ER.CON_COUNT_ERROR: Refusal(NoRoom, "raise max_connections, or lower pool_size in the URL"),
    **dict.fromkeys(TOO_MANY_OF_A_USER, Refusal(NoRoom, "raise the limit of this user, or lower pool_size in the URL")),
    **dict.fromkeys(NOT_ALLOWED_HOSTS, Refusal(ConfigurationError, "let this host in, with CREATE USER … @'host'")),
    **dict.fromkeys(PASSWORD_EXPIRED, Refusal(ConfigurationError, "give this user a new password, and the URL too")),
    **dict.fromkeys(USER_LOCKED, Refusal(ConfigurationError, "unlock this user, with ALTER USER … ACCOUNT UNLOCK")),
    1665: Refusal(ConfigurationError, "set binlog_format to ROW or MIXED"),
    3159: Refusal(ConfigurationError, "leave ssl_disabled out of the URL, or ask for TLS with ssl_ca"),
    CR.CR_AUTH_PLUGIN_CANNOT_LOAD: Refusal(
        ConfigurationError, "let the user log in with a method that PyMySQL knows, such as caching_sha2_password"
    ),
    ER.SERVER_SHUTDOWN: Refusal(StoreUnavailable, "it is stopping: try again in a moment"),
}

REFUSED_TEXTS = [
    (re.compile("cryptography", re.IGNORECASE), Refusal(ConfigurationError, SECRECY)),
    (
        re.compile("certificate|SSL|TLS", re.IGNORECASE),
        Refusal(ConfigurationError, "check ssl_ca, ssl_cert and ssl_key in the URL against what the server has"),
    ),
    (
        re.compile("name or service|nodename|name resolution|getaddrinfo", re.IGNORECASE),
        Refusal(StoreUnavailable, "check the host in the URL and the name server"),
    ),
    (
        re.compile("timed out", re.IGNORECASE),
        Refusal(StoreUnavailable, "check host and port in the URL, the network and the firewall"),
    ),
    (
        re.compile("refused|no such file|unreachable|no route", re.IGNORECASE),
        Refusal(StoreUnavailable, "start the server, or check host and port in the URL"),
    ),
    (
        re.compile("lost connection|gone away|reset by peer", re.IGNORECASE),
        Refusal(StoreUnavailable, "the server or something in between hung up: look into its log, and try again"),
    ),
]

LOST = frozenset(
    {
        CR.CR_SERVER_LOST,
        CR.CR_SERVER_GONE_ERROR,
        CR.CR_SERVER_LOST_EXTENDED,
        ER.SERVER_SHUTDOWN,
        1152,  # aborted connection
        1158, 1159, 1160, 1161,  # the network between
        1184,  # aborted connection, by the server
        1927,  # MariaDB: the connection was killed
        3169,  # MySQL: the session was killed
        4031,  # MySQL: disconnected for inactivity
    }
)  # fmt: skip

READ_ONLY = frozenset({1290, 1792, 1836})
"""A standby, or one that is being switched over."""

CONFLICTS = frozenset(
    {
        ER.LOCK_DEADLOCK,
        1020,  # MariaDB: the record has changed since it was read
        1412,  # the definition of a table has changed
        3101,  # MySQL: another member of its group had changed the row
    }
)

TIMED_OUT = frozenset({1317, 1907, 1969, 3024})
"""Interrupted, by somebody or by a limit of the server's."""

MISSING = frozenset({ER.NO_SUCH_TABLE, ER.BAD_FIELD_ERROR})

DONE = frozenset({ER.DUP_FIELDNAME, ER.DUP_KEYNAME, ER.CANT_DROP_FIELD_OR_KEY})

DENIED = frozenset({ER.TABLEACCESS_DENIED_ERROR, ER.COLUMNACCESS_DENIED_ERROR, ER.DBACCESS_DENIED_ERROR, 1227, 1370})

FULL = frozenset({3, 28, 1021, 1030, 1114})
"""No room on a disk, or in a table."""

TOO_BIG = 1153

_DENIED_COMMAND = re.compile(r"(?P<rights>[A-Z, ]+) command denied .* for table (?P<table>\S+)$")


class Explainer:
    """Translates the errors of the connections to one place."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def refused(self, error: Exception) -> BackburnerError:
        """Return the error that says why no connection could be made."""
        text = self.text_of(error)
        refusal = REFUSALS.get(code_of(error)) or _refusal_of(text)
        return refusal.kind(f"cannot connect to {self._place.shown} ({text}): {refusal.advice}")

    def unusable(self, error: Exception) -> BackburnerError:
        """Return the error that says why a connection could not even be tried: what the URL asks for is not there."""
        text = self.text_of(error)
        advice = "check ssl_ca, ssl_cert and ssl_key in the URL" if isinstance(error, OSError) else "correct the URL"
        if "cryptography" in text:
            advice = SECRECY
        return ConfigurationError(f"cannot connect to {self._place.shown} ({text}): {advice}")

    def too_long(self, size: int, longest: int) -> BackburnerError:
        """Return the error that says that a statement is longer than the server allows."""
        return StoreUnavailable(
            f"a job is too big for {self._place.shown}, which takes {longest:,} bytes at once and not {size:,}: "
            "give it smaller arguments, or raise max_allowed_packet"
        )

    def explained(self, error: pymysql.Error) -> BackburnerError:
        """Return the error that says what an error of a statement means."""
        code, text, where = code_of(error), self.text_of(error), self._place.shown
        if code == ER.DUP_ENTRY:
            return Duplicate(text)
        if code in READ_ONLY:
            return ConnectionLost(
                f"{where} takes no changes just now ({text}): it is a replica, or being switched over; "
                "let the URL lead to the primary server"
            )
        if code == CR.CR_SERVER_LOST and "timed out" in text:
            return Unanswered(f"{where} did not answer in time ({text}): look after the server and the network")
        if code in LOST or isinstance(error, pymysql.InterfaceError):
            return ConnectionLost(f"the connection to {where} was lost ({text})")
        if code == ER.LOCK_WAIT_TIMEOUT:
            return Conflict(
                f"another transaction in {where} holds what this one waits for ({text}): "
                "end it, see SHOW ENGINE INNODB STATUS"
            )
        if code in CONFLICTS:
            return Conflict(f"{where} gave up this transaction for another one ({text}): try again")
        if code in TIMED_OUT:
            return Locked(f"{where} did not get to it in time ({text}): see SHOW PROCESSLIST")
        return self._mistaken(error, code, text)

    def text_of(self, error: BaseException) -> str:
        """Return what an error says in one line, without a password."""
        said = error.args[1] if len(error.args) > 1 else str(error)
        return self._place.masked(" ".join(str(said).split())) or type(error).__name__

    def cause(self, error: Exception) -> Exception | None:
        """Return an error that may be shown as the cause of ours: its own text may not hold a password."""
        return error if self._place.masked(str(error)) == str(error) else None

    def _mistaken(self, error: pymysql.Error, code: int, text: str) -> BackburnerError:
        where = self._place.shown
        if code in MISSING:
            return SchemaMissing(
                f"the tables of backburner in {where} are missing or incomplete ({text}): run `backburner migrate`"
            )
        if code in DONE:
            return AlreadyDone(f"{where} has this already ({text})")
        if code in DENIED:
            return ConfigurationError(f"{where} does not allow this ({text}): {_grant(text, self._place.end[0])}")
        if code in REFUSALS:
            return REFUSALS[code].kind(f"{where} does not allow this ({text}): {REFUSALS[code].advice}")
        if code in FULL:
            return StoreUnavailable(f"{where} is in trouble ({text}): make room on its disk")
        if code == TOO_BIG:
            return StoreUnavailable(
                f"a job is too big for {where} ({text}): give it smaller arguments, or raise max_allowed_packet"
            )
        return StoreUnavailable(f"{where} did not do what it was asked to: {type(error).__name__}: {text}")


def code_of(error: BaseException) -> int:
    """Return the number of an error, 0 when it has none."""
    number = error.args[0] if error.args else 0
    return number if isinstance(number, int) else 0


def _refusal_of(text: str) -> Refusal:
    for pattern, refusal in REFUSED_TEXTS:
        if pattern.search(text):
            return refusal
    return Refusal(StoreUnavailable, "look into the server's log")


def _grant(text: str, database: str) -> str:
    """Return what to grant, as far as the English text tells."""
    denied = _DENIED_COMMAND.search(text)
    if denied is None:
        return "grant this user SELECT, INSERT, UPDATE, DELETE on the tables"
    if {"CREATE", "ALTER", "DROP", "INDEX"} & set(re.findall("[A-Z]+", denied["rights"])):
        return "grant CREATE, ALTER, INDEX and DROP to the user who runs `backburner migrate`"
    table = re.sub("[`'\"]", "", denied["table"])
    if "." not in table:  # MySQL leaves the database out
        table = f"{database}.{table}"
    return f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} to this user"
