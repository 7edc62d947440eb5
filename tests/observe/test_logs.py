"""What is written to the logger `backburner`."""

from __future__ import annotations

import gc
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from backburner import Backburner, State
from backburner.core import telemetry
from backburner.core.job import Job
from backburner.core.telemetry import Record, Telemetry
from backburner.observe import logs

ID = UUID("019a0000-0000-7000-8000-000000000001")
WHEN = datetime(2026, 1, 2, 3, 4, 5, 678, UTC)
JOB: Job[Any] = Job(
    id=ID, name="send_welcome", handler="{}", queue="mail", priority=0, run_at=WHEN, created_at=WHEN, attempts=1
)
JOB_FACTS = f"name=send_welcome id={ID} queue=mail"
ERROR = ValueError("no\x1b[31m good\nat all")

LINES = [
    (telemetry.WorkerStarted("w", None, 1), "INFO", "worker started queues=all concurrency=1 worker=w"),
    (telemetry.WorkerStarted("w", ("a", "b"), 4), "INFO", "worker started queues=a,b concurrency=4 worker=w"),
    (telemetry.WorkerStopping("w", "SIGTERM"), "INFO", "worker stopping reason=SIGTERM worker=w"),
    (telemetry.WorkerStopped("w", 3, 1), "INFO", "worker stopped succeeded=3 failed=1 worker=w"),
    (telemetry.WorkerGaveUp("w", (JOB, JOB)), "WARNING", f"worker ends without its jobs ids={ID},{ID} worker=w"),
    (
        telemetry.SupervisorStarted("s", 3, ("mail:2", "*:1")),
        "INFO",
        'supervisor started processes=3 pools="mail:2 *:1" supervisor=s',
    ),
    (telemetry.SupervisorStopping("s", "SIGTERM"), "INFO", "supervisor stopping reason=SIGTERM supervisor=s"),
    (telemetry.SupervisorStopped("s"), "INFO", "supervisor stopped supervisor=s"),
    (telemetry.ProcessStarted("s", 7, "mail:2"), "INFO", "process started pid=7 pool=mail:2 supervisor=s"),
    (telemetry.ProcessEnded("s", 7, "mail:2"), "INFO", "process ended pid=7 pool=mail:2 supervisor=s"),
    (
        telemetry.ProcessCrashed("s", 7, "*:1", "signal 9, SIGKILL", 2.0),
        "ERROR",
        'process crashed pid=7 pool=*:1 how="signal 9, SIGKILL" again_in=2.0 supervisor=s',
    ),
    (
        telemetry.ProcessKilled("s", 7, "*:1", "too late"),
        "WARNING",
        'process killed pid=7 pool=*:1 reason="too late" supervisor=s',
    ),
    (
        telemetry.ProcessMissing("s", "*:1", OSError("x"), 1.0),
        "ERROR",
        'process could not be started pool=*:1 error="OSError: x" again_in=1.0 supervisor=s',
    ),
    (
        telemetry.JobSeen("w", JOB, 1.5, ("shop.py:3 fetch", "shop.py:9 send")),
        "INFO",
        f'job running {JOB_FACTS} seconds=1.5 at="shop.py:3 fetch < shop.py:9 send" worker=w',
    ),
    (telemetry.JobStarted("w", JOB), "DEBUG", f"job started {JOB_FACTS} attempt=2 worker=w"),
    (
        telemetry.JobSucceeded("w", JOB, 0.0123456),
        "INFO",
        f"job succeeded {JOB_FACTS} attempt=2 seconds=0.0123 worker=w",
    ),
    (
        telemetry.JobRetried("w", JOB, 1.5, ERROR, WHEN),
        "WARNING",
        f"job will be retried {JOB_FACTS} attempt=1/25 seconds=1.5 run_at=2026-01-02T03:04:05+00:00 "
        'error="ValueError: no\ufffd[31m good at all" worker=w',
    ),
    (
        telemetry.JobFailed("w", JOB, 1.5, ERROR),
        "ERROR",
        f'job failed {JOB_FACTS} attempts=1/25 seconds=1.5 error="ValueError: no\ufffd[31m good at all" worker=w',
    ),
    (
        telemetry.JobSnoozed("w", JOB, WHEN),
        "INFO",
        f"job snoozed {JOB_FACTS} run_at=2026-01-02T03:04:05+00:00 worker=w",
    ),
    (
        telemetry.JobPutBack("w", JOB, KeyError(), WHEN),
        "WARNING",
        f"job put back {JOB_FACTS} run_at=2026-01-02T03:04:05+00:00 error=KeyError worker=w",
    ),
    (
        telemetry.JobCancelledRecord("w", JOB, "so be it"),
        "INFO",
        f'job cancelled {JOB_FACTS} reason="so be it" worker=w',
    ),
    (telemetry.JobReleased("w", JOB), "WARNING", f"job given back {JOB_FACTS} worker=w"),
    (
        telemetry.JobCrashed("w", JOB, ValueError("gone")),
        "WARNING",
        f'job crashed {JOB_FACTS} crashes=0 error="ValueError: gone" worker=w',
    ),
    (telemetry.JobRescued("w", JOB), "WARNING", f"job rescued {JOB_FACTS} state=queued crashes=0 worker=w"),
    (telemetry.LeasesLost("w", (ID, ID)), "WARNING", f"leases lost ids={ID},{ID} worker=w"),
    (telemetry.ListenerFailed("loop", OSError("x")), "ERROR", 'listener failed of=loop error="OSError: x"'),
    (
        telemetry.StoreTroubled("w", "claiming jobs", OSError("x")),
        "ERROR",
        'store troubled doing="claiming jobs" error="OSError: x" worker=w',
    ),
    (telemetry.StoreRecovered("w"), "WARNING", "store recovered worker=w"),
]


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.DEBUG, "backburner"):
        yield caplog


@pytest.mark.parametrize(("record", "level", "text"), LINES, ids=[type(record).__name__ for record, _, _ in LINES])
def test_each_record_is_one_line_of_facts(
    logged: pytest.LogCaptureFixture, record: Record, level: str, text: str
) -> None:
    logs.log(record)
    (entry,) = logged.records
    assert (entry.name, entry.levelname, entry.getMessage()) == ("backburner", level, text)
    assert entry.getMessage().isprintable()


def test_every_kind_of_record_is_logged() -> None:
    kinds = {value for value in vars(telemetry).values() if isinstance(value, type) and issubclass(value, Record)}
    assert kinds - {Record, telemetry.JobRecord, telemetry.ProcessRecord} == {type(record) for record, _, _ in LINES}


def test_values_cannot_forge_facts_or_lines(logged: pytest.LogCaptureFixture) -> None:
    logs.log(telemetry.WorkerStopping("w", 'a" queue=b\n2026-01-01 ERROR forged \x1b[2J\\'))
    text = logged.records[0].getMessage()
    assert text == 'worker stopping reason="a\\" queue=b 2026-01-01 ERROR forged \ufffd[2J\\\\" worker=w'


def test_long_values_are_cut(logged: pytest.LogCaptureFixture) -> None:
    logs.log(telemetry.WorkerStopping("w", "x" * 10_000))
    assert len(logged.records[0].getMessage()) < 600


def test_the_facts_are_on_the_record_for_other_formatters(logged: pytest.LogCaptureFixture) -> None:
    logs.log(telemetry.JobSucceeded("w", JOB, 0.5))
    assert vars(logged.records[0])["backburner"] == {
        "event": "job succeeded",
        "name": "send_welcome",
        "id": str(ID),
        "queue": "mail",
        "attempt": 2,
        "seconds": 0.5,
        "worker": "w",
    }


def has_traceback(logged: pytest.LogCaptureFixture) -> bool:
    return logged.records[-1].exc_info is not None


def test_tracebacks_come_with_what_is_recorded_nowhere_else_or_final(logged: pytest.LogCaptureFixture) -> None:
    shown = set()
    with logged.at_level(logging.INFO, "backburner"):
        for record, _, _ in LINES:
            logs.log(record)
            shown |= {type(record)} if has_traceback(logged) else set()
    assert shown == {telemetry.JobFailed, telemetry.ListenerFailed}


def test_tracebacks_of_what_is_tried_again_are_for_debugging(logged: pytest.LogCaptureFixture) -> None:
    logs.log(telemetry.JobRetried("w", JOB, 1.5, ERROR, WHEN))
    assert has_traceback(logged)
    logs.log(telemetry.StoreTroubled("w", "claiming jobs", ERROR))
    assert has_traceback(logged)


def test_an_exception_that_cannot_say_its_message_is_logged(logged: pytest.LogCaptureFixture) -> None:
    class Silent(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no")

    logs.log(telemetry.ListenerFailed("loop", Silent()))
    assert 'error="Silent: <its message cannot be shown: RuntimeError>"' in logged.records[0].getMessage()


def test_a_level_that_nobody_enabled_costs_no_formatting(caplog: pytest.LogCaptureFixture) -> None:
    class Untouchable:
        def __getattribute__(self, name: str) -> Any:
            raise AssertionError(f"{name} was read")

    job: Any = Untouchable()
    with caplog.at_level(logging.WARNING, "backburner"):
        logs.log(telemetry.JobStarted("w", job))
        logs.log(telemetry.JobSucceeded("w", job, 0.1))
    assert caplog.records == []


def test_subscribing_twice_logs_once(logged: pytest.LogCaptureFixture) -> None:
    subject = Telemetry()
    logs.subscribe(subject)
    logs.subscribe(subject)
    subject.emit(telemetry.StoreRecovered("w"))
    assert len(logged.records) == 1


def test_a_telemetry_that_is_gone_leaves_nothing_behind() -> None:
    before = len(logs._subscribed)
    logs.subscribe(Telemetry())
    gc.collect()
    assert len(logs._subscribed) <= before


def test_no_handler_and_no_level_is_set() -> None:
    logger = logging.getLogger("backburner")
    assert (logger.handlers, logger.level, logger.propagate) == ([], logging.NOTSET, True)


def test_an_attempt_is_logged_from_its_begin_to_its_end(logged: pytest.LogCaptureFixture) -> None:
    with Backburner("memory://", allow=[__name__]) as app:
        logs.subscribe(app.telemetry)
        app.delay(performed)()
        app.delay(raising, max_attempts=1)()
        app.worker(name="w").run(exit_on_complete=True)
        assert app.jobs.count(state=State.FAILED) == 1
    assert [re.sub(r" id=\S+| seconds=\S+", "", entry.getMessage()) for entry in logged.records] == [
        "worker started queues=all concurrency=1 worker=w",
        "job started name=performed queue=default attempt=1 worker=w",
        "job succeeded name=performed queue=default attempt=1 worker=w",
        "job started name=raising queue=default attempt=1 worker=w",
        'job failed name=raising queue=default attempts=1/1 error="ValueError: no" worker=w',
        "worker stopped succeeded=1 failed=1 worker=w",
    ]


def performed() -> None:
    pass


def raising() -> None:
    raise ValueError("no")
