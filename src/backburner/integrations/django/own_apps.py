"""Which of the installed apps are the project's own: jobs may name their code.

An app of the project's own lies where no package is installed, or in the package that the settings are in. In addition
come the module of the user model, and what ALLOW names.
"""

from __future__ import annotations

import sysconfig
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured


def own_modules() -> list[str]:
    """Return the modules of which jobs may name everything."""
    return list(dict.fromkeys([*_own_apps(), *_home_of_users()]))


def _own_apps() -> Iterator[str]:
    installed = _folders_of_packages()
    home = (getattr(settings, "SETTINGS_MODULE", None) or "").partition(".")[0]
    for config in apps.get_app_configs():
        path = Path(config.path).resolve()
        is_installed = any(path.is_relative_to(folder) for folder in installed)
        is_at_home = config.name.partition(".")[0] == home
        if (is_at_home or not is_installed) and not config.name.startswith("backburner."):
            yield config.name


def _folders_of_packages() -> list[Path]:
    paths = sysconfig.get_paths()
    return [Path(paths[name]).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")]


def _home_of_users() -> Iterator[str]:
    try:
        yield get_user_model().__module__
    except (ImproperlyConfigured, LookupError):
        return  # a project without users
