"""The house rules that no linter measures: what an import costs, how long code is, what the public face holds."""

from __future__ import annotations

import ast
import graphlib
import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import backburner
from backburner.core import errors

ROOT = Path(__file__).parent.parent
SRC = ROOT / "src"
MODULES = {
    ".".join(path.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((SRC / "backburner").rglob("*.py"))
}

IMPORT_BUDGET = 2.5
"""Times what the modules of the standard library cost that it cannot do without."""
LONGEST_FUNCTION = 50
LONGEST_FILE = 400

COSTLY = {
    "argparse",
    "asyncio",
    "concurrent",
    "ctypes",
    "decimal",
    "email",
    "fractions",
    "hashlib",
    "http",
    "logging",
    "multiprocessing",
    "pathlib",
    "pydoc",
    "random",
    "selectors",
    "smtplib",
    "socket",
    "sqlite3",
    "ssl",
    "subprocess",
    "tempfile",
    "unittest",
    "urllib",
    "zoneinfo",
}

PUBLIC = {
    "Backburner",
    "Cancel",
    "Delayable",
    "Fail",
    "Job",
    "JobHooks",
    "Retry",
    "Snooze",
    "State",
    "abulk",
    "adelay",
    "aenqueue",
    "aenqueue_all",
    "bulk",
    "configure",
    "current",
    "current_job",
    "delay",
    "enqueue",
    "enqueue_all",
    "handle_asynchronously",
    "job",
    "jobs",
}


def test_importing_backburner_costs_little_more_than_what_it_needs_of_python() -> None:
    python("import backburner")  # writes the bytecode
    bare, standard, loaded = [], [], []
    for _ in range(15):
        bare.append(seconds_to_run("pass"))
        standard.append(seconds_to_run("import dataclasses, datetime, inspect, json, typing, uuid"))
        loaded.append(seconds_to_run("import backburner"))
    assert min(loaded) - min(bare) <= IMPORT_BUDGET * (min(standard) - min(bare))


def test_importing_backburner_loads_nothing_that_it_does_not_need_at_once() -> None:
    loaded = {name.partition(".")[0] for name in modules_loaded_by("import backburner")}
    assert loaded - sys.stdlib_module_names == {"backburner"}
    assert loaded & COSTLY == set()


def test_functions_are_short() -> None:
    lengths = {f"{module}:{node.name}": length(node) for module in MODULES for node in functions(module)}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION} == {}


def test_files_are_short() -> None:
    lengths = {module: len(path.read_text().splitlines()) for module, path in MODULES.items()}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    graph = {module: set(imports_of(module)) - {module} for module in MODULES}
    graphlib.TopologicalSorter(graph).prepare()


def test_every_public_name_is_there() -> None:
    tree_of_errors = {name for name, value in vars(errors).items() if isinstance(value, type)}
    assert (PUBLIC | tree_of_errors) - set(backburner.__all__) == set()
    assert [name for name in backburner.__all__ if not hasattr(backburner, name)] == []
    assert backburner.__all__ == sorted(backburner.__all__)


def python(code: str) -> str:
    """Run code in an interpreter that sees the standard library and this source tree, and nothing else."""
    command = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(SRC)!r}); {code}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def seconds_to_run(code: str) -> float:
    """Return the processor time that code takes: an import waits for nothing, and other tests run at the same time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    python(code)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def modules_loaded_by(code: str) -> set[str]:
    after = "new = set(sys.modules) - before; import json; print(json.dumps(list(new)))"
    return set(json.loads(python(f"before = set(sys.modules); {code}; {after}")))


def tree_of(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text())


def functions(module: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return how many lines a function has, its docstring aside."""
    assert function.end_lineno is not None
    lines = function.end_lineno - function.lineno + 1
    return lines - len((ast.get_docstring(function, clean=False) or "").splitlines())


def imports_of(module: str) -> Iterator[str]:
    """Yield the modules of ours that are imported when a module is, those for type checkers aside."""
    for node in run_at_import(tree_of(module).body):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import"
            for alias in node.names:
                yield from [name for name in (f"{node.module}.{alias.name}", str(node.module)) if name in MODULES][:1]


def run_at_import(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        yield node
        match node:
            case ast.If(test=ast.Name("TYPE_CHECKING")):
                yield from run_at_import(node.orelse)
            case ast.If() | ast.Try():
                yield from run_at_import([*node.body, *node.orelse])
            case ast.With() | ast.ClassDef():
                yield from run_at_import(node.body)
            case _:
                pass
