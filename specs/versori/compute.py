"""What the vocabulary cannot say: answers that are put together from several resources, or change several of them.

The answers live in the modules beside this file, one for each part of the API; importing a module registers them.
"""

from __future__ import annotations

from . import (
    activations,
    automations,
    connections,
    deploying,
    flows,
    kv,
    metrics,
    projects,
    reports,
    running,
    systems,
    users,
    variables,
)

__all__ = [
    "activations",
    "automations",
    "connections",
    "deploying",
    "flows",
    "kv",
    "metrics",
    "projects",
    "reports",
    "running",
    "systems",
    "users",
    "variables",
]
