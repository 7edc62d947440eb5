"""What holds for every test."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# A database that is configured on this machine is nobody's test database; processes that a test starts inherit this.
os.environ.pop("BACKBURNER_URL", None)
os.environ.pop("DATABASE_URL", None)

# Deadlines measure the machine; on a busy one they fail good code.
settings.register_profile(
    "backburner",
    deadline=None,
    derandomize="CI" in os.environ,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("backburner")
