"""Who is measured, where each keeps its jobs, and the command of its worker.

The commands are those of each library's own documentation, with the defaults that it has, but for what makes them one
process. What a worker logs goes to a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version


@dataclass(frozen=True, slots=True)
class Peer:
    """A library in one place."""

    name: str
    """As it is called on the command line and in the table."""
    package: str
    """What is installed with pip."""
    place: str
    """One of `places.PLACES`."""
    module: str
    """In this folder: with `enqueue`, and with what the worker needs."""
    worker: str
    """The command; its first word is a program in the virtual environment."""
    remark: str = ""
    """What a reader of the figure has to know about how this worker works."""

    @property
    def version(self) -> str:
        """Raise NotInstalled, which says what to do, when it is not there."""
        try:
            return version(self.package)
        except PackageNotFoundError:
            raise NotInstalled(f"{self.package} is not installed. {HOW_TO_INSTALL}") from None


HOW_TO_INSTALL = "How to: section Peers of benchmarks/README.md"


class NotInstalled(Exception):
    """A library is not in this virtual environment."""


OURS = "backburner"
HERE = "benchmarks.peers"

ONE = "one job at a time"
PREFORK = "one job at a time in a child process"
LATE = f"{PREFORK}, acknowledged when done"
FORKS = "a new process for each job"
THREADS = "8 threads"
TASKIQ = "taskiq worker {module}:broker --workers 1"
PROCRASTINATE = "procrastinate --app {module}.app worker"
PGQUEUER = "python -m {module}"
CHANCY = "chancy --app {module}.app worker start"
DJANGO = "python -m {module} db_worker"

BROKERS = ("redis", "redis-fsync")


def _peers() -> list[Peer]:
    return [*_ours(), *_on_brokers(), *_on_databases()]


def _ours() -> list[Peer]:
    command = f"backburner work --app {HERE}.with_backburner:app"
    places = ("sqlite", "sqlite-full", "postgres")
    return [Peer(f"{OURS}-{place}", OURS, place, "with_backburner", command, ONE) for place in places]


def _on_brokers() -> list[Peer]:
    celery = "celery --app {module} worker --concurrency 1"
    kinds = (
        ("celery", "celery", "with_celery", celery, PREFORK),
        ("celery-late", "celery", "with_celery_late", celery, LATE),
        ("rq", "rq", "with_rq", "rq worker --url {url}", FORKS),
        ("dramatiq", "dramatiq", "with_dramatiq", "dramatiq {module} --processes 1", THREADS),
        ("huey", "huey", "with_huey", "huey_consumer {module}.huey", ONE),
        ("taskiq", "taskiq", "with_taskiq", TASKIQ, "up to 100 async jobs at once"),
    )
    return [
        Peer(f"{name}-{place}", package, place, module, command, remark)
        for name, package, module, command, remark in kinds
        for place in BROKERS
    ]


def _on_databases() -> list[Peer]:
    kinds = (
        ("huey-sqlite", "huey", "sqlite-full", "with_huey", "huey_consumer {module}.huey", ONE),
        ("huey-postgres", "huey", "postgres", "with_huey", "huey_consumer {module}.huey", ONE),
        ("procrastinate", "procrastinate", "postgres", "with_procrastinate", PROCRASTINATE, "one async job at a time"),
        ("pgqueuer", "pgqueuer", "postgres", "with_pgqueuer", PGQUEUER, "async jobs, claimed 10 at a time"),
        ("chancy", "chancy", "postgres", "with_chancy", CHANCY, "one job at a time in a process for each core"),
        ("django-tasks-db", "django-tasks-db", "postgres", "with_django_tasks", DJANGO, ONE),
    )
    return [Peer(*kind) for kind in kinds]


PEERS = {peer.name: peer for peer in _peers()}
