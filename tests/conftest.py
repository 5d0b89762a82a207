"""What every test may ask for: a real PostgreSQL, a real browser, and Hypothesis profiles."""

import os

from hypothesis import HealthCheck, settings

# Deadlines are off: tests state no timings, and these machines are shared. A run in CI is the same run each time.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile(
    "ci", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True, print_blob=True
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "local"))

pytest_plugins = ["tests.support.postgres", "tests.support.chromium"]
