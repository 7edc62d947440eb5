"""Kill a worker of each library in the middle of a job, and see when another worker begins the job again.

`python -m benchmarks.peers.killed [--peer NAME …] [--wait SECONDS]`. The other worker is started at once. All are tried
at the same time, as there is little to do but to wait.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.peers.catalogue import PEERS, Peer
from benchmarks.peers.job import HANG
from benchmarks.peers.places import Places
from benchmarks.peers.turn import PATIENCE, Worker, enqueued, environment_of, running

LOOK_EVERY = 0.1


def main() -> None:
    """Print a line for each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.killed", description="Kill workers, and wait.")
    parser.add_argument("--peer", action="append", choices=PEERS, metavar="NAME", help="may be repeated")
    parser.add_argument("--wait", type=float, default=120, metavar="SECONDS", help="default: 120")
    arguments = parser.parse_args()
    peers = [PEERS[name] for name in arguments.peer or PEERS]
    with Places() as places, ThreadPoolExecutor(len(peers)) as pool:
        for place in {peer.place for peer in peers}:
            places.described(place)  # starts the server that all share, before they ask for it at the same time
        for line in pool.map(lambda peer: f"{peer.name}: {_tried(peer, places, arguments.wait)}", peers):
            print(line, flush=True)


def _tried(peer: Peer, places: Places, wait: float) -> str:
    try:
        seconds = seconds_until_again(peer, places, wait)
    except Exception as error:  # whatever it is, it must not cost the others
        return f"NOT TRIED: {type(error).__name__}: {error}"
    return f"not again within {wait:.0f} s" if seconds is None else f"again after {seconds:.0f} s"


def seconds_until_again(peer: Peer, places: Places, wait: float) -> float | None:
    """Return when a job is begun again whose worker was killed; None when it was not within the time."""
    peer.version  # noqa: B018  # raises NotInstalled
    with tempfile.TemporaryDirectory(prefix="backburner-peers-") as name, places.fresh(peer.place) as url:
        folder = Path(name)
        marks = folder / "marks"
        marks.touch()
        environment = {**environment_of(url, marks), HANG: "1"}
        enqueued(peer, 1, 60, environment, warm_up=0)
        with running(peer, url, environment, folder / "first") as worker:
            if _seconds_until(1, marks, worker, PATIENCE) is None:
                raise TimeoutError(f"the first worker began no job: {worker.last_words}")
        with running(peer, url, environment, folder / "second") as worker:
            return _seconds_until(2, marks, worker, wait)


def _seconds_until(count: int, marks: Path, worker: Worker, wait: float) -> float | None:
    began = time.perf_counter()
    while marks.stat().st_size < count:
        if time.perf_counter() > began + wait:
            return None
        worker.check()
        time.sleep(LOOK_EVERY)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
