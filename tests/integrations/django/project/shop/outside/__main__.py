from __future__ import annotations

import os
import sys
import unittest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

if __name__ == "__main__":
    import django

    django.setup()
    from django.core.management import call_command

    if "--empty" not in sys.argv:
        for alias in ("default", "other"):
            call_command("migrate", database=alias, verbosity=0)
    names = [argument for argument in sys.argv[1:] if argument != "--empty"]
    program = unittest.main(module=None, argv=["outside", *names], exit=False)
    sys.exit(0 if program.result.wasSuccessful() else 1)
