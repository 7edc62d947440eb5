"""The command `backburner bench`."""

from __future__ import annotations

import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Timer
from uuid import UUID

import pytest

from backburner import Backburner, State
from backburner.cli.benching.ground import PREFIX, Ground
from backburner.cli.benching.jobs import do_nothing
from backburner.core.lifecycle import Move
from backburner.core.ports import Settlement, WorkerInfo, lease_of
from tests.cli.conftest import Call
from tests.cli.support import Running, run_at_terminal

FEW = ("bench", "--jobs", "10", "--yes")
MANY = ("bench", "--jobs", "100000", "--yes")

LEASE = lease_of(1, 1)


def every(app: Backburner) -> int:
    return app.jobs.count(state=list(State))


def register(app: Backburner, name: str, queues: tuple[str, ...] | None) -> None:
    app.store.run(app.store.register(WorkerInfo(name, "host", 1, queues, 1)))


def taken_job(ground: Ground) -> UUID:
    """Return the id of a job that somebody else's worker is performing."""
    job_id = ground.delay(do_nothing)(1).id  # type: ignore[attr-defined]  # what is returned is the Job
    ground.store.run(ground.store.claim_one(job_id, LEASE, "somebody"))
    return job_id  # type: ignore[no-any-return]


@pytest.fixture
def users_job(app: Backburner) -> None:
    """A job of the user's, due now."""
    import shop  # type: ignore[import-not-found]  # made by a fixture

    shop.send_welcome.delay(1)


def test_everything_is_measured(call: Call, app: Backburner) -> None:
    result = call(*FEW, "--json")
    assert (result.code, result.err) == (0, "")
    measured = result.json
    assert {name: measured[name]["jobs"] for name in ("enqueue", "bulk", "drain", "latency")} == {
        "enqueue": 1,
        "bulk": 10,
        "drain": 10,
        "latency": 10,
    }
    assert all(measured[name]["seconds"] > 0 for name in ("enqueue", "bulk", "drain"))
    assert measured["bulk"]["per_second"] == pytest.approx(10 / measured["bulk"]["seconds"])
    assert 0 < measured["latency"]["median"] <= measured["latency"]["slowest"]
    assert measured["not_measured"] == {}
    assert measured["url"] == app.store.url
    assert measured["queue"].startswith(PREFIX)


def test_nothing_is_left_behind_and_nothing_else_is_touched(call: Call, app: Backburner, users_job: None) -> None:
    assert call(*FEW).code == 0
    assert [(job.queue, job.state) for job in app.jobs.where(state=list(State))] == [("mail", State.QUEUED)]
    assert app.workers() == []


def test_a_piped_table_is_tab_separated(call: Call, app: Backburner) -> None:
    result = call(*FEW)
    assert [row[:2] for row in result.rows] == [["enqueue", "1"], ["bulk", "10"], ["drain", "10"], ["latency", "10"]]
    assert [float(row[3]) > 0 for row in result.rows] == [True] * 4
    assert result.err.splitlines() == [f"measuring: {row[0]}" for row in result.rows]


def test_a_terminal_gets_a_table_and_what_it_means(app: Backburner, here: Path) -> None:
    code, seen = run_at_terminal(*FEW, cwd=here, columns=120)
    assert code == 0
    assert ["MEASURED", "JOBS", "JOBS/S", "EACH"] in [line.split() for line in seen.splitlines()]
    assert "enqueue: one job, committed, takes 0." in seen
    assert "latency: an idle worker starts half of the jobs within " in seen


@pytest.mark.parametrize("database", ["postgres_url", "mysql_url"])
def test_servers_are_measured_and_left_as_they_were(
    call: Call, here: Path, request: pytest.FixtureRequest, database: str
) -> None:
    url = request.getfixturevalue(database)
    with Backburner(url) as app:
        app.migrate()
        result = call(*FEW, "--url", url, "--json")
        assert (result.code, result.json["not_measured"]) == (0, {})
        assert every(app) == 0
        assert app.workers() == []


def test_without_a_terminal_yes_is_needed(call: Call, app: Backburner) -> None:
    result = call("bench")
    assert (result.code, result.out) == (2, "")
    assert "expected --yes, as there is no terminal to ask at: Write about 21,050 jobs that do nothing" in result.err
    assert every(app) == 0


def test_at_a_terminal_it_asks(app: Backburner, here: Path) -> None:
    code, seen = run_at_terminal("bench", cwd=here, answer="n\n")
    assert code == 1
    assert f"do nothing into the queue {PREFIX}" in seen
    assert "nothing was measured" in seen


def test_while_workers_would_take_the_jobs_only_enqueueing_is_measured(call: Call, app: Backburner) -> None:
    register(app, "everything:1", None)
    result = call(*FEW, "--json")
    assert result.code == 1
    assert result.json["enqueue"]["jobs"] == 1
    assert (result.json["drain"], result.json["latency"]) == (None, None)
    reason = "workers that serve all queues would take the jobs; stop them first: everything:1"
    assert result.json["not_measured"] == {"drain": reason, "latency": reason}
    assert every(app) == 0
    result = call(*FEW)
    assert (result.code, [row[0] for row in result.rows]) == (1, ["enqueue", "bulk"])
    assert result.err.count(f"not measured: {reason}\n") == 2


def test_a_server_that_cannot_be_used_is_said_before_anything_is_asked_or_written(
    call: Call, here: Path, postgres_url: str
) -> None:
    missing = call("bench", "--url", postgres_url)
    assert (missing.code, missing.out, missing.err.count("\n")) == (2, "", 1)
    assert missing.err.endswith("are missing: run `backburner migrate`\n")
    unreachable = call(*FEW, "--url", "postgresql://ann:secret@127.0.0.1:1/shop", "--json")
    assert (unreachable.code, unreachable.out, unreachable.err.count("\n")) == (2, "", 1)
    assert "cannot connect to postgresql://ann:***@127.0.0.1:1/shop" in unreachable.err


def test_workers_of_other_queues_and_lost_ones_are_in_nobodys_way(call: Call, app: Backburner, url: str) -> None:
    register(app, "mail:1", ("mail",))
    with Backburner(url, clock=lambda: datetime.now(UTC) - timedelta(minutes=61)) as earlier:
        register(earlier, "lost:1", None)
    assert call(*FEW).code == 0
    # Our worker leaves lost ones to the user's own, which know how long is too long.
    assert [worker.name for worker in app.workers()] == ["mail:1", "lost:1"]


def test_jobs_that_cannot_be_performed_elsewhere_have_no_latency(call: Call, here: Path) -> None:
    result = call(*FEW, "--url", "memory://", "--json")
    assert result.code == 1
    assert result.json["drain"]["jobs"] == 10
    assert result.json["not_measured"] == {
        "latency": "the jobs of this store cannot be performed in another process",
    }


def test_an_app_that_another_process_cannot_load_has_no_latency(call: Call, here: Path, url: str) -> None:
    (here / "web.py").write_text(
        "import sys\nfrom backburner import Backburner\n"
        "assert 'other_process' not in sys.argv[0], 'only here'\n"
        f"app = Backburner({url!r})\n"
    )
    result = call("--app", "web:app", *FEW, "--json")
    assert result.code == 1
    assert result.json["not_measured"] == {"latency": "no worker could be started in another process"}


def test_a_terminal_is_told_what_was_measured_alone(app: Backburner, here: Path) -> None:
    register(app, "all:1", None)  # takes the jobs of every queue
    code, seen = run_at_terminal(*FEW, cwd=here, columns=120)
    assert code == 1
    assert "enqueue: one job, committed, takes 0." in seen
    assert "drain: one worker needs" not in seen
    assert "latency: an idle worker" not in seen


def test_the_listeners_of_the_app_hear_nothing(call: Call, here: Path) -> None:
    (here / "strict.py").write_text(
        "from backburner import Backburner\n"
        f"app = Backburner('sqlite:///{here}/strict.db', delay_jobs=False)\n"
        "for event in ('enqueue', 'invoke', 'execute'):\n"
        "    @app.before(event)\n"
        "    def refuse(_):\n"
        "        raise RuntimeError('heard')\n"
    )
    result = call(*FEW, "--app", "strict", "--json")
    assert (result.code, result.json["not_measured"]) == (0, {})


@pytest.mark.parametrize("stage", ["enqueue", "bulk", "drain"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_leaves_nothing_behind(
    app: Backburner, here: Path, stage: str, number: signal.Signals
) -> None:
    with Running(*MANY, cwd=here) as bench:
        bench.wait_for(f"measuring: {stage}")
        bench.send(number)
        result = bench.end()
    assert (result.code, result.out) == (128 + number, "")
    assert "Traceback" not in result.err
    assert every(app) == 0
    assert app.workers() == []


def test_a_signal_ends_the_other_process_too(app: Backburner, here: Path) -> None:
    with Running("bench", "--jobs", "100", "--yes", cwd=here) as bench:
        bench.wait_for("measuring: latency")
        bench.send(signal.SIGINT)
        assert bench.end().code == 130
    assert every(app) == 0
    assert app.workers() == []


def test_what_another_worker_took_is_deleted_when_it_gives_it_back(
    app: Backburner, capsys: pytest.CaptureFixture[str]
) -> None:
    ground = Ground(app, f"{PREFIX}test")
    back = Settlement(taken_job(ground), LEASE, Move.RELEASE)
    giver = Timer(0.2, lambda: app.store.run(app.store.settle([back])))
    with ground.cleared():
        giver.start()
    giver.join()
    assert every(app) == 0
    assert capsys.readouterr().err == ""


def test_what_cannot_be_deleted_is_named(app: Backburner, capsys: pytest.CaptureFixture[str]) -> None:
    ground = Ground(app, f"{PREFIX}test")
    with ground.cleared():
        taken_job(ground)
    assert capsys.readouterr().err == (
        f"1 job left that a worker is performing: `backburner clear --queue {PREFIX}test` deletes them\n"
    )
