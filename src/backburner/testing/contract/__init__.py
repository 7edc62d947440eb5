"""The contract that every store keeps, as tests to be inherited.

::

    from backburner.testing.contract import StoreContract

    class TestMyStore(StoreContract):
        def make_store(self, clock):
            return MyStore(clock=clock)

Each test runs twice: its operations are run, and awaited. `backburner.testing.contract.machine` compares a store with
the memory store, which is the specification, step by step. Needs pytest; the machine needs hypothesis.
"""

from __future__ import annotations

import pkgutil

import pytest

# Before they are imported: so that a failing assert in them shows its values.
pytest.register_assert_rewrite(*(f"{__name__}.{module.name}" for module in pkgutil.iter_modules(__path__)))

from backburner.testing.contract.changing import ChangeContract  # noqa: E402 # see above
from backburner.testing.contract.claiming import ClaimContract  # noqa: E402
from backburner.testing.contract.claiming_by_filter import ClaimFilterContract  # noqa: E402
from backburner.testing.contract.driving import Contract, Driven, ManualClock  # noqa: E402
from backburner.testing.contract.enqueueing import EnqueueContract  # noqa: E402
from backburner.testing.contract.joining import JoinContract  # noqa: E402
from backburner.testing.contract.looking import LookContract  # noqa: E402
from backburner.testing.contract.schema import SchemaContract  # noqa: E402
from backburner.testing.contract.settling import SettleContract  # noqa: E402
from backburner.testing.contract.upkeep import UpkeepContract  # noqa: E402
from backburner.testing.contract.watching import WatchContract  # noqa: E402

__all__ = ["Contract", "Driven", "ManualClock", "StoreContract"]


class StoreContract(
    EnqueueContract,
    ClaimContract,
    ClaimFilterContract,
    SettleContract,
    ChangeContract,
    UpkeepContract,
    LookContract,
    WatchContract,
    SchemaContract,
    JoinContract,
):
    """All that a store has to keep. A test class that inherits it says how to make the store."""
