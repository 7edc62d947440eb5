"""What a job may name: the one rule, applied where a job is enqueued and again where it is performed.

A job may name functions marked `@job` or `@handle_asynchronously`, subclasses of `Runnable` (`Delayable`, `JobHooks`,
`Mailer`) and their methods, and what is defined under the module prefixes that the app allows. It is the definition
that counts: `subprocess.run` imported into an allowed module is not allowed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import FunctionType, MethodType, ModuleType
from typing import Any

from backburner.core.errors import ConfigurationError, NotAllowed, UnknownMethod
from backburner.core.marks import Runnable, is_marked
from backburner.core.members import MISSING, Owner, definer, find_member, function_in, is_method
from backburner.core.naming import class_around, home_of, is_reserved, real_name

_OURS = "backburner"
_MOCKS = "unittest.mock"
_MOST_MODULES = 10_000


class Allowed:
    """The code that jobs may name."""

    def __init__(self, prefixes: Iterable[str] = ()) -> None:
        if isinstance(prefixes, str):
            raise ConfigurationError(f"allow: expected a list of module names, got the text {prefixes!r}")
        self._prefixes: tuple[str, ...] = ()
        self._covered: dict[str, bool] = {}
        for prefix in prefixes:
            self.add(prefix)

    @property
    def prefixes(self) -> tuple[str, ...]:
        """The module prefixes, in the order in which they were added."""
        return self._prefixes

    def add(self, prefix: str) -> None:
        """Allow a module and everything below it. Raises ConfigurationError for what is no module's name."""
        if not isinstance(prefix, str) or not all(part.isidentifier() for part in prefix.split(".")):
            raise ConfigurationError(f"allow: expected the name of a module like 'shop' or 'shop.jobs', got {prefix!r}")
        if prefix not in self._prefixes:
            self._prefixes = (*self._prefixes, prefix)
            self._covered = {}

    def covers(self, module: str) -> bool:
        """Say whether a module lies under one of the prefixes."""
        known = self._covered
        covered = known.get(module)
        if covered is None:
            covered = any(module == prefix or module.startswith(f"{prefix}.") for prefix in self._prefixes)
            if len(known) < _MOST_MODULES:
                known[module] = covered
        return covered

    def check_function(self, function: Any) -> None:
        """Raise NotAllowed unless a job may call this function."""
        if is_marked(function):
            return
        if not _is_function(function):
            raise NotAllowed(f"a job may not call {_label(function)}: it is not a function")
        if not self._is_home(function) and not _is_method_of_runnable(function):
            raise NotAllowed(f"a job may not call {_label(function)}: {_remedy(function, 'mark it with @job')}")

    def check_class(self, cls: type) -> None:
        """Raise NotAllowed unless a job may name this class."""
        if not self._admits(cls):
            remedy = _remedy(cls, "let it subclass Delayable or JobHooks")
            raise NotAllowed(f"a job may not name {_label(cls)}: {remedy}")

    def check_module(self, module: ModuleType) -> None:
        """Raise NotAllowed unless a job may name this module."""
        if not self.covers(real_name(module.__name__)):
            raise NotAllowed(f"a job may not name the module {module.__name__}: {_remedy(module, '')}")

    def check_method(self, owner: Owner, method: str, *, of_record: bool = False) -> None:
        """Raise NotAllowed unless a job may call this method of a class or module, UnknownMethod if it is none.

        What a class has from bases of other packages may be called on records only: the state of any other object
        comes from the handler, and such methods were not written to trust it.
        """
        if is_reserved(method):
            raise NotAllowed(f"a job may not call {method!r}: names with two leading underscores are never callable")
        member = find_member(owner, method)
        if member is MISSING or not is_method(member):
            raise UnknownMethod(f"{_label(owner)} has no method {method}")
        function = function_in(member)
        if is_marked(member) or is_marked(function):
            return
        if isinstance(owner, type):
            self.check_class(owner)
            fits = self._is_own(owner, method, function, of_record)
        else:
            fits = self._is_home(function) or (self.covers(real_name(owner.__name__)) and home_of(function) == _MOCKS)
        if not fits:
            raise NotAllowed(
                f"a job may not call {_label(function)}: {_remedy(function, 'call it in one of your own')}"
            )

    def _admits(self, cls: type) -> bool:
        return issubclass(cls, Runnable) or self._is_home(cls)

    def _is_home(self, code: Any) -> bool:
        home = home_of(code)
        return home is not None and self.covers(home)

    def _is_own(self, owner: type, method: str, function: Any, of_record: bool) -> bool:
        """Say whether a method is really one of this class: defined by it or a base of its package, and a method there.

        What a test or a decorator put in its place (a mock, a closure) passes; `loads = pickle.loads` does not.
        """
        cls = definer(owner, method)
        home, base = home_of(function), home_of(cls)
        if home is None or base is None:
            return False
        if not self.covers(base) and not _are_related(cls, owner):
            is_inherited = type(cls.__dict__[method]) is FunctionType and not method.startswith("_")
            if not (of_record and is_inherited) or _package(base) == _OURS:
                return False
        return self.covers(home) or _package(home) == _package(base) or home == _MOCKS or _is_closure(function)


def _are_related(cls: type, owner: type) -> bool:
    """Say whether a base was written for jobs, or in the same package as the class itself; not if it is one of ours."""
    base = _package(home_of(cls) or "")
    return base != _OURS and (issubclass(cls, Runnable) or base == _package(home_of(owner) or ""))


def is_of_python(code: Any) -> bool:
    """Say whether a function, class or module belongs to Python itself."""
    home = code.__name__ if isinstance(code, ModuleType) else home_of(code)
    return home is not None and _package(home) in sys.stdlib_module_names


def _is_function(value: Any) -> bool:
    """Say whether this is a function, or stands for one as the results of `functools.wraps` and `lru_cache` do."""
    if type(value) is FunctionType:
        return True
    if isinstance(value, (type, MethodType)) or not callable(value):
        return False
    return isinstance(getattr(value, "__qualname__", None), str)


def _is_closure(function: Any) -> bool:
    return isinstance(function, FunctionType) and "<" in function.__qualname__


def _is_method_of_runnable(function: Any) -> bool:
    cls = class_around(function)
    return cls is not None and issubclass(cls, Runnable)


def _package(module: str) -> str:
    return module.partition(".")[0]


def _label(code: Any) -> str:
    name = getattr(code, "__qualname__", None) or getattr(code, "__name__", None) or type(code).__qualname__
    home = None if isinstance(code, ModuleType) else home_of(code)
    return str(name) if home is None else f"{home}:{name}"


def _remedy(code: Any, otherwise: str) -> str:
    home = real_name(code.__name__) if isinstance(code, ModuleType) else home_of(code)
    if home is None or is_of_python(code):
        return "it is not yours. Call it in a function of your own that is marked @job"
    return f'allow its package, configure(url, allow=["{_package(home)}"]){otherwise and ", or " + otherwise}'
