"""Importing the code that a command line names."""

from __future__ import annotations

import importlib
import os
import sys
import sysconfig
from pkgutil import iter_modules
from traceback import extract_tb
from types import ModuleType

from backburner.cli.suggest import did_you_mean
from backburner.core.errors import ConfigurationError

_IMPORTING = ("<frozen ", importlib.__file__, __file__)
"""Files whose frames are in every traceback of an import."""


def see_current_directory() -> None:
    """Put the current directory on sys.path, as `python -m` does, unless Python was told to be safe from it."""
    here = os.getcwd()
    if not sys.flags.safe_path and here not in sys.path and "" not in sys.path:
        sys.path.insert(0, here)


def import_code(name: str) -> ModuleType:
    """Import a module. Raises ConfigurationError that names the line at fault."""
    if not all(part.isidentifier() for part in name.split(".")):
        raise ConfigurationError(f"expected the name of a module such as shop or shop.jobs, got {name!r}{_hint(name)}")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise ConfigurationError(_not_found(name, error.name)) from error
        raise _broken(name, error) from error
    except (Exception, SystemExit) as error:
        raise _broken(name, error) from error


def _hint(name: str) -> str:
    """Return a question for who wrote a path instead of a name."""
    module = name.removeprefix("./").removesuffix("/").removesuffix(".py").replace("/", ".")
    return f": did you mean {module!r}?" if all(part.isidentifier() for part in module.split(".")) else ""


def _not_found(name: str, missing: str) -> str:
    because = "" if missing == name else f", as there is no {missing!r}"
    here = os.getcwd()
    hint = did_you_mean(missing, (module.name for module in iter_modules([here])))
    return f"no module named {name!r}{because}, in {here} or elsewhere on sys.path{hint}"


def _broken(name: str, error: BaseException) -> ConfigurationError:
    message = " ".join(str(error.msg if isinstance(error, SyntaxError) else error).split())
    said = f"{type(error).__name__}: {message}" if message else type(error).__name__
    return ConfigurationError(f"cannot import {name!r}: {said} ({_place(error)})")


def _place(error: BaseException) -> str:
    """Return the file and line at fault: the innermost one that is not of an installed library, if there is one."""
    if isinstance(error, SyntaxError) and error.filename:
        return _line_of(error.filename, error.lineno)
    frames = [frame for frame in extract_tb(error.__traceback__) if not frame.filename.startswith(_IMPORTING)]
    own = [frame for frame in frames if not frame.filename.startswith(_libraries())]
    if not frames:
        return "before its first line"
    frame = (own or frames)[-1]
    return _line_of(frame.filename, frame.lineno)


def _line_of(file: str, line: int | None) -> str:
    here = os.path.join(os.getcwd(), "")
    return f"{file.removeprefix(here)}, line {line}"


def _libraries() -> tuple[str, ...]:
    """Return the directories whose code is not the user's, ours among them."""
    paths = sysconfig.get_paths()
    installed = {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    return tuple(os.path.join(path, "") for path in {*installed, os.path.dirname(os.path.dirname(__file__))})
