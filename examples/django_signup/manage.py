"""The commands of the project."""

from __future__ import annotations

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])  # where the package lies that this folder is
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "django_signup.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
