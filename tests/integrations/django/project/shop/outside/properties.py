"""The job exists if and only if the business row does: random programs of transactions."""

from __future__ import annotations

import os
import unittest
from contextlib import suppress
from typing import Any

from django.db import DatabaseError, OperationalError, connection, transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from shop.models import Customer

from backburner import bulk, delay, enqueue, job, jobs

PROGRAMS = int(os.environ.get("SHOP_PROGRAMS", "200"))


class Boom(Exception):
    """Goes wrong in the middle."""


@job
def greet(name: str) -> None: ...


class Breaking:
    """Lets the statement of this number fail, as one does whose connection stays usable."""

    def __init__(self, number: int | None) -> None:
        self._number = number
        self._count = -1

    def __call__(self, execute: Any, *arguments: Any) -> Any:
        self._count += 1
        if self._count == self._number:
            raise OperationalError("it went wrong")
        return execute(*arguments)


class Note:
    def __init__(self, name: str, customer: Customer) -> None:
        self.name, self.customer = name, customer

    def perform(self) -> None: ...


def enqueue_about(name: str, form: str) -> None:
    """Make a row, and a job about it, in one of the ways there are."""
    customer = Customer.objects.create(name=name)
    match form:
        case "mixin":
            customer.delay.activate(name)
        case "proxy":
            delay(customer).activate(name)
        case "function":
            greet.delay(name)
        case "named":
            greet.options(connection="default").delay(name)
        case "object":
            enqueue(Note(name, customer))


BOOM = ("boom",)
FORMS = st.sampled_from(["mixin", "proxy", "function", "named", "object"])
steps = st.deferred(lambda: st.one_of(single, block, failing))
single = st.tuples(st.just("both"), FORMS)
failing = st.sampled_from([BOOM, ("bad statement",), ("set rollback",)])
block = st.tuples(st.sampled_from(["atomic", "no savepoint", "bulk", "caught"]), st.lists(steps, max_size=4))


class Program:
    """Performs steps; names of rows are numbers in order."""

    def __init__(self) -> None:
        self.number = 0

    def perform(self, program: list[Any]) -> None:
        for step in program:
            self.step(*step)

    def step(self, kind: str, *more: Any) -> None:
        match kind:
            case "both":
                self.number += 1
                self.both(*more)
            case "boom":
                raise Boom
            case "bad statement":
                with connection.cursor() as cursor:
                    cursor.execute("SELECT nothing FROM nowhere")
            case "set rollback":
                if connection.in_atomic_block:
                    transaction.set_rollback(True)
            case "bulk":  # is written when it ends, so that rows and jobs are one only in a transaction
                with transaction.atomic(), bulk():
                    self.perform(*more)
            case "caught":
                with suppress(Boom, DatabaseError), transaction.atomic():
                    self.perform(*more)
            case _:
                with transaction.atomic(savepoint=kind == "atomic"):
                    self.perform(*more)

    def both(self, form: str) -> None:
        """Make row and job as one: the caller's transaction, or one of their own."""
        with transaction.atomic():
            enqueue_about(str(self.number), form)


def names_of_jobs() -> list[str]:
    found = []
    for each in jobs.where():
        payload = each.payload
        found.append(payload.name if isinstance(payload, Note) else payload.args[0])
    return sorted(found)


class Equivalence(unittest.TestCase):
    @settings(max_examples=PROGRAMS, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(st.lists(steps, max_size=6), st.none() | st.integers(0, 12))
    @example([("bulk", [("caught", [("both", "mixin"), BOOM]), ("both", "function")])], None)
    @example(
        [("atomic", [("bulk", [("both", "mixin")]), ("caught", [("bulk", [("both", "proxy")]), ("boom",)])])], None
    )
    def test_the_job_exists_if_and_only_if_the_row_does(self, program: list[Any], broken: int | None) -> None:
        jobs.clear()
        Customer.objects.all().delete()
        with suppress(Boom, DatabaseError), connection.execute_wrapper(Breaking(broken)):
            Program().perform(program)
        self.assertFalse(connection.in_atomic_block)
        self.assertEqual(names_of_jobs(), sorted(Customer.objects.values_list("name", flat=True)))
        self.assertEqual(jobs.count(), Customer.objects.count())
