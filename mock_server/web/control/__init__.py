"""The control API under ``/__mock__/``: what a test or a person does to a double besides calling it.

``control.openapi.yaml`` beside this package describes it. Requests are read by that very description, so a handler
gets decoded values that need no second look; the name of a handler is its operation's id.
"""

from mock_server.web.control import apis, archive, clock, faults, snapshots, state, traffic, webhooks
from mock_server.web.control.blueprint import control

__all__ = ["apis", "archive", "clock", "control", "faults", "snapshots", "state", "traffic", "webhooks"]
