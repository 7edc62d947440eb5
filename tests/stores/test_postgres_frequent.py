"""Statements that are sent without a cursor give what a cursor would, and are prepared only where that is possible."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest

from backburner.core.errors import BackburnerError
from backburner.core.ops import Frequent, Op, Slow, Statement
from backburner.stores.sql.postgres.frequent import PREPARE_AFTER, query_of
from backburner.stores.sql.postgres.store import PostgresStore
from tests.stores.postgres_store import Run, opened, run

__all__ = ["run"]  # the fixture

ID = UUID("01900000-0000-7000-8000-000000000001")

PREPARED = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%%' || %s || '%%'"


class Colour(StrEnum):
    RED = "red"


@pytest.fixture
def store(postgres_url: str) -> Iterator[PostgresStore]:
    with opened(postgres_url, pool_size=1) as store:
        yield store


def asking(*statements: Statement) -> Op[list[Any]]:
    replies = []
    for statement in statements:
        reply = yield statement
        replies.append(reply)
    return replies


def rows(text: str, *parameters: object) -> list[Statement]:
    """Return the same statement for a cursor, and to be sent without one."""
    return [kind(text, parameters) for kind in (Statement, Frequent, Slow)]


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("SELECT %s::text, %s::integer, %s::bigint", ("ünïcödé % \\ ' \"", -5, 2**62)),
        ("SELECT %s::uuid, %s::boolean, %s::boolean, %s::text", (ID, True, False, None)),
        ("SELECT %s::text, %s::integer", (Colour.RED, True)),
        ("SELECT %b::uuid[], %b::integer[], %b::text[]", ([ID], [1, None], ["a,b", '"', "\\", "{}", "NULL"])),
        ("SELECT 5 %% 3, %s::text", ("x",)),
        ("SELECT n FROM generate_series(1, %s::integer) AS n", (3,)),
        ("SELECT 1 WHERE %s::boolean", (False,)),
        ("UPDATE backburner_queues SET paused = %s", (True,)),
        ("SELECT ARRAY[%s]::uuid[], NULL::jsonb, 1.5::float8, 'x'::name", (ID,)),
    ],
)
def test_it_gives_what_a_cursor_gives(store: PostgresStore, run: Run, text: str, parameters: tuple[Any, ...]) -> None:
    by_cursor, *others = run(store, asking(*rows(text, *parameters)))
    for reply in others:
        assert list(reply.rows) == list(by_cursor.rows)
        assert reply.changed == by_cursor.changed


def test_parameters_by_name_may_be_used_several_times(store: PostgresStore, run: Run) -> None:
    text = "SELECT %(b)s::integer, %(a)s::integer, %(b)s::integer"
    (reply,) = run(store, asking(Frequent(text, {"a": 1, "b": 2, "unused": 3})))
    assert list(reply.rows) == [(2, 1, 2)]


def test_it_is_prepared_when_it_has_been_used_some_times(store: PostgresStore) -> None:
    used = Frequent("SELECT %s::integer + 17 AS used", (1,))
    count = Statement(PREPARED, ("AS used",))

    def use(times: int) -> int:
        *replies, counted = store.run(asking(*[used] * times, count))
        assert [reply.rows[0][0] for reply in replies] == [18] * times
        number: int = counted.rows[0][0]
        return number

    assert use(PREPARE_AFTER) == 0
    assert use(1) == 1
    assert use(3) == 1


def test_what_is_prepared_outlives_a_rollback_and_changes_of_tables(store: PostgresStore) -> None:
    used = Frequent("SELECT %s::integer + 18 AS used", (1,))
    again = Statement("SELECT %s::integer", (1,))
    others = [Statement(text) for text in ("BEGIN", "ROLLBACK", "CREATE TABLE brief (n int)", "DROP TABLE brief")]
    replies = store.run(asking(*[used, again] * 10, *others, *[again, used] * 10))
    assert replies[-1].rows == [(19,)]


def test_nothing_is_prepared_through_a_pooler(pgbouncer_url: str) -> None:
    used = Frequent("SELECT %s::integer + 19 AS used", (1,))
    with opened(pgbouncer_url) as store:
        *_, reply = store.run(asking(*[used] * 10, Statement(PREPARED, ("AS used",))))
    assert reply.rows[0][0] == 0


def test_an_error_is_told_as_that_of_a_cursor(store: PostgresStore, run: Run) -> None:
    said = []
    for statement in rows("SELECT %s::integer / 0", 1):
        with pytest.raises(BackburnerError) as caught:
            run(store, asking(statement))
        said.append((type(caught.value), str(caught.value)))
    assert said[0] == said[1] == said[2]
    (reply,) = run(store, asking(Frequent("SELECT 1")))
    assert list(reply.rows) == [(1,)]


def test_text_is_not_cut_off_at_a_nul(store: PostgresStore, run: Run) -> None:
    for statement in rows("SELECT %s::text", "before\0after"):
        with pytest.raises(BackburnerError, match="NUL"):
            run(store, asking(statement))


def test_a_value_of_another_type_is_refused(store: PostgresStore) -> None:
    with pytest.raises(TypeError, match=r"expected a parameter to be text, .* got 1\.5"):
        store.run(asking(Frequent("SELECT %s::float8", (1.5,))))


def test_a_large_parameter_arrives_whole(store: PostgresStore, run: Run) -> None:
    text = "ü" * 20_000_000
    (reply,) = run(store, asking(Frequent("SELECT length(%s::text), %s::text", (text, text))))
    assert reply.rows[0] == (len(text), text)


def test_text_is_sent_in_the_encoding_of_the_connection(postgres_url: str) -> None:
    with opened(postgres_url, client_encoding="latin1") as store:
        replies = store.run(asking(*rows("SELECT %s::text", "ü")))
    assert [list(reply.rows) for reply in replies] == [[("ü",)]] * 3


def test_a_statement_is_turned_into_libpqs_form() -> None:
    query = query_of("SELECT %(a)s, '100 %%', %(b)s, %(a)s")
    assert (query.text, query.names) == (b"SELECT $1, '100 %', $2, $1", ("a", "b"))
    assert query_of("SELECT %s, %b").text == b"SELECT $1, $2"
