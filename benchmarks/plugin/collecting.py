"""What the plugin adds to the collection of tests that have nothing to do with jobs, its own import included."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path

from benchmarks.measure import alternating
from benchmarks.plugin.in_a_child import in_a_child, run_pytest
from benchmarks.plugin.suites import suite
from benchmarks.results import Result, line
from benchmarks.targets import Goal

PLUGIN = "backburner_pytest"

MOST = Goal(5, "≤ 5 ms", is_upper=True)


def what_the_plugin_adds(count: int, turns: int) -> Result:
    """Let collections with and without the plugin take turns, each in a process of its own."""
    with suite(count, head="", body="pass") as folder:

        def collect(*plugins: str) -> float:
            return in_a_child(milliseconds_to_collect, folder, plugins)

        collect()  # writes what Python and pytest keep of the files
        with_it, without = alternating(lambda: collect(PLUGIN), collect, rounds=turns)
    added = with_it.beyond(without)
    compared = f"{without.median:.0f} ms without"
    return line(f"plugin, collection of {count:,} tests", f"{added:+.1f} ms", (MOST, added), compared=compared)


def milliseconds_to_collect(folder: Path, plugins: Sequence[str]) -> float:
    """Return the processor time that pytest takes to import these plugins, and to collect the tests in a folder."""
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        began = time.process_time()
        run_pytest("--collect-only", str(folder), plugins=[import_module(name) for name in plugins])
        return (time.process_time() - began) * 1000
