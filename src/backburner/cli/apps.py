"""Finding and opening the app that a command is about."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from operator import attrgetter
from types import ModuleType
from typing import NamedTuple

from backburner.app import Backburner, current, use
from backburner.cli.code import import_code, see_current_directory
from backburner.cli.parsing import UsageError
from backburner.cli.suggest import did_you_mean
from backburner.core.errors import ConfigurationError


class NamedCode(NamedTuple):
    """What the command line names, imported."""

    app: Backburner | None
    """The app of `--app`."""
    prefixes: tuple[str, ...]
    """The packages whose code jobs may name."""


def import_named_code(options: Namespace) -> NamedCode:
    """Import the module of `--app` and the packages. Raises ConfigurationError, UsageError."""
    if options.app and options.url:
        raise UsageError("expected --app or --url, got both: an app has its own URL")
    see_current_directory()
    packages = tuple(getattr(options, "packages", ()))
    app = _app_named(options.app) if options.app else None
    for package in packages:
        import_code(package)
    own = (options.app.partition(":")[0].partition(".")[0],) if options.app else ()
    return NamedCode(app, (*own, *packages))


@contextmanager
def opened_app(options: Namespace, named: NamedCode | None = None) -> Iterator[Backburner]:
    """Make the app of the command line the current one within the block, and close it then.

    `named`: what `import_named_code` gave, if that was called before. Raises ConfigurationError, UsageError.
    """
    code = named if named is not None else import_named_code(options)
    app = code.app or (Backburner(options.url) if options.url else current())
    app.allow(*code.prefixes)
    with use(app), app:
        yield app


def _app_named(name: str) -> Backburner:
    module_name, colon, attribute = name.partition(":")
    module = import_code(module_name)
    found = _attribute(module, attribute) if colon else _only_app(module)
    if not isinstance(found, Backburner):
        raise ConfigurationError(f"expected {name} to be a Backburner, got {found!r}")
    return found


def _attribute(module: ModuleType, path: str) -> object:
    try:
        return attrgetter(path)(module)
    except AttributeError:
        apps = [key for key, value in vars(module).items() if isinstance(value, Backburner)]
        hint = did_you_mean(path, apps) or (f": expected {' or '.join(apps)}" if apps else "")
        raise ConfigurationError(f"the module {module.__name__} has no {path!r}{hint}") from None


def _only_app(module: ModuleType) -> object:
    """Return the app that a module has or, when it keeps none, has configured."""
    apps = {key: value for key, value in vars(module).items() if isinstance(value, Backburner)}
    if len(set(map(id, apps.values()))) > 1:
        raise ConfigurationError(
            f"expected --app {module.__name__}:{' or :'.join(apps)}, as that module has several apps"
        )
    return next(iter(apps.values()), None) or current()
