"""External API requests: a charge that is made once, at the pace that the API asks for."""

from __future__ import annotations

import json
import os
import sys
from datetime import timedelta
from email.utils import parsedate_to_datetime
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from backburner import Cancel, Fail, Retry, current_job, job

from .database import database

API = os.environ.get("WORK_API", "http://127.0.0.1:8080")


@job(queue="api", max_attempts=12, max_run_time=60)
def charge(order: int) -> None:
    with database() as db:
        found = db.execute("SELECT cents, charge FROM orders WHERE id = ?", (order,)).fetchone()
    if found is None:
        raise Cancel(f"order {order} is gone")
    cents, charged = found
    if charged is None:  # an earlier attempt may have done it
        receipt = post("/charges", {"order": order, "cents": cents})
        with database() as db:
            db.execute("UPDATE orders SET charge = ? WHERE id = ?", (receipt["id"], order))


def post(path: str, body: dict[str, int]) -> dict[str, str]:
    """Send a request that may be repeated, since the API knows its key; say when it is to be repeated."""
    headers = {"Content-Type": "application/json", "Idempotency-Key": str(current_job().id)}
    request = Request(API + path, json.dumps(body).encode(), headers)
    try:
        with urlopen(request, timeout=10) as answer:
            receipt: dict[str, str] = json.load(answer)
            return receipt
    except HTTPError as error:
        if error.code != 429 and error.code < 500:
            raise Fail(f"the API refuses it: {error.code} {error.reason}") from error  # and always will
        if wait := error.headers["Retry-After"]:
            raise Retry(timedelta(seconds=int(wait)) if wait.isdigit() else parsedate_to_datetime(wait)) from error
        raise  # again after attempts**4 + 5 seconds, as when the API cannot be reached at all


if __name__ == "__main__":
    from .app import app

    with app:
        print(charge.delay(int(sys.argv[1])).handler)
