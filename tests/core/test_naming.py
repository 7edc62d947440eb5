"""Names of code, and the way back."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from backburner.core.errors import DeserializationError, NotAllowed, NotImportable, UnknownJob
from backburner.core.naming import find, find_module, home_of, name_of
from tests.core import shop
from tests.core.conftest import SHOP

SRC = Path(__file__).parents[2] / "src"


def everywhere(module: str) -> bool:
    return True


def nowhere(module: str) -> bool:
    return False


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (shop.greet, "greet"),
        (shop.charge, "charge"),
        (shop.area, "area"),
        (shop.welcome, "welcome"),
        (shop.Cart, "Cart"),
        (shop.Outer.Inner, "Outer.Inner"),
        (shop.Cart.check_out, "Cart.check_out"),
        (shop.Tool.sharpen, "Tool.sharpen"),
        (shop._tidy_up, "_tidy_up"),
    ],
)
def test_a_name_leads_back_to_the_code(code: Any, name: str) -> None:
    assert name_of(code) == f"{SHOP}:{name}"
    assert find(f"{SHOP}:{name}", nowhere) is code


def test_the_name_of_a_wrapped_function_leads_to_its_wrapper() -> None:
    assert name_of(shop.welcome.__wrapped__) == f"{SHOP}:welcome"  # type: ignore[attr-defined]  # set by update_wrapper
    assert find(f"{SHOP}:welcome", nowhere) is shop.welcome


def test_a_module_has_a_name() -> None:
    assert name_of(shop) == SHOP
    assert find_module(SHOP, nowhere) is shop


def local_function() -> Any:
    def inner() -> None: ...

    return inner


class Callable:
    def __call__(self) -> None: ...


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (lambda: None, "a lambda"),
        (shop.shout, "a lambda"),
        (local_function(), "inside a function"),
        (shop.double, "partial has no name"),
        (Callable(), "Callable has no name"),
        (shop.Cart("ann", []).check_out, "does not lead back"),
        (shop.Tool.make, "does not lead back"),
        ([].append, "has no name"),
        (shop.Form.model_rebuild, "does not lead back"),
        (types.ModuleType("nowhere_to_be_found"), "does not lead back"),
    ],
)
def test_what_another_process_could_not_find_has_no_name(code: Any, reason: str) -> None:
    with pytest.raises(NotImportable, match=reason):
        name_of(code)


def test_a_function_that_was_replaced_has_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    greet = shop.greet
    monkeypatch.setattr(shop, "greet", shop.charge)
    with pytest.raises(NotImportable, match="does not lead back"):
        name_of(greet)


def test_names_that_are_no_names_of_python_are_not_importable() -> None:
    function = types.FunctionType(shop.greet.__code__, {}, "greet")
    for qualname in ("Response[int]", "a b", "", "x" * 1000):
        function.__module__, function.__qualname__ = SHOP, qualname
        with pytest.raises(NotImportable):
            name_of(function)


def test_a_patched_function_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find(f"{SHOP}:greet", nowhere) is shop.greet
    monkeypatch.setattr(shop, "greet", len)
    assert find(f"{SHOP}:greet", nowhere) is len


@pytest.mark.parametrize(
    "name",
    [
        None,
        7,
        [],
        {},
        "",
        "greet",
        ":",
        f"{SHOP}:",
        ":greet",
        f"{SHOP}:a..b",
        f"{SHOP}:a b",
        f"{SHOP}/x:a",
        "a:b:c",
        "x" * 501,
    ],
)
def test_what_is_no_name_cannot_be_read(name: Any) -> None:
    with pytest.raises(DeserializationError):
        find(name, everywhere)


@pytest.mark.parametrize(
    "name",
    [
        f"{SHOP}:__builtins__",
        f"{SHOP}:Cart.__init__",
        f"{SHOP}:greet.__globals__",
        f"{SHOP}:__class__.x",
        "tests.__init__:x",
    ],
)
def test_double_underscores_are_refused(name: str) -> None:
    with pytest.raises(NotAllowed, match="two leading underscores"):
        find(name, everywhere)
    with pytest.raises(NotAllowed, match="two leading underscores"):
        find_module("tests.__init__", everywhere)


@pytest.mark.parametrize(
    "path", ["os.system", "calls.clear", "Cart.total.fget", "greet.x", "Worker.program.x", "shop.greet"]
)
def test_only_classes_lie_on_the_way_to_a_function(path: str) -> None:
    with pytest.raises(UnknownJob):
        find(f"{SHOP}:{path}", everywhere)


def test_inherited_members_are_found_by_the_name_of_a_subclass() -> None:
    assert find(f"{SHOP}:SlottedMore.private", nowhere) is shop.Slotted.private


def test_an_unknown_function_is_an_unknown_job() -> None:
    with pytest.raises(UnknownJob, match=f"{SHOP} has no vanished here"):
        find(f"{SHOP}:vanished", everywhere)


def test_a_module_outside_of_the_prefixes_is_not_imported() -> None:
    with pytest.raises(UnknownJob, match="`backburner work tabnanny`"):
        find("tabnanny:rgb_to_hls", nowhere)
    with pytest.raises(UnknownJob, match="`backburner work tabnanny`"):
        find_module("tabnanny", nowhere)
    assert "tabnanny" not in sys.modules


def test_a_module_under_the_prefixes_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "late_module.py").write_text("def f(): return 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert find("late_module:f", everywhere)() == 1
    assert find_module("late_module", nowhere).f() == 1
    del sys.modules["late_module"]


@pytest.mark.parametrize(
    "source", ["import module_that_is_not_there", "1 / 0", "def", "import sys; sys.exit(3)", "raise SystemExit"]
)
def test_a_module_that_cannot_be_imported_is_an_unknown_job(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_module.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UnknownJob, match="cannot be imported here"):
        find("broken_module:f", everywhere)


def test_a_module_that_is_not_there_is_an_unknown_job() -> None:
    with pytest.raises(UnknownJob, match="cannot be imported here: ModuleNotFoundError"):
        find(f"{SHOP}.nothing:f", everywhere)


def test_the_main_module_of_a_package_is_never_imported() -> None:
    with pytest.raises(UnknownJob):
        find("json.__main__:main", everywhere)
    assert "json.__main__" not in sys.modules


def test_what_a_program_defines_is_found_in_that_program_only() -> None:
    for name in ("__main__:vanished", "json.__main__:main"):
        with pytest.raises(UnknownJob, match="what a program defines itself is found in that program only"):
            find(name, everywhere)


def test_a_stranger_among_the_modules_is_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "stranger", Callable())
    with pytest.raises(UnknownJob):
        find("stranger:anything", nowhere)


def test_home_is_where_code_is_defined() -> None:
    assert home_of(shop.run_program) == "subprocess"
    assert home_of(shop.greet) == SHOP
    assert home_of(functools.partial(shop.greet)) == "functools"
    assert home_of([].append) is None


PROGRAM = """
import sys
from backburner.core.errors import UnknownJob
from backburner.core.naming import name_of, find, home_of, find_module
print("loaded", __name__, file=sys.stderr)
def work(): return "worked"
class Job:
    def perform(self): return "performed"
if __name__ == "__main__":
    never = lambda module: False
    name = name_of(work)
    assert find(name, never) is work, name
    assert find(name_of(Job), never) is Job
    module = name_of(sys.modules["__main__"])
    assert find_module(module, never) is sys.modules["__main__"]
    try:
        find(module + ":vanished", lambda module: True)
    except UnknownJob as error:
        assert "has no vanished here" in str(error)
    print(name, home_of(Job), module)
"""


def output_of(*command: str, cwd: Path, stdin: str = "") -> str:
    environment = {**os.environ, "PYTHONPATH": str(SRC)}
    process = subprocess.run(
        [sys.executable, *command], cwd=cwd, env=environment, input=stdin, capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
    return process.stdout.strip()


def test_a_program_is_named_by_its_file(tmp_path: Path) -> None:
    (tmp_path / "bakery.py").write_text(PROGRAM)
    assert output_of("bakery.py", cwd=tmp_path) == "bakery:work bakery bakery"
    assert output_of(str(tmp_path / "bakery.py"), cwd=tmp_path.parent) == "bakery:work bakery bakery"


def test_a_module_that_is_run_is_named_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "town").mkdir()
    (tmp_path / "town" / "__init__.py").write_text("")
    (tmp_path / "town" / "bakery.py").write_text(PROGRAM)
    (tmp_path / "town" / "__main__.py").write_text(PROGRAM)
    assert output_of("-m", "town.bakery", cwd=tmp_path) == "town.bakery:work town.bakery town.bakery"
    assert output_of("-m", "town", cwd=tmp_path) == "town.__main__:work town.__main__ town.__main__"


def test_a_program_that_also_imports_itself_finds_what_it_runs(tmp_path: Path) -> None:
    (tmp_path / "bakery.py").write_text(PROGRAM.replace("import sys\n", "import sys, bakery\n"))
    assert output_of("bakery.py", cwd=tmp_path) == "bakery:work bakery bakery"


def test_a_program_does_not_stand_for_another_module_of_its_name(tmp_path: Path) -> None:
    source = """
import sys
sys.path.pop(0)
import json
from backburner.core.naming import find, name_of
from backburner.core.errors import NotImportable
def work(): ...
assert find("json:dumps", lambda module: False) is json.dumps
try:
    name_of(work)
except NotImportable:
    print("refused")
"""
    (tmp_path / "json.py").write_text(source)
    assert output_of("json.py", cwd=tmp_path) == "refused"


def test_what_is_typed_into_a_session_is_found_in_that_session() -> None:
    assert output_of("-", cwd=Path("/"), stdin=PROGRAM) == "__main__:work __main__ __main__"


def test_a_child_process_finds_what_its_parent_program_defines(tmp_path: Path) -> None:
    source = """
import multiprocessing
from backburner.core.naming import find, name_of
def work(): return "worked"
def child(name):
    print(name, name_of(work), find(name, lambda module: False)())
if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=child, args=(name_of(work),))
    process.start()
    process.join()
"""
    (tmp_path / "parent.py").write_text(source)
    assert output_of("parent.py", cwd=tmp_path) == "parent:work parent:work worked"
