from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from django.db import connection, transaction
from shop.models import Customer

from backburner import current_job, job, jobs

DONE: list[object] = []


@job
def welcome(customer: object) -> None:
    DONE.append(customer)


def remember(value: object) -> None:
    DONE.append(value)


@job
def fail() -> None:
    raise RuntimeError("it went wrong")


def note_connection() -> None:
    DONE.append(connection.connection is None)
    Customer.objects.count()


def break_connection() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        else:
            cursor.execute("KILL CONNECTION_ID()")
    Customer.objects.count()


def connection_number() -> str:
    """Return what tells Django's connection from others."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        return f"{id(connection.connection)}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()" if connection.vendor == "postgresql" else "SELECT CONNECTION_ID()")
        return str(cursor.fetchone()[0])


def note_connection_number(customer: Customer) -> None:
    Customer.objects.filter(pk=customer.pk).update(name=connection_number())


def rename(customer: Customer, name: str) -> None:
    Customer.objects.filter(pk=customer.pk).update(name=name)


def rename_and_fail(customer: Customer, name: str) -> None:
    rename(customer, name)
    raise RuntimeError("it went wrong")


def report_here() -> None:
    current_job().report_progress(1, 2)
    progress = jobs.get(current_job().id).progress
    DONE.append(progress.done / progress.total)


def report_from_within(customer: Customer) -> None:
    with transaction.atomic():
        rename(customer, "Anna")
        current_job().report_progress(1, 2)
        progress = connections_of_its_own(current_job().id)
        DONE.append(progress)


def connections_of_its_own(job_id: object) -> float:
    """Return how far a job is, as others see it."""
    with ThreadPoolExecutor(1) as pool:
        progress = pool.submit(jobs.get, job_id).result().progress
    return progress.done / progress.total
