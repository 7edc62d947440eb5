"""What the process of an isolated job tells its worker: lines of JSON, never code or pickled objects."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from backburner.core.job import Job
from backburner.core.lifecycle import Move
from backburner.core.ports import Settlement
from backburner.core.text import describe, message_of, printable
from backburner.core.times import from_micros, to_micros
from backburner.worker.outcome import Count, Outcome

LONGEST_NAME = 200
LONGEST_MESSAGE = 2_000


class RaisedElsewhere(Exception):
    """Stands for an exception of another process: its class has the same name, and the traceback is a note of it."""


@dataclass(frozen=True, slots=True)
class Begun:
    """The process has left behind what it has of its worker, and begins the attempt."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The attempt has ended."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Troubled:
    """A listener or hook raised where that changes nothing about the job."""

    event: str
    error: BaseException


Message = Begun | Ended | Troubled


def encoded(message: Message) -> bytes:
    """Return a message as a line."""
    match message:
        case Begun():
            body: dict[str, Any] = {"begun": True}
        case Ended(outcome):
            body = {"ended": _outcome_to_json(outcome)}
        case Troubled(event, error):
            body = {"troubled": event, "error": _error_to_json(error, describe(error))}
    return json.dumps(body).encode() + b"\n"


def decoded(line: bytes, job: Job[Any]) -> Message | None:
    """Return the message of a line about a job, which becomes what it was in the other process.

    None for what is no message: a process whose memory was overwritten may say anything.
    """
    try:
        body = json.loads(line)
        if "ended" in body:
            return Ended(_outcome_from_json(body["ended"], job))
        if "troubled" in body:
            return Troubled(body["troubled"], _error_from_json(body["error"]))
        return Begun() if body == {"begun": True} else None
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None


def _outcome_to_json(outcome: Outcome) -> dict[str, Any]:
    settlement, job = outcome.settlement, outcome.job
    error = outcome.error
    return {
        "move": settlement.move.value,
        "run_at": None if settlement.run_at is None else to_micros(settlement.run_at),
        "error": settlement.error,
        "keep": settlement.keep,
        "counts": settlement.counts,
        "result": settlement.result,
        "count": outcome.count.value,
        "raised": None if error is None else _error_to_json(error, settlement.error or ""),
        "attempts": job.attempts,
        "last_error": job.last_error,
    }


def _outcome_from_json(body: dict[str, Any], job: Job[Any]) -> Outcome:
    settlement = Settlement(
        job.id,
        job.lease or 0,
        Move(body["move"]),
        run_at=None if body["run_at"] is None else from_micros(body["run_at"]),
        error=body["error"],
        keep=body["keep"],
        counts=body["counts"],
        result=body["result"],
    )
    error = None if body["raised"] is None else _error_from_json(body["raised"])
    job.attempts, job.last_error = body["attempts"], body["last_error"]
    return Outcome(job, settlement, Count(body["count"]), error)


def _error_to_json(error: BaseException, described: str) -> dict[str, str]:
    cls = type(error)
    return {
        "module": cls.__module__,
        "name": printable(cls.__qualname__, LONGEST_NAME),
        "message": message_of(error)[:LONGEST_MESSAGE],
        "traceback": described.partition("\n")[2],
    }


def _error_from_json(body: dict[str, str]) -> BaseException:
    error = _class_like(body["module"], body["name"])(body["message"])
    if body["traceback"]:
        error.add_note(body["traceback"])
    return error


@lru_cache(100)
def _class_like(module: str, name: str) -> type[RaisedElsewhere]:
    return type(name.rpartition(".")[2], (RaisedElsewhere,), {"__module__": module, "__qualname__": name})
