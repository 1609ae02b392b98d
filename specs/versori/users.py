"""End users, who go by their id and by their externalId alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mock_server.model.call import Call
from mock_server.model.computed import computed
from mock_server.model.meaning import Meaning
from mock_server.model.outcome import Outcome, key_text
from mock_server.model.problem import Problem
from mock_server.model.work import Work
from mock_server.model.world import World

from .places import Item, organisation, unfit, unknown, user_of


def activations_of(work: Work, org: str, user_id: str) -> Iterator[Item]:
    """The activations of a user, in every environment of the organisation."""
    for environment in work.items("environments", organisationId=org):
        yield from work.items("environments.activations", scope=(org, environment["id"]), userId=user_id)


@computed("versori-list-users")
def list_users(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The users that the query selects."""
    work, org = Work.of(world, call), organisation(call)
    term = str(call.query.get("search", "")).lower()
    activated = _activated(work, org, call)
    found = [
        user
        for user in work.items("users", scope=(org,))
        if any(term in str(user[name]).lower() for name in ("id", "externalId", "displayName")) and activated(user)
    ]
    return work.outcome(meaning.status, {"users": found, "totalCount": len(found)})


def _activated(work: Work, org: str, call: Call) -> Callable[[Item], bool]:
    """Whether a user is activated as the query asks; true of everybody where it does not ask."""
    place, wanted = call.query.get("environment_id"), call.query.get("activated")
    if place is None and wanted is None:
        return lambda user: True

    def holds(user: Item) -> bool:
        places = {activation["environmentId"] for activation in activations_of(work, org, user["id"])}
        return (place in places if place is not None else bool(places)) is (wanted is not False)

    return holds


def _named(work: Work, call: Call) -> Item | Problem:
    key = key_text(call.path["user_id"])
    return user_of(work, organisation(call), key) or unknown("user", key)


@computed("versori-get-user")
def get_user(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """One user, by either of the two."""
    work = Work.of(world, call)
    user = _named(work, call)
    return user if isinstance(user, Problem) else work.outcome(meaning.status, user)


@computed("versori-update-user")
def update_user(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A user with another name; the externalId never changes."""
    work = Work.of(world, call)
    user = _named(work, call)
    if isinstance(user, Problem):
        return user
    if call.body.get("externalId", user["externalId"]) != user["externalId"]:
        message = f"never changes; it is {user['externalId']!r}"
        return unfit("/externalId", call.body["externalId"], message, keyword="transition")
    changed = {"displayName": call.body.get("displayName", user["displayName"])}
    return work.outcome(meaning.status, work.merge("users", user["id"], changed, scope=(organisation(call),)))


@computed("versori-delete-user")
def delete_user(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A user gone, with the activations."""
    work, org = Work.of(world, call), organisation(call)
    user = _named(work, call)
    if isinstance(user, Problem):
        return user
    for activation in list(activations_of(work, org, user["id"])):
        work.remove("environments.activations", activation["id"], scope=(org, activation["environmentId"]))
    work.remove("users", user["id"], scope=(org,))
    return work.outcome(meaning.status)
