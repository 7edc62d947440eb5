"""Names of code, `module:qualname`, and the way back from a name to the code.

A name is followed through the dictionaries of modules and classes only: no property, no module inside a module and no
instance lies on the way, so that a name which came from a database reaches nothing by detours.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from functools import lru_cache
from types import ModuleType
from typing import Any, TypeGuard

from backburner.core.errors import DeserializationError, NotAllowed, NotImportable, UnknownJob
from backburner.core.marks import is_marked
from backburner.core.members import MISSING, find_member, function_in
from backburner.core.text import message_of

LONGEST_NAME = 500
_MAIN = ("__main__", "__mp_main__")


def name_of(code: Any) -> str:
    """Return the name of a function or class as `module:qualname`, of a module as `module`.

    Raises NotImportable when another process could not find it by that name, NotAllowed for double underscores.
    """
    if isinstance(code, ModuleType):
        return module_name_of(code)
    module, qualname = getattr(code, "__module__", None), getattr(code, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(qualname, str):
        raise NotImportable(f"{_shown(code)} has no name: expected a function or class defined in a module")
    if "<" in qualname:
        raise NotImportable(f"{qualname} is {_why_local(qualname)}, where no worker finds it: define it in a module")
    name = f"{real_name(module)}:{qualname}"
    if not _leads_to(name, code):
        raise NotImportable(f"the name {name} does not lead back to {_shown(code)}: a worker would not find it")
    return name


def module_name_of(module: ModuleType) -> str:
    """Return the name under which other processes import this module."""
    name = real_name(module.__name__)
    if _module_here(name) is not module:
        raise NotImportable(f"the name {name} does not lead back to {_shown(module)}: a worker would not find it")
    return name


def home_of(code: Any) -> str | None:
    """Return the name of the module that defines this, or None when it does not say."""
    module = getattr(code, "__module__", None)
    return real_name(module) if isinstance(module, str) else None


def real_name(module: str) -> str:
    """Return the name of a module; for the program that runs, the one under which it could be imported."""
    if module not in _MAIN:
        return module
    return _name_of_main(sys.modules.get("__main__")) or "__main__"


def find(name: object, may_import: Callable[[str], bool]) -> Any:
    """Return the function or class of this name, as `vars` of its module or class has it.

    Raises UnknownJob when it is not here, DeserializationError for what is no name, NotAllowed for double underscores.
    """
    module_name, parts = _split(_checked(name))
    found = _follow(_module_here(module_name), parts)
    if found is MISSING:
        found = _follow(_imported(module_name, may_import), parts)
    if found is MISSING:
        raise UnknownJob(f"{module_name} has no {'.'.join(parts)} here: {_question(module_name)}")
    return found


def find_module(name: object, may_import: Callable[[str], bool]) -> ModuleType:
    """Return the module of this name; raises what `find` raises."""
    checked = _checked(name)
    _split_module(checked)
    return _module_here(checked) or _imported(checked, may_import)


def class_around(function: Any) -> type | None:
    """Return the class in whose body a function was defined, if its name says so and leads back to it."""
    module, qualname = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(qualname, str) or "." not in qualname or "<" in qualname:
        return None
    *parts, method = qualname.split(".")
    cls = _follow(_module_here(real_name(module)), tuple(parts))
    return cls if isinstance(cls, type) and function_in(find_member(cls, method)) is function else None


def is_name(value: object) -> TypeGuard[str]:
    """Say whether this can be the name of a method."""
    return isinstance(value, str) and len(value) <= LONGEST_NAME and value.isidentifier()


def is_reserved(name: str) -> bool:
    """Say whether Python reserves this name: such a one is never callable by a job."""
    return name.startswith("__")


@lru_cache(maxsize=4096)
def _split(name: str) -> tuple[str, tuple[str, ...]]:
    module, colon, qualname = name.partition(":")
    if not colon:
        raise DeserializationError(f"expected a name like module:function, got {name!r}")
    _split_module(module)
    return module, _parts(qualname)


@lru_cache(maxsize=4096)
def _split_module(name: str) -> tuple[str, ...]:
    return () if name == "__main__" else _parts(name.removesuffix(".__main__"))


def _parts(dotted: str) -> tuple[str, ...]:
    parts = tuple(dotted.split("."))
    if any(is_reserved(part) for part in parts):
        raise NotAllowed(f"a job may not name {dotted!r}: names with two leading underscores are never callable")
    if not all(map(_is_part, parts)):
        raise DeserializationError(f"expected a dotted name, got {dotted!r}")
    return parts


def _is_part(part: str) -> bool:
    return part.replace("-", "_").isidentifier()  # files of programs have hyphens in their names


def _checked(name: object) -> str:
    if not isinstance(name, str) or len(name) > LONGEST_NAME:
        raise DeserializationError(f"expected a name like module:function, got {str(name)[:50]!r}")
    return name


def _follow(module: ModuleType | None, parts: tuple[str, ...]) -> Any:
    if module is None:
        return MISSING
    found = vars(module).get(parts[0], MISSING)
    for part in parts[1:]:
        if not isinstance(found, type):
            return MISSING
        found = find_member(found, part)
    return found.__func__ if type(found) is staticmethod else found


def _leads_to(name: str, code: Any) -> bool:
    try:
        module, parts = _split(_checked(name))
    except DeserializationError:
        return False
    found = _follow(_module_here(module), parts)
    return found is code or (is_marked(found) and getattr(found, "__wrapped__", MISSING) is code)


def _module_here(name: str) -> ModuleType | None:
    """Return a module that is loaded; the program that runs counts as the module that its file would be."""
    main = sys.modules.get("__main__")
    loaded = sys.modules.get(name)
    if name == _name_of_main(main) and (loaded is None or _file_of(loaded) == _file_of(main)):
        return main
    return loaded if isinstance(loaded, ModuleType) else None


def _imported(name: str, may_import: Callable[[str], bool]) -> ModuleType:
    """Import a module, or wait until another thread has imported it. The program that runs is not imported again."""
    loaded = _module_here(name)
    if loaded is not None and (loaded is sys.modules.get("__main__") or not may_import(name)):
        return loaded
    if name.endswith("__main__"):
        raise UnknownJob(f"the program {name} does not run here: {_question(name)}")
    if not may_import(name):
        package = name.partition(".")[0]
        raise UnknownJob(f"the module {name} is not loaded here: name its package, as in `backburner work {package}`")
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        reason = f"{type(error).__name__}: {message_of(error)}"
        raise UnknownJob(f"the module {name} cannot be imported here: {reason}") from error


@lru_cache(maxsize=8)
def _name_of_main(main: ModuleType | None) -> str | None:
    """Return the name under which the program that runs could be imported; None for an interactive session."""
    spec = getattr(main, "__spec__", None)
    if spec is not None:
        return str(spec.name) if spec.name not in _MAIN else None
    stem = (_file_of(main) or "").replace("\\", "/").rpartition("/")[2].partition(".")[0]
    return stem if _is_part(stem) else None


def _file_of(module: ModuleType | None) -> str | None:
    file = getattr(module, "__file__", None)
    return file if isinstance(file, str) else None


def _question(module: str) -> str:
    if module.endswith("__main__"):
        return "what a program defines itself is found in that program only, define it in a module"
    return "is this the version that enqueued the job?"


def _why_local(qualname: str) -> str:
    return "a lambda" if qualname.endswith("<lambda>") else "defined inside a function"


def _shown(code: Any) -> str:
    return f"{type(code).__name__} {getattr(code, '__qualname__', None) or getattr(code, '__name__', '')}".strip()
