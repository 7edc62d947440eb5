"""Shows whether a job may be repeated: kills it everywhere, one place after the other, and performs it again.

::

    def test_a_charge_may_be_repeated(backburner, backburner_faults):
        for fault in backburner_faults():
            with fault:
                database.reset()
                fault.perform(charge.delay(7))
                assert database.charges_of(7) == 1

A worker may die at any time, and its job is then performed again: at least once is what a queue can promise. Here the
job is killed before and after each statement and each commit on the application's connections, at each `point` of its
code, and when it has returned and that was not noted yet.
"""

from __future__ import annotations

from backburner.testing.faults.everywhere import Fault, Faults, everywhere
from backburner.testing.faults.strike import Killed, point

__all__ = ["Fault", "Faults", "Killed", "everywhere", "point"]
