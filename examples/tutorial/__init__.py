"""The tutorial as an application: who signs up gets a welcome mail, sent in the background."""

from __future__ import annotations
