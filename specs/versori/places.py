"""Where things are: what a path or a body names, looked up in one organisation, or the problem that it is not there."""

from __future__ import annotations

import hashlib
import re
from typing import Any, TypeAlias

from mock_server.model.call import Call
from mock_server.model.clock import rfc3339
from mock_server.model.outcome import key_text
from mock_server.model.problem import Kind, Problem
from mock_server.model.work import Work
from mock_server.openapi.values import Json, Violation

Item: TypeAlias = dict[str, Any]
"""A stored item: a JSON object."""

_UNHOSTABLE = re.compile(r"[^a-z0-9]+")
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def organisation(call: Call) -> str:
    """The organisation that a path names."""
    return key_text(call.path["organisation_id"])


def now(work: Work) -> str:
    """The time of the call, as it stands in items."""
    return rfc3339(work.world.now)


def unknown(what: str, key: str) -> Problem:
    """That something which a path names is not there."""
    return Problem(Kind.NOT_FOUND, f"there is no {what} {key!r}")


def unfit(pointer: str, got: Json, message: str, *, where: str = "body", keyword: str = "reference") -> Problem:
    """That a member of the body (or a parameter) is not as it has to be; the message is said of the member."""
    name, in_body = pointer.rpartition("/")[2], where == "body"
    violation = Violation(where, pointer if in_body else "", keyword, got, None, message, None if in_body else name)
    return Problem(Kind.INVALID, f"{name} {message}", (violation,))


def project_of(work: Work, org: str, key: str) -> Item | Problem:
    """The project of an id."""
    return work.get("projects", key, scope=(org,)) or unknown("project", key)


def environment_of(work: Work, org: str, key: str) -> Item | Problem:
    """The environment of an id, of whichever project."""
    found = work.get("environments", key)
    return found if found is not None and found["organisationId"] == org else unknown("environment", key)


def environments_of(work: Work, project_id: str) -> list[Item]:
    """The environments of a project, oldest first."""
    return work.items("environments", projectId=project_id)


def shown_environment(environment: Item) -> Item:
    """An environment as answers show it: what it belongs to shows in where it stands."""
    return {name: value for name, value in environment.items() if name not in {"organisationId", "projectId"}}


def public_url(project_name: str, name: str) -> str:
    """The address of a project's environment."""
    host = ".".join(_UNHOSTABLE.sub("-", text.lower()).strip("-") or "x" for text in (name, project_name))
    return f"https://{host}.run.versori.example"


def user_of(work: Work, org: str, key: str) -> Item | None:
    """The end user of an id or externalId, None when there is none."""
    return work.get("users", key, scope=(org,)) or work.find("users", scope=(org,), externalId=key)


def template_of(work: Work, org: str, key: str) -> tuple[str, Item] | None:
    """The connection template of an id with its project's id, whichever project that is."""
    for project in work.items("projects", scope=(org,)):
        found = work.get("connection-templates", key, scope=(org, project["id"]))
        if found is not None:
            return project["id"], found
    return None


def templates_in(work: Work, org: str, environment: Item) -> list[Item]:
    """The connection templates that hold in an environment: its own, and those for every one of the project."""
    scope = (org, environment["projectId"])
    found = work.items("connection-templates", scope=scope)
    return [template for template in found if template.get("environmentId", environment["id"]) == environment["id"]]


def fresh_id(work: Work, resource: str, *, scope: tuple[str, ...] = ()) -> str:
    """A ULID that no item of a collection has: for items whose id has to be known before the answer is made."""
    milliseconds = int(work.world.now.timestamp() * 1000)
    for attempt in range(len(work.items(resource, scope=scope)) + 1):
        digest = hashlib.sha256(f"{resource} {scope} {milliseconds} {attempt}".encode()).digest()
        number = milliseconds << 80 | int.from_bytes(digest[:10])
        text = "".join(_CROCKFORD[number >> 5 * place & 31] for place in reversed(range(26)))
        if work.get(resource, text, scope=scope) is None:
            return text
    raise AssertionError("one more id than there are items was tried")
