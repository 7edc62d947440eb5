"""Ids: UUIDs of version 7 that grow."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from itertools import pairwise
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backburner.authoring.ids import UuidMaker, new_id


def millis_of(uuid: UUID) -> int:
    return uuid.int >> 80


def test_they_are_uuids_of_version_7_with_the_time_in_front():
    before = time.time_ns() // 1_000_000
    made = new_id()
    after = time.time_ns() // 1_000_000
    assert isinstance(made, UUID)
    assert (made.version, made.variant) == (7, RFC_4122)
    assert before <= millis_of(made) <= after
    assert UUID(str(made)) == made
    assert hash(UUID(str(made))) == hash(made)


def test_they_grow_within_a_millisecond():
    make = UuidMaker(clock=lambda: 1_700_000_000_000_000_000)
    made = [make() for _ in range(10_000)]
    assert all(a < b for a, b in pairwise(made))
    assert {millis_of(uuid) for uuid in made} == {1_700_000_000_000}
    assert {(uuid.version, uuid.variant) for uuid in made} == {(7, RFC_4122)}


@given(st.lists(st.integers(0, 2**48 - 1), min_size=2, max_size=50))
def test_they_grow_whatever_the_clock_does(millis):
    times = iter([value * 1_000_000 for value in millis])
    make = UuidMaker(clock=lambda: next(times))
    made = [make() for _ in millis]
    assert all(a < b for a, b in pairwise(made))
    assert millis_of(made[-1]) == max(millis)


@pytest.mark.parametrize("byte", [b"\x00", b"\xff"])
def test_there_is_room_for_a_million_in_a_millisecond(byte):
    make = UuidMaker(clock=lambda: 0, random=lambda size: byte * size)
    first = make()
    make._tail += 1_000_000 * 2**32
    last = make()
    assert first < last
    assert (millis_of(last), last.version, last.variant) == (0, 7, RFC_4122)


def test_threads_get_different_ones():
    made: list[list[UUID]] = [[] for _ in range(4)]
    start = threading.Barrier(4)

    def make(into: list[UUID]) -> None:
        start.wait()
        into.extend(new_id() for _ in range(5_000))

    threads = [threading.Thread(target=make, args=(into,)) for into in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({uuid for part in made for uuid in part}) == 20_000
    assert all(part == sorted(part) for part in made)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is nothing to be inherited without fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_makes_others_than_its_parent():
    new_id()
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    child = context.Process(target=lambda: queue.put([new_id() for _ in range(100)]))
    child.start()
    theirs = queue.get()
    child.join()
    ours = [new_id() for _ in range(100)]
    assert not {uuid.int & (2**62 - 1) for uuid in ours} & {uuid.int & (2**62 - 1) for uuid in theirs}


def test_chance_comes_from_the_system_in_large_draughts():
    asked: list[int] = []

    def random(size: int) -> bytes:
        asked.append(size)
        return os.urandom(size)

    make = UuidMaker(clock=lambda: 0, random=random)
    for _ in range(1_000):
        make()
    assert asked == [4096]
