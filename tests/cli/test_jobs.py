"""The command `backburner jobs …`."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from backburner import Backburner, Job, State
from backburner.core.job import Progress
from backburner.core.ports import lease_of
from tests.cli.conftest import Call
from tests.cli.support import run_at_terminal

JOB_KEYS = (
    *("id", "name", "state", "queue", "priority", "run_at", "attempts", "max_attempts", "max_run_time", "keep_failed"),
    *("missing_record", "tags", "created_at", "locked_by", "locked_at", "failed_at", "finished_at", "crashes"),
    *("cancel_requested", "progress", "result", "last_error", "handler"),
)


@pytest.fixture
def jobs(app: Backburner) -> dict[str, Job[Any]]:
    """A job in each of several states."""
    import shop  # type: ignore[import-not-found]  # made by a fixture

    made = {
        "succeeded": shop.send_welcome.delay(1, lang="de"),
        "failed": shop.fail.options(max_attempts=1).delay("\x1b[31mred\nalert"),
        "retrying": shop.fail.delay("again"),
    }
    app.worker().work_off()
    made["cancelled"] = app.jobs.cancel(shop.send_welcome.delay(2))
    made["later"] = shop.send_welcome.options(run_at=timedelta(hours=2, minutes=1), priority=7).delay(3)
    made["queued"] = shop.send_welcome.options(queue="default").delay(4)
    return made


def ids(*jobs: Job[Any]) -> list[str]:
    return [str(job.id) for job in jobs]


def test_list_shows_what_is_not_history_the_newest_last(call: Call, jobs: dict[str, Job[Any]]) -> None:
    result = call("jobs", "list", "--json")
    assert (result.code, result.err) == (0, "")
    assert [job["id"] for job in result.json] == ids(jobs["failed"], jobs["retrying"], jobs["later"], jobs["queued"])


@pytest.mark.parametrize(
    ("args", "names"),
    [
        (["--state", "failed"], ["failed"]),
        (["--state", "succeeded,cancelled"], ["succeeded", "cancelled"]),
        (["--state", "all"], ["succeeded", "failed", "retrying", "cancelled", "later", "queued"]),
        (["--queue", "mail"], ["later"]),
        (["--name", "fail"], ["failed", "retrying"]),
        (["--tag", "greeting", "--state", "queued"], ["later", "queued"]),
        (["--tag", "nobody"], []),
        (["--limit", "2"], ["later", "queued"]),
        (["--limit", "0"], ["failed", "retrying", "later", "queued"]),
    ],
)
def test_list_filters(call: Call, jobs: dict[str, Job[Any]], args: list[str], names: list[str]) -> None:
    found = [job["id"] for job in call("jobs", "list", "--json", *args).json]
    assert found == ids(*(jobs[name] for name in names))


def test_list_says_when_there_are_more(call: Call, jobs: dict[str, Job[Any]]) -> None:
    assert call("jobs", "list", "--limit", "1").err == "these are the newest 1 of 4 jobs; --limit 0 lists all\n"
    assert call("jobs", "list", "--limit", "4").err == ""


def test_list_reads_more_jobs_than_fit_into_one_page(call: Call, app: Backburner) -> None:
    import shop

    with app.bulk():
        made = [shop.send_welcome.delay(number) for number in range(2_500)]
    assert [row[0] for row in call("jobs", "list", "--limit", "0").rows] == ids(*made)
    assert [row[0] for row in call("jobs", "list", "--limit", "1001").rows] == ids(*made[-1001:])


def test_json_of_a_job_has_stable_keys_iso_times_and_texts(call: Call, jobs: dict[str, Job[Any]]) -> None:
    job = jobs["later"]
    (shown,) = call("jobs", "list", "--queue", "mail", "--json").json
    assert tuple(shown) == JOB_KEYS
    assert shown["id"] == str(job.id)
    assert datetime.fromisoformat(shown["run_at"]) == job.run_at
    assert datetime.fromisoformat(shown["created_at"]).utcoffset() == timedelta(0)
    assert (shown["priority"], shown["tags"], shown["max_run_time"]) == (7, ["greeting"], 4 * 3600.0)
    assert shown["failed_at"] is None
    assert call("jobs", "show", str(job.id), "--json").json == shown


def test_a_piped_list_is_one_line_of_tab_separated_values_for_each_job(call: Call, jobs: dict[str, Job[Any]]) -> None:
    job = jobs["later"]
    rows = call("jobs", "list").rows
    assert {len(row) for row in rows} == {9}
    assert rows[2] == [str(job.id), "send_welcome", "mail", "7", "queued", job.run_at.isoformat(), "0", "25", ""]
    assert rows[0][4:] == ["failed", rows[0][5], "1", "1", "ValueError: \ufffd[31mred alert"]


def test_a_terminal_gets_a_table_with_ages(app: Backburner, jobs: dict[str, Job[Any]], here: Path) -> None:
    code, seen = run_at_terminal("jobs", "list", cwd=here, columns=150)
    header, *lines = seen.splitlines()
    assert code == 0
    assert header.split() == ["ID", "NAME", "QUEUE", "PRIO", "STATE", "WHEN", "ATTEMPTS", "LAST", "ERROR"]
    assert lines[2].split() == [str(jobs["later"].id), "send_welcome", "mail", "7", "queued", "in", "2", "h", "0/25"]
    assert "ValueError: \ufffd[31mred alert" in lines[0]
    assert "\x1b" not in seen


def test_a_narrow_terminal_gets_the_columns_that_matter_most(app: Backburner, jobs: Any, here: Path) -> None:
    _, seen = run_at_terminal("jobs", "list", cwd=here, columns=82)
    header, *lines = seen.splitlines()
    assert header.split() == ["ID", "NAME", "QUEUE", "STATE", "WHEN"]
    assert max(map(len, lines)) <= 82
    assert all(uuid.UUID(line.split()[0]) for line in lines)


def test_a_terminal_is_told_that_there_are_no_jobs(app: Backburner, here: Path, call: Call) -> None:
    assert run_at_terminal("jobs", "list", cwd=here) == (0, "no jobs\n")
    assert call("jobs", "list").out == ""
    assert call("jobs", "list", "--json").json == []


def test_show_says_all_there_is_to_know(call: Call, jobs: dict[str, Job[Any]]) -> None:
    result = call("jobs", "show", str(jobs["failed"].id))
    assert (result.code, result.err) == (0, "")
    for line in (
        f"id:           {jobs['failed'].id}",
        "name:         fail",
        "state:        failed",
        "attempts:     1 failed of 1",
        '      "function": "shop:fail",',
        "  ValueError: \ufffd[31mred alert",
        "      raise ValueError(message)",
    ):
        assert f"{line}\n" in result.out
    assert "\x1b" not in result.out


def test_show_says_what_a_running_job_reports(call: Call, app: Backburner) -> None:
    import shop

    store, job = app.store, shop.send_welcome.delay(1)
    lease = lease_of(7, 1)
    store.run(store.claim_one(job.id, lease, "host:7:abc"))
    store.run(store.report_progress(job.id, lease, Progress(3, 10, "third \x07 of ten")))
    app.jobs.cancel(job)
    out = call("jobs", "show", str(job.id)).out
    assert "state:        running, asked to stop\n" in out
    assert "locked by:    host:7:abc\n" in out
    assert "progress:     3 of 10, third \ufffd of ten\n" in out
    assert call("jobs", "show", str(job.id), "--json").json["progress"]["note"] == "third \x07 of ten"


@pytest.mark.parametrize(
    ("progress", "shown"),
    [(Progress(3, 10, None), "3 of 10"), (Progress(0.5, None, None), "0.5"), (Progress(7, None, "rows"), "7, rows")],
)
def test_show_says_how_far_a_job_is(call: Call, app: Backburner, progress: Progress, shown: str) -> None:
    import shop

    store, job = app.store, shop.send_welcome.delay(1)
    store.run(store.claim_one(job.id, lease_of(7, 1), "host:7:abc"))
    store.run(store.report_progress(job.id, lease_of(7, 1), progress))
    assert f"progress:     {shown}\n" in call("jobs", "show", str(job.id)).out


def test_show_says_what_is_not_as_usual(call: Call, app: Backburner, jobs: dict[str, Job[Any]]) -> None:
    import shop

    store, job = app.store, shop.send_welcome.options(max_run_time=90).delay(1)
    store.run(store.claim_one(job.id, lease_of(7, 1), "host:7:abc"))
    store.run(store.bury(7))
    out = call("jobs", "show", str(job.id)).out
    assert "max run time: 90 s\n" in out
    assert "crashes:      1 (workers that were lost while they performed it)\n" in out
    assert "finished at:  " in call("jobs", "show", str(jobs["succeeded"].id)).out


def test_the_time_that_a_terminal_gets_is_the_one_that_matters(
    app: Backburner, jobs: dict[str, Job[Any]], here: Path
) -> None:
    long_ago = Backburner(app.store.url, allow=["shop"], clock=lambda: now() - timedelta(hours=2))
    with long_ago:
        long_ago.store.run(long_ago.store.claim_one(jobs["later"].id, lease_of(7, 1), "host:7:abc"))
        long_ago.jobs.cancel(jobs["queued"])
    _, seen = run_at_terminal("jobs", "list", "--state", "running,cancelled,succeeded", cwd=here, columns=150)
    assert [line.split()[4:8] for line in seen.splitlines()[1:]] == [
        ["succeeded", "just", "now", "0/25"],
        ["cancelled", "just", "now", "0/25"],
        ["running", "2", "h", "ago"],
        ["cancelled", "2", "h", "ago"],
    ]


def test_show_shows_a_handler_that_is_no_json(call: Call, app: Backburner) -> None:
    job = Job(id=uuid.uuid4(), name="odd", handler="{not json", queue="q", priority=0, run_at=now(), created_at=now())
    app.store.run(app.store.enqueue([job]))
    assert "handler:      {not json\n" in call("jobs", "show", str(job.id)).out


@pytest.mark.parametrize("verb", ["show", "retry", "cancel", "delete"])
@pytest.mark.parametrize("job_id", ["019a0000-0000-7000-8000-000000000000", "no-id"])
def test_an_id_that_no_job_has_is_answered_with_no(call: Call, app: Backburner, verb: str, job_id: str) -> None:
    more = ["--yes"] if verb == "delete" else []
    result = call("jobs", verb, job_id, *more)
    assert (result.code, result.out, result.err.count("\n")) == (1, "", 1)
    assert result.err.startswith("backburner: no job has the id ")
    assert job_id in result.err


def test_retry_makes_jobs_due_with_all_their_attempts(call: Call, app: Backburner, jobs: dict[str, Job[Any]]) -> None:
    result = call("jobs", "retry", *ids(jobs["failed"], jobs["later"]))
    assert (result.code, result.err) == (0, "")
    assert result.out.splitlines() == [
        f"{jobs['failed'].id} fail is queued again",
        f"{jobs['later'].id} send_welcome is queued again",
    ]
    again = app.jobs.get(jobs["failed"].id)
    assert (again.state, again.attempts, again.failed_at) == (State.QUEUED, 0, None)
    assert app.jobs.get(jobs["later"].id).run_at <= now()


def test_retry_goes_on_after_a_job_that_cannot_be_retried(call: Call, jobs: dict[str, Job[Any]]) -> None:
    result = call("jobs", "retry", *ids(jobs["succeeded"], jobs["failed"]), "--json")
    assert result.code == 1
    assert [job["id"] for job in result.json] == ids(jobs["failed"])
    assert "it is succeeded" in result.err


def test_retry_of_all_or_of_a_queue_means_the_failed_ones(call: Call, app: Backburner, jobs: Any) -> None:
    import shop

    shop.fail.options(max_attempts=1, queue="mail").delay("mail")
    app.worker(queues=["mail"]).work_off()
    assert call("jobs", "retry", "--queue", "mail").out == "1 failed job queued again\n"
    assert call("jobs", "retry", "--all", "--json").json == {"retried": 1}
    assert call("jobs", "retry", "--all").out == "0 failed jobs queued again\n"
    assert app.jobs.get(jobs["later"].id).run_at == jobs["later"].run_at


def test_cancel_calls_off_what_waits(call: Call, app: Backburner, jobs: dict[str, Job[Any]]) -> None:
    result = call("jobs", "cancel", *ids(jobs["queued"], jobs["failed"]))
    assert result.code == 1
    assert result.out == f"{jobs['queued'].id} send_welcome is cancelled\n"
    assert "it is failed" in result.err
    assert app.jobs.get(jobs["queued"].id).state is State.CANCELLED


def test_cancel_asks_a_running_job_to_stop(call: Call, app: Backburner, jobs: dict[str, Job[Any]]) -> None:
    job = jobs["queued"]
    app.store.run(app.store.claim_one(job.id, 1, "worker"))
    assert call("jobs", "cancel", str(job.id)).out == f"{job.id} send_welcome is running and was asked to stop\n"
    refused = call("jobs", "delete", "--yes", str(job.id))
    assert (refused.code, refused.out) == (1, "")
    assert "it is running" in refused.err


def test_delete_needs_yes_where_there_is_no_terminal(call: Call, app: Backburner, jobs: dict[str, Job[Any]]) -> None:
    job_id = str(jobs["queued"].id)
    result = call("jobs", "delete", job_id)
    assert result.code == 2
    assert (
        result.err
        == f"backburner: expected --yes, as there is no terminal to ask at: Delete 1 job from {app.store.url}?\n"
    )
    assert call("jobs", "delete", job_id, "--yes").out == f"{job_id} send_welcome is deleted\n"
    assert call("jobs", "show", job_id).code == 1


@pytest.mark.parametrize(("answer", "code"), [("n\n", 1), ("\n", 1), ("y\n", 0), ("YES\n", 0)])
def test_delete_asks_at_a_terminal(app: Backburner, jobs: Any, here: Path, answer: str, code: int) -> None:
    job = jobs["queued"]
    ended, seen = run_at_terminal("jobs", "delete", str(job.id), cwd=here, answer=answer, columns=200)
    assert ended == code
    assert f"Delete 1 job from {app.store.url}? [y/N] " in seen
    assert ("is deleted" in seen, "nothing was deleted" in seen) == (code == 0, code == 1)
    assert app.jobs.count(name=job.name, state=State.QUEUED) == (1 if code == 0 else 2)


def now() -> datetime:
    return datetime.now(UTC)
