"""The seven kinds of work that are good candidates for the background, each done the right way.

    python -m examples.work.calculations 1000000                      makes a job
    backburner work --app examples.work.app:app --exit-on-complete    performs it

Both are run in the folder above `examples`; the database is made there, or in the folder that WORK_HOME names.
"""

from __future__ import annotations
