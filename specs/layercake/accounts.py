"""Sessions, organizations and API keys: who may do what, and how many keys a plan has."""

from __future__ import annotations

import html
import re
import unicodedata
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from mock_server.model.call import Call
from mock_server.model.computed import computed
from mock_server.model.meaning import Meaning
from mock_server.model.outcome import Outcome
from mock_server.model.problem import Kind, Problem
from mock_server.model.work import Work
from mock_server.model.world import World
from mock_server.openapi.values import Json

from .moments import milliseconds
from .tokens import digest, made

_LIFETIME = timedelta(days=30)  # seed 000, line 402
_PROVIDERS = ("google", "microsoft", "github")
_SHOWN = ("id", "name", "keyPreview", "scopes", "status", "createdAt")


# Sessions


@computed("layercake-refresh-session")
def refresh_session(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A new session for the same person in place of the one that asks."""
    assert call.principal is not None
    work = Work.of(world, call)
    old = call.principal.claims
    work.remove("cli-sessions", old["id"])
    session = _session(work, old["userId"])
    if isinstance(session, Problem):
        return session
    return work.outcome(meaning.status, {"token": session["token"], "expiresAt": session["expiresAt"]})


@computed("layercake-sign-in")
def sign_in(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """Off to the provider; with a callback, back from it at once with a session of the first person of the seed."""
    provider = call.query.get("provider", _PROVIDERS[0])
    callback = call.query.get("callback")
    carried = {"state": call.query["state"]} if "state" in call.query else {}
    if callback is None:
        url = _with_query(f"https://accounts.{provider}.example/oauth/authorize", {"client": "l4yercak3", **carried})
        return Outcome(meaning.status, headers=(("Location", url),))
    work = Work.of(world, call)
    people = work.items("users")
    if not people:
        return Problem(Kind.NOT_FOUND, "there is nobody who could sign in")
    session = _session(work, people[0]["id"])
    if isinstance(session, Problem):
        return session
    url = _with_query(callback, {"token": session["token"], **carried})
    return work.outcome(meaning.status, headers=(("Location", url),))


@computed("layercake-login-page")
def login_page(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A page with a link for each provider; callback and state go along."""
    carried = {name: call.query[name] for name in ("callback", "state") if name in call.query}
    links = []
    for provider in _PROVIDERS:
        url = _with_query(f"{call.url}/api/auth/oauth-signup", {"provider": provider, **carried})
        links.append(f'<li><a href="{html.escape(url)}">Sign in with {provider.capitalize()}</a></li>')
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Sign in to the CLI</title>'
        f"<h1>Sign in to the CLI</h1><ul>{''.join(links)}</ul></html>\n"
    )
    return Outcome(meaning.status, page, media_type="text/html")


def _session(work: Work, user: str) -> dict[str, Json] | Problem:
    world = work.world
    token = digest(world, "cli-session", made(world, "cli-sessions"))
    return work.create(
        "cli-sessions",
        {
            "token": f"cli_session_{token}",
            "userId": user,
            "expiresAt": milliseconds(world.now + _LIFETIME),
        },
    )


def _with_query(url: str, members: dict[str, str]) -> str:
    """A URL with parameters after those that it has."""
    parts = urlsplit(url)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *members.items()])
    return urlunsplit(parts._replace(query=query))


# Organizations


@computed("layercake-list-organizations")
def list_organizations(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The organizations of the session's person, in the order in which they were joined."""
    assert call.principal is not None
    work = Work.of(world, call)
    joined = [m["organizationId"] for m in work.items("memberships", userId=call.principal.name)]
    found = (work.get("organizations", key) for key in joined)
    return work.outcome(meaning.status, {"organizations": [each for each in found if each is not None]})


@computed("layercake-create-organization")
def create_organization(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A free organization with a slug of its own, and the person of the session in it."""
    assert call.principal is not None
    work = Work.of(world, call)
    name = call.body["name"]
    key = f"org_{digest(world, 'organization', made(world, 'organizations'))[:12]}"
    members = {"id": key, "name": name, "slug": _free_slug(work, name), "planTier": "free"}
    organization = work.create("organizations", members)
    if isinstance(organization, Problem):
        return organization
    user = call.principal.name
    membership = work.create("memberships", {"id": f"{user}:{key}", "userId": user, "organizationId": key})
    return membership if isinstance(membership, Problem) else work.outcome(meaning.status, organization)


def _free_slug(work: Work, name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = "-".join(re.findall(r"[a-z0-9]+", plain)) or "organization"
    taken = {organization["slug"] for organization in work.items("organizations")}
    number, free = 1, slug
    while free in taken:
        number += 1
        free = f"{slug}-{number}"
    return free


# API keys


@computed("layercake-list-keys")
def list_keys(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """An organization's keys without their secrets, and what its plan leaves."""
    work = Work.of(world, call)
    owner = call.query["organizationId"]
    keys = work.items("api-keys", organizationId=owner)
    limit, active = _limit(work, owner), _active(work, owner)
    body = {
        "keys": [{name: key[name] for name in _SHOWN} for key in keys],
        "limit": limit,
        "currentCount": active,
        "canCreateMore": limit is None or active < limit,
        "limitDescription": f"{active}/{'unlimited' if limit is None else limit}",
    }
    return work.outcome(meaning.status, body)


@computed("layercake-generate-key")
def generate_key(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A new key, whole, while the plan has room for one."""
    work = Work.of(world, call)
    owner = call.body["organizationId"]
    organization = work.get("organizations", owner)
    if organization is None:
        return Problem(Kind.NOT_FOUND, f"there is no organization {owner}")
    limit, active = _limit(work, owner), _active(work, owner)
    if limit is not None and active >= limit:
        detail = f"the {organization['planTier']} plan allows {limit} API keys, and there are {active}"
        return Problem(Kind.QUOTA_EXCEEDED, detail, code="API_KEY_LIMIT_REACHED")
    secret = f"l4yer_{digest(world, 'api-key', made(world, 'api-keys'))[:32]}"
    members = {
        "name": call.body["name"],
        "keyPreview": f"{secret[:9]}...",
        "scopes": call.body.get("scopes", ["*"]),
        "status": "active",
        "key": secret,
        "organizationId": owner,
        "planTier": organization["planTier"],
    }
    key = work.create("api-keys", members)
    if isinstance(key, Problem):
        return key
    return work.outcome(meaning.status, {name: key[name] for name in ("id", "key", "name", "scopes", "createdAt")})


def _limit(work: Work, organization: str) -> int | None:
    """How many active keys an organization may have; None for any number."""
    held = work.get("organizations", organization)
    plans: dict[str, int | None] = work.world.tables["layercake"]["api_keys"]
    return plans[held["planTier"]] if held is not None else 0


def _active(work: Work, organization: str) -> int:
    return len(work.items("api-keys", organizationId=organization, status="active"))
