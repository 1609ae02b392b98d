"""Likeness: which members of a request an item must show as they were sent, and whether what is shown says the same."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Mapping

from contracts.comparing import same_value
from contracts.drafting import Draft
from contracts.roster import Roster
from mock_server.dataclass import dataclass
from mock_server.model.anatomy import Anatomy, Member, anatomy_of, dissect, words
from mock_server.model.clock import instant_of
from mock_server.model.filters import value_at
from mock_server.model.inference.bodies import request_schema, response_schema, schema_at
from mock_server.model.meaning import Meaning, Resource
from mock_server.openapi import pointers
from mock_server.openapi.values import Direction, Json

_NOTHING: tuple[Json, ...] = (None, "", [], {})
_MASKS = ("**", "••", "…", "xxxx")
_REWRITTEN = frozenset({"email", "idn-email", "uri", "url", "iri", "uri-reference", "hostname", "phone", "uuid", "byte",
                        "binary", "password", "duration", "ipv6", "e164", "decimal", "html", "markdown"})  # fmt: skip
_SECRETS = frozenset({"password", "secret", "token", "pin", "cvc", "passphrase", "credential", "credentials"})
_TOUCHED = frozenset({"updated", "modified", "changed", "version", "revision", "etag", "rev"})
_COUNTED = frozenset({"views", "view", "reads", "read", "hits", "seen", "accessed", "viewed", "downloads", "visits",
                      "accesses", "used", "age", "now", "generated", "served", "fetched", "retrieved", "expires",
                      "remaining", "signature", "nonce", "request", "trace", "url", "href", "link"})  # fmt: skip
_WORDING = frozenset({"description", "title", "example", "examples", "$comment", "readOnly", "deprecated"})


@dataclass(frozen=True, slots=True)
class Unlike:
    """A place where what is shown is not what was sent. ``doubtful``: another spelling of the same, or its rounding."""

    pointer: str
    sent: Json
    shown: Json
    doubtful: bool = False


# Which members count


def shown_members(roster: Roster, operation_id: str, status: int = 200) -> Anatomy:
    """What an operation's reply describes of the item, or of each item of its list."""
    meaning = roster.meaning(operation_id)
    response = roster.model.api.operation(operation_id).response_for(status) or meaning.response
    schema = response_schema(response)
    if schema is None:
        return anatomy_of(None)
    bundle = schema.bundle(Direction.RESPONSE)
    found = dissect(bundle, schema_at(bundle, meaning.envelope.path))
    return dissect(bundle, found.items) if found.is_array else found


def sent_members(roster: Roster, operation_id: str) -> Anatomy:
    """What an operation's request describes of the item."""
    schema = request_schema(roster.model.api.operation(operation_id))
    if schema is None:
        return anatomy_of(None)
    bundle = schema.bundle(Direction.REQUEST)
    return dissect(bundle, schema_at(bundle, roster.meaning(operation_id).request_path))


def said(roster: Roster, draft: Draft) -> dict[str, Json]:
    """The members of a draft's body that are the caller's to decide, and that an item shows as they are sent.

    Those that the server assigns, computes or keeps to itself are left out, and so is whatever an annotation maps to
    something else.
    """
    meaning = roster.meaning(draft.operation_id)
    body = value_at(draft.body, meaning.request_path)
    if not isinstance(body, dict) or meaning.resource is None or (draft.content_type or "").endswith("json-patch+json"):
        return {}
    described = sent_members(roster, draft.operation_id).members
    servers = _servers_own(roster, meaning, meaning.resource)
    found = {}
    for name, value in body.items():
        member = described.get(name)
        secret = bool(_SECRETS & set(words(name))) or (member is not None and (member.read_only or member.write_only))
        if name not in servers and not secret:
            found[name] = value
    return found


def _servers_own(roster: Roster, meaning: Meaning, resource: Resource) -> frozenset[str]:
    facts = roster.model.facts(meaning)
    own = roster.model.resource_facts(resource).own
    found = {*own, *resource.assigned, *resource.hidden, *resource.values, *facts.ignored, *moving(resource)}
    found |= {serial.path[0] for serial in resource.serials}
    found |= {path[0] for path in (*meaning.stores, *meaning.set, *meaning.increase)}
    found |= {parent.property for parent in resource.parents if parent.property is not None}
    found |= {path[0] for path in facts.narrowing.values()}
    for effect in resource.effects:
        found |= {path[0] for path in (*effect.set, *effect.increase)}
    intake = resource.intake
    if intake is not None:
        found |= {*intake.spread, *intake.drop, *intake.rename, *intake.rename.values()}
        found |= {intake.gather} if intake.gather is not None else set()
        if intake.keep is not None:
            found |= set(resource.anatomy.members) - intake.keep
    if resource.states is not None and (resource.states.transitions or resource.states.initial is not None):
        found.add(resource.states.property)
    return frozenset(found)


def moving(resource: Resource) -> frozenset[str]:
    """The members that moves between states write."""
    if resource.states is None:
        return frozenset()
    moves = resource.states.transitions.values()
    return frozenset(path[0] for move in moves for path in move.set) | (
        {resource.states.property} if any(move.timed for move in moves) else set()
    )


def touched(resource: Resource) -> frozenset[str]:
    """The members that any write may change: times of change, revisions, and what is named like them."""
    named = {name for name in resource.anatomy.members if _TOUCHED & set(words(name))}
    return frozenset(named | {name for name, rule in resource.assigned.items() if rule in {"updated", "revision"}})


def restless(name: str) -> bool:
    """Whether a member may change though nothing is written, by its name: counts of reads, ages, signed links."""
    return bool(_COUNTED & set(words(name)))


def same_shape(left: Member, right: Member) -> bool:
    """Whether two members are described alike, wording left aside."""
    return bool(_bare(left.schema) == _bare(right.schema))


def _bare(schema: Json) -> Json:
    if isinstance(schema, Mapping):
        return {name: _bare(value) for name, value in schema.items() if name not in _WORDING}
    return [_bare(value) for value in schema] if isinstance(schema, list) else schema


# Whether they say the same


def unlike(
    sent: Json, shown: Json, member: Member | None = None, pointer: str = "", *, whole: bool = True
) -> Iterator[Unlike]:
    """Where a shown value does not say what was sent; nothing for null and for what is normalised as a rule.

    Objects may show more than was sent. ``whole`` False: they may show less, too, since another schema describes them.
    """
    if sent is None or (sent in _NOTHING and shown in _NOTHING):
        return
    if isinstance(sent, dict) and isinstance(shown, dict):
        inner = {found.name: found for found in member.inner()} if member is not None else {}
        for name, value in sent.items():
            if name in shown:
                yield from unlike(value, shown[name], inner.get(name), pointers.join(pointer, name), whole=whole)
            elif whole and value not in _NOTHING and not (name in inner and inner[name].write_only):
                yield Unlike(pointers.join(pointer, name), value, None)
    elif isinstance(sent, list) and isinstance(shown, list):
        yield from _unlike_lists(sent, shown, member, pointer, whole=whole)
    elif not _says(sent, shown, member):
        yield Unlike(pointer, sent, shown, doubtful=_nearly(sent, shown))


def _unlike_lists(
    sent: list[Json], shown: list[Json], member: Member | None, pointer: str, *, whole: bool
) -> Iterator[Unlike]:
    as_set = member is not None and member.schema.get("uniqueItems") is True
    plain = not any(isinstance(value, dict | list) for value in (*sent, *shown))
    if plain and len(sent) == len(shown) and sorted(map(repr, sent)) == sorted(map(repr, shown)):
        if sent != shown and not as_set:
            yield Unlike(pointer, sent, shown, doubtful=True)
        return
    if len(sent) != len(shown):
        once = {repr(value) for value in sent} == {repr(value) for value in shown}
        yield Unlike(pointer, sent, shown, doubtful=plain and once)
        return
    for index, (left, right) in enumerate(zip(sent, shown, strict=True)):
        yield from unlike(left, right, None, pointers.join(pointer, index), whole=whole)


def _says(sent: Json, shown: Json, member: Member | None) -> bool:
    """Whether a plain value is shown as it was sent, or as is usual for its kind."""
    if same_value(sent, shown):
        return True
    if isinstance(sent, dict | list) or isinstance(shown, dict | list):
        return False
    if isinstance(sent, str) != isinstance(shown, str):
        return _number(sent) is not None and _number(sent) == _number(shown)
    if isinstance(sent, str):
        if any(mask in shown for mask in _MASKS) and not any(mask in sent for mask in _MASKS):
            return True
        rewritten = member is not None and (member.format in _REWRITTEN or {"phone", "color"} & set(words(member.name)))
        return bool(rewritten) or _trimmed(sent) == _trimmed(shown) or _same_moment(sent, shown)
    return False


def _same_moment(sent: str, shown: str) -> bool:
    """Whether two texts name one moment, to the second: fractions may be cut."""
    if len(sent) < 19 or len(shown) < 19:
        return False
    left, right = instant_of(sent), instant_of(shown)
    return left is not None and right is not None and abs((left - right).total_seconds()) < 1


def _number(value: Json) -> float | None:
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


def _trimmed(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _nearly(sent: Json, shown: Json) -> bool:
    if isinstance(sent, str) and isinstance(shown, str):
        return _trimmed(sent).casefold() == _trimmed(shown).casefold() or "<" in sent
    numbers = _number(sent), _number(shown)
    if numbers[0] is None or numbers[1] is None or isinstance(sent, str) or isinstance(shown, str):
        return False
    return math.isclose(numbers[0], numbers[1], rel_tol=1e-6, abs_tol=0.01)


def changed(
    before: Mapping[str, Json], after: Mapping[str, Json], *, passed_over: frozenset[str] = frozenset()
) -> Iterator[Unlike]:
    """The members in which two representations of one item differ; null and left out say the same."""
    for name in {**before, **after}:
        if name in passed_over or name.startswith("$"):
            continue
        left, right = before.get(name), after.get(name)
        if not (left in _NOTHING and right in _NOTHING) and not _same(left, right):
            yield Unlike(pointers.join("", name), left, right)


def _same(left: Json, right: Json) -> bool:
    if isinstance(left, dict) and isinstance(right, dict):
        return all(_same(left.get(name), right.get(name)) for name in {**left, **right})
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    return same_value(left, right)


def is_computed(roster: Roster, operation_id: str) -> bool:
    """Whether something that the structure does not show has a say in what an operation stores."""
    meaning = roster.meaning(operation_id)
    effects = meaning.resource.effects if meaning.resource is not None else ()
    return meaning.behaviour == "compute" or meaning.compute is not None or any(e.action == "compute" for e in effects)


def is_empty(value: Json) -> bool:
    """Whether a value says that there is nothing: null, "", an empty list or object."""
    return value in _NOTHING
