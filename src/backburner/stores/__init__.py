"""Where jobs live. `open_store` makes a store from a URL; the stores do not know each other."""

from __future__ import annotations

from backburner.stores.open import open_store

__all__ = ["open_store"]
