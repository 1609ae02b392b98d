"""What annotations set: members by path, with the moment as each member's schema wants it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mock_server.model.assigning import time_hole
from mock_server.model.meaning import Resource
from mock_server.model.members import Path, with_member, with_templates
from mock_server.openapi.expressions import Context, ValueTemplate
from mock_server.openapi.values import Json


def with_settings(resource: Resource, value: Json, settings: Mapping[Path, ValueTemplate], context: Context) -> Any:
    """A copy with the members that templates give; one that names nothing is left as it is.

    ``$now`` alone is the moment as the member's schema has it: a date, epoch seconds or milliseconds, or RFC 3339.
    """
    moments = {path for path, template in settings.items() if template.source == "$now" and len(path) == 1}
    others = {path: template for path, template in settings.items() if path not in moments}
    value = with_templates(value, others, context)
    for path in moments:
        value = with_member(value, path, time_hole(resource, path[0]))
    return value
