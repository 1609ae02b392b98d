"""Settings of the whole suite: one Hypothesis profile, the same examples in every run on CI."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile("ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ci" if os.environ.get("CI") else "local")

collect_ignore = ["client_project"]  # a project of its own; tests/plugin runs it
