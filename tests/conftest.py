"""What holds for every test."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.servers.fixtures", "tests.docs.reporting"]

# A database that is configured on this machine is nobody's test database; processes that a test starts inherit this.
os.environ.pop("BACKBURNER_URL", None)
os.environ.pop("DATABASE_URL", None)
for name in [name for name in os.environ if name.startswith("PG")]:  # libpq's own: PGHOST, PGPASSWORD, …
    del os.environ[name]

# Deadlines measure the machine; on a busy one they fail good code.
settings.register_profile(
    "backburner",
    deadline=None,
    derandomize="CI" in os.environ,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("backburner")
