"""Settlements between the end of an attempt and the store's reply."""

from __future__ import annotations

from uuid import UUID

import pytest

from backburner.core.lifecycle import Move
from backburner.core.ports import Settlement
from backburner.worker.unsettled import Unsettled

A, B, C = (Settlement(UUID(int=number), 1, Move.FINISH) for number in (1, 2, 3))


def waiting(*settlements: Settlement) -> Unsettled:
    unsettled = Unsettled()
    for settlement in settlements:
        unsettled.add(settlement)
    return unsettled


def test_what_waits_is_taken_in_order_and_once() -> None:
    unsettled = waiting(A, B)
    assert unsettled
    assert unsettled.take() == [A, B]
    assert not unsettled
    assert unsettled.take() == []


def test_what_could_not_be_sent_comes_first_again() -> None:
    unsettled = waiting(A, B)
    taken = unsettled.take()
    unsettled.add(C)
    unsettled.put_back(taken)
    assert unsettled.take() == [A, B, C]


def test_a_block_that_fails_puts_back() -> None:
    unsettled = waiting(A, B)
    with pytest.raises(OSError, match="gone"):
        fail_to_send(unsettled)
    assert unsettled.take() == [A, B]
    with unsettled.taken() as taken:
        assert taken == []


def fail_to_send(unsettled: Unsettled) -> None:
    with unsettled.taken() as taken:
        assert taken == [A, B]
        raise OSError("gone")


def test_what_was_sent_once_and_is_said_to_be_lost_is_lost() -> None:
    unsettled = waiting(A, B)
    assert unsettled.applied(unsettled.take(), [B.job_id]) == [B.job_id]


def test_what_was_sent_twice_may_have_been_applied_the_first_time() -> None:
    unsettled = waiting(A, B)
    unsettled.put_back(unsettled.take())
    unsettled.add(C)
    assert unsettled.applied(unsettled.take(), [A.job_id, C.job_id]) == [C.job_id]


def test_the_doubt_ends_with_a_reply() -> None:
    unsettled = waiting(A)
    unsettled.put_back(unsettled.take())
    unsettled.applied(unsettled.take(), [])
    unsettled.add(A)
    assert unsettled.applied(unsettled.take(), [A.job_id]) == [A.job_id]


def test_the_doubt_is_about_one_attempt_of_a_job() -> None:
    unsettled = waiting(A)
    unsettled.put_back(unsettled.take())
    later = A._replace(lease=2)
    assert unsettled.applied([later], [A.job_id]) == [A.job_id]
    assert unsettled.applied(unsettled.take(), [A.job_id]) == []
