"""The marker of the pytest plugin."""

from __future__ import annotations

import pytest

from tests.testing.test_plugin import STRICT

pytest_plugins = ["pytester"]

JOBS = """
    import pytest
    from backburner import current, job, jobs

    done = []

    @job
    def note(number):
        done.append(number)
"""


@pytest.fixture(autouse=True)
def _jobs(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(shop=JOBS)


def test_the_modes(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest
        from backburner import ConfigurationError
        from shop import done, note

        @pytest.fixture(autouse=True)
        def forget():
            done.clear()

        @pytest.mark.backburner(mode="inline")
        def test_inline(backburner):
            note.delay(1)
            assert done == [1]
            backburner.refute_enqueued(note)

        @pytest.mark.backburner(mode="fake")
        def test_fake(backburner):
            job = note.delay(1)
            backburner.assert_enqueued(note, 1)
            assert backburner.enqueued(note) == backburner.enqueued() == [job]
            assert backburner.jobs.count() == 0
            for doing in (backburner.drain, lambda: backburner.perform(job)):
                with pytest.raises(ConfigurationError, match="expected jobs that are stored, got mode 'fake'"):
                    doing()

        @pytest.mark.backburner(mode="drain")
        def test_drain(backburner):
            note.delay(1)
            assert (done, backburner.jobs.count()) == ([], 1)
            assert backburner.drain() == (1, 0)

        @pytest.mark.backburner
        def test_none(backburner):
            note.delay(1)
            assert done == []
        """
    )
    pytester.runpytest(*STRICT).assert_outcomes(passed=4)


def test_a_test_with_the_marker_needs_not_ask_for_the_fixture(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import unittest
        import pytest
        from backburner import configure, current
        from shop import done, note

        own = configure("memory://")

        @pytest.fixture
        def sold():
            return note.delay(1)

        @pytest.mark.backburner(mode="inline")
        def test_function(sold):
            assert sold.state == "succeeded"
            assert current() is not own

        @pytest.mark.backburner(mode="inline")
        class TestInAClass:
            def test_method(self):
                assert current() is not own

        @pytest.mark.backburner(mode="inline")
        class InACase(unittest.TestCase):
            def test_method(self):
                assert current() is not own

        @pytest.mark.parametrize("own_app", [True, pytest.param(False, marks=pytest.mark.backburner(mode="fake"))])
        def test_some(own_app):
            assert (current() is own) == own_app

        def test_other():
            assert current() is own
        """
    )
    pytester.runpytest(*STRICT).assert_outcomes(passed=6)


def test_a_conftest_may_mark_tests(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        import pytest

        def pytest_collection_modifyitems(items):
            for item in items:
                item.add_marker(pytest.mark.backburner(mode="inline"))
        """
    )
    pytester.makepyfile(
        """
        from shop import note

        def test_function():
            assert note.delay(1).state == "succeeded"
        """
    )
    pytester.runpytest(*STRICT).assert_outcomes(passed=1)


def test_the_nearest_marker_counts(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest
        from shop import note

        pytestmark = pytest.mark.backburner(mode="fake")

        def test_module(backburner):
            note.delay(1)
            assert backburner.jobs.count() == 0

        @pytest.mark.backburner(mode="drain")
        def test_function(backburner):
            note.delay(1)
            assert backburner.jobs.count() == 1
        """
    )
    pytester.runpytest(*STRICT).assert_outcomes(passed=2)


def test_settings(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest
        from shop import note

        @pytest.fixture
        def backburner_settings():
            return {"default_queue": "sums", "max_attempts": 7}

        @pytest.mark.backburner(max_attempts=3)
        def test_settings(backburner):
            job = note.delay(1)
            assert (job.queue, job.max_attempts) == ("sums", 3)

        @pytest.mark.backburner(max_atempts=3)
        def test_typing_error(backburner):
            pass
        """
    )
    result = pytester.runpytest(*STRICT)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["E *ConfigurationError: *max_atempts*"])


def test_settings_and_an_app_of_ones_own(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest
        from backburner import Backburner

        @pytest.fixture
        def backburner_app():
            with Backburner("memory://", max_attempts=3) as app:
                yield app

        @pytest.mark.backburner(max_attempts=3)
        def test_same(backburner):
            pass

        @pytest.mark.backburner(max_attempts=4)
        def test_other(backburner):
            pass
        """
    )
    result = pytester.runpytest(*STRICT)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        ["E *UsageError: @pytest.mark.backburner(max_attempts=…): expected an app that the plugin makes, got one of *"]
    )


@pytest.mark.parametrize(
    ("marker", "got"),
    [
        ('(mode="fke")', "mode='fke'"),
        ("(mode=None)", "mode=None"),
        ('("fake")', "'fake'"),
        ('("fake", mode="fke")', "'fake', mode='fke'"),
    ],
)
def test_a_wrong_marker_is_a_usage_error(pytester: pytest.Pytester, marker: str, got: str) -> None:
    pytester.makepyfile(
        f"""
        import pytest

        @pytest.mark.backburner{marker}
        def test_wrong():
            pass
        """
    )
    result = pytester.runpytest(*STRICT)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            "ERROR: *::test_wrong: @pytest.mark.backburner: expected one of mode='drain', mode='inline', mode='fake', "
            f"or settings, got {got}"
        ]
    )


def test_pytest_knows_the_marker(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest("--markers")
    result.stdout.fnmatch_lines(["@pytest.mark.backburner(mode=*): put an app under test whose jobs are stored until*"])


def test_a_connection_of_the_tests(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        import sqlite3
        from contextlib import closing
        import pytest
        from backburner import Backburner

        @pytest.fixture(scope="session")
        def database(tmp_path_factory):
            path = tmp_path_factory.mktemp("shop") / "shop.db"
            with Backburner(f"sqlite:///{path}") as app:
                app.migrate()
            return path

        @pytest.fixture
        def backburner_app(database, backburner_clock):
            with Backburner(f"sqlite:///{database}", clock=backburner_clock) as app:
                yield app

        @pytest.fixture
        def backburner_connection(database):
            with closing(sqlite3.connect(database)) as connection:
                yield connection
                connection.rollback()
        """
    )
    pytester.makepyfile(
        """
        import pytest
        from shop import note

        @pytest.mark.parametrize("number", [1, 2])
        def test_all_is_gone_afterwards(backburner, backburner_connection, number):
            assert backburner.jobs.count(state="succeeded") == 0
            note.delay(1)
            note.options(connection=backburner_connection).delay(2)
            assert backburner.drain() == (2, 0)
        """
    )
    pytester.runpytest(*STRICT).assert_outcomes(passed=2)


def test_faults(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        from shop import done, note

        def test_note_may_be_repeated(backburner, backburner_faults):
            for fault in backburner_faults(statements=False):
                with fault:
                    done.clear()
                    fault.perform(note.delay(1))
                    assert done == [1]
        """
    )
    result = pytester.runpytest(*STRICT)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *after the job was killed when it had returned, before that was noted, and *"])
