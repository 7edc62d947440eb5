"""The pytest plugin, as its users run it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from backburner import testing

pytest_plugins = ["pytester"]

STRICT = ("--strict-markers", "--strict-config", "-W", "error", "-p", "no:cacheprovider")


def test_functions_of_the_test_may_be_named(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        from backburner import current, delay, enqueue

        done = []

        def note(number):
            done.append(number)

        class Note:
            def __init__(self, number):
                self.number = number

            def perform(self):
                done.append(self.number)

        def test_jobs(backburner):
            assert backburner.app is current()
            delay(note)(1)
            enqueue(Note(2))
            backburner.assert_enqueued(note, 1)
            backburner.assert_enqueued(Note)
            assert backburner.drain() == (2, 0)
            assert done == [1, 2]

        class TestInAClass:
            def test_jobs(self, backburner):
                delay(note)(3)
                assert backburner.drain() == (1, 0)
        """
    )
    pytester.runpytest(*STRICT).assert_outcomes(passed=2)


def test_the_package_of_the_test_may_be_named(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        **{
            "checks/__init__": "",
            "checks/shop": "def sell(): pass",
            "checks/unit/__init__": "",
            "checks/unit/test_shop": """
                from backburner import delay
                from checks.shop import sell

                def test_sell(backburner):
                    delay(sell)()
                    assert backburner.drain() == (1, 0)
                """,
        }
    )
    pytester.runpytest(*STRICT, "--import-mode=importlib").assert_outcomes(passed=1)


def test_other_code_may_not_be_named_unless_it_is_allowed(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(shop="def sell(): pass")
    pytester.makepyfile(
        """
        import pytest
        from backburner import NotAllowed, delay
        from shop import sell

        def test_refused(backburner):
            with pytest.raises(NotAllowed):
                delay(sell)()

        class TestAllowed:
            @pytest.fixture
            def backburner_settings(self):
                return {"allow": ["shop"], "default_queue": "shopping"}

            def test_sell(self, backburner):
                delay(sell)()
                backburner.assert_enqueued(sell, queue="shopping")
                assert backburner.drain() == (1, 0)
        """
    )
    pytester.runpytest(*STRICT).assert_outcomes(passed=2)


def test_every_test_has_a_clean_app_and_the_former_one_returns(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest
        from backburner import configure, current, job, jobs
        from backburner.mail import Mailer, Message

        own = configure("memory://")

        @job
        def note():
            pass

        @pytest.mark.parametrize("number", [1, 2])
        def test_clean(backburner, number):
            assert Mailer.deliveries == []
            note.delay()
            Message("ann@example.com", sender="shop@example.com").deliver()
            assert len(Mailer.deliveries) == 1
            assert jobs.count() == 1
            assert current() is not own

        def test_former():
            assert current() is own
            assert jobs.count() == 0
        """
    )
    pytester.runpytest(*STRICT).assert_outcomes(passed=3)


def test_an_app_of_ones_own(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        import pytest
        from backburner import Backburner

        @pytest.fixture
        def backburner_app(tmp_path, backburner_clock):
            with Backburner(f"sqlite:///{tmp_path}/shop.db", clock=backburner_clock) as app:
                yield app
        """
    )
    pytester.makepyfile(
        """
        from backburner import current, job

        done = []

        @job
        def note(number):
            done.append(number)

        def test_own_app(backburner, tmp_path):
            note.options(run_at=60).delay(1)
            assert backburner.drain() == (0, 0)
            backburner.travel(60)
            assert backburner.drain() == (1, 0)
            assert done == [1]
            assert current().store.url.endswith("shop.db")
            assert (tmp_path / "shop.db").exists()
        """
    )
    pytester.runpytest(*STRICT).assert_outcomes(passed=1)


def test_a_failing_test_shows_the_nearest_jobs(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        from backburner import job

        @job
        def note(number):
            pass

        def test_note(backburner):
            note.delay(1)
            backburner.assert_enqueued(note, 2)
        """
    )
    result = pytester.runpytest(*STRICT)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *AssertionError: expected a job note(2); found none among 1 job",
            "E *The nearest, with - what was expected and + what was enqueued:",
            "E *  note(1), queue 'default', priority 0, run_at *",
            "E *    - number: 2",
            "E *    + number: 1",
        ]
    )


def test_in_several_processes(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest
        from backburner import job

        @job
        def note(number):
            pass

        @pytest.mark.parametrize("number", range(6))
        def test_note(backburner, number):
            note.delay(number)
            backburner.assert_enqueued(note, number, count=1)
            assert backburner.drain() == (1, 0)
        """
    )
    pytester.runpytest_subprocess(*STRICT, "-n", "2").assert_outcomes(passed=6)


def test_the_fixtures_tell_what_they_are_for(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest("--fixtures")
    result.stdout.fnmatch_lines(["backburner -- *", "*Put a clean in-memory app under test*"])
    assert result.ret == 0


def test_loading_the_plugin_loads_little() -> None:
    code = (
        "import json, sys, pytest; before = set(sys.modules); "
        "import backburner_pytest; print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert json.loads(loaded) == ["backburner_pytest"]


def test_every_name_of_the_package_is_there() -> None:
    assert [name for name in testing.__all__ if not hasattr(testing, name)] == []
    assert testing.__all__ == sorted(testing.__all__)
    with pytest.raises(AttributeError, match=r"^module 'backburner\.testing' has no attribute 'drain'$"):
        testing.drain  # noqa: B018  # reading it raises
