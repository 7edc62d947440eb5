"""The workloads. Each takes a bench and returns lines of the table."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.bench import Bench
from benchmarks.results import Result
from benchmarks.workloads.deep import deep_tables
from benchmarks.workloads.drain import drain_with_processes, one_job_per_claim, waiting_jobs
from benchmarks.workloads.enqueue import enqueue_in_bulk, enqueue_in_transaction, enqueue_one_by_one
from benchmarks.workloads.idle import idle_worker
from benchmarks.workloads.latency import latency
from benchmarks.workloads.memory import memory
from benchmarks.workloads.once import once_each
from benchmarks.workloads.pinned import pinned_horizon
from benchmarks.workloads.session import enqueue_in_session

WORKLOADS: dict[str, Callable[[Bench], list[Result]]] = {
    "enqueue": enqueue_one_by_one,
    "transaction": enqueue_in_transaction,
    "session": enqueue_in_session,
    "bulk": enqueue_in_bulk,
    "drain": drain_with_processes,
    "single": one_job_per_claim,
    "waiting": waiting_jobs,
    "latency": latency,
    "idle": idle_worker,
    "depth": deep_tables,
    "pinned": pinned_horizon,
    "memory": memory,
    "once": once_each,
}
