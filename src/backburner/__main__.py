"""`python -m backburner`: the same as the command `backburner`."""

from __future__ import annotations

import sys

from backburner.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
