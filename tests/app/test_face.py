"""The names that are importable from the package."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import backburner
from backburner.core import errors

# fmt: off
EXPECTED = [
    "Backburner", "configure", "current", "delay", "enqueue", "job", "handle_asynchronously", "Delayable", "bulk",
    "jobs", "enqueue_all", "adelay", "aenqueue", "aenqueue_all", "abulk", "Job", "JobHooks", "current_job", "Retry",
    "Snooze", "Cancel", "Fail", "BackburnerError", "ConfigurationError", "SchemaMissing", "EnqueueError",
    "NotSerializable", "NotImportable", "NotAllowed", "UnsavedRecord", "DeserializationError", "RecordMissing",
    "UnknownJob", "JobNotFound", "InvalidState", "LeaseLost", "StoreUnavailable", "JobTimeout", "JobCancelled",
    "JobInterrupted",
]
# fmt: on


def test_every_public_name_is_there():
    assert set(EXPECTED) <= set(backburner.__all__)
    assert all(hasattr(backburner, name) for name in backburner.__all__)


def test_every_error_is_there():
    defined = [value for value in vars(errors).values() if getattr(value, "__module__", None) == errors.__name__]
    public = {value.__name__ for value in defined if isinstance(value, type)}
    assert public <= set(backburner.__all__)


def test_the_names_are_sorted_and_there_is_nothing_else():
    assert backburner.__all__ == sorted(backburner.__all__)
    modules = {"app", "authoring", "core", "inspection", "stores", "worker", "observe", "mail", "testing", "cli"}
    modules |= {"integrations", "annotations"}
    names = {name for name in vars(backburner) if name.isidentifier() and not name.startswith("_")}
    others = names - set(backburner.__all__) - modules
    assert others == set()


HEAVY = [
    *("asyncio", "sqlite3", "logging", "email", "ctypes", "concurrent.futures", "multiprocessing", "random"),
    *("backburner.worker", "backburner.stores", "backburner.core.telemetry", "backburner.mail", "backburner.testing"),
]


@pytest.mark.parametrize("module", HEAVY)
def test_nothing_heavy_is_imported(module):
    code = f"import sys, backburner; sys.exit({module!r} in sys.modules)"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    assert subprocess.run([sys.executable, "-c", code], check=False, env=environment).returncode == 0


def test_nothing_of_third_parties_is_imported():
    code = """
import sys
before = set(sys.modules)
import backburner
added = {module.partition(".")[0] for module in set(sys.modules) - before}
print(added - sys.stdlib_module_names)
"""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    done = subprocess.run([sys.executable, "-c", code], check=True, env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == "{'backburner'}"
