"""The memory store: jobs in this process, gone with it. The specification of every other store."""

from __future__ import annotations

from backburner.stores.memory.store import MemoryStore

__all__ = ["MemoryStore"]
