"""Where in a message the resource is: item envelopes, list envelopes, and the fields beside a list."""

from __future__ import annotations

from collections.abc import Mapping

from mock_server.dataclass import dataclass
from mock_server.model.anatomy import (
    EMPTY,
    Anatomy,
    anatomy_of,
    dissect,
    flatten,
    name_of,
    object_arrays,
    singular,
    words,
)
from mock_server.model.inference.roles import ENVELOPE_PARTS, ITEM_NAMES, LIST_NAMES, envelope_roles
from mock_server.model.meaning import Envelope
from mock_server.openapi.description import MediaType, Operation, Response
from mock_server.openapi.schemas import Schema
from mock_server.openapi.values import Direction, Json

_KEYS = ("id", "_id", "uuid", "guid", "key", "slug", "code", "name", "number", "login", "username", "title")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a message's schema: where it is, its anatomy, and the schema itself within its bundle."""

    path: tuple[str, ...]
    anatomy: Anatomy
    bundle: Json
    schema: Json


def json_media(content: tuple[MediaType, ...]) -> MediaType | None:
    """The media type by which inference reads a message: JSON where there is one, else a form, XML, the
    first."""
    if not content:
        return None

    def rank(media: MediaType) -> int:
        essence = media.name.partition(";")[0].strip().lower()
        if essence == "application/json":
            return 0
        if essence.endswith("json"):
            return 1
        if "form" in essence:
            return 2
        return 3 if "xml" in essence else 4

    return min(content, key=rank)


def has_content(response: Response | None) -> bool:
    """Whether a response describes a body."""
    return response is not None and bool(response.content)


def response_schema(response: Response | None) -> Schema | None:
    """The schema of a response's body, or None."""
    media = json_media(response.content) if response is not None else None
    return None if media is None else media.schema


def request_schema(operation: Operation) -> Schema | None:
    """The schema of an operation's request body, or None."""
    body = operation.request_body
    media = json_media(body.content) if body is not None else None
    return None if media is None else media.schema


def is_patch(operation: Operation) -> bool:
    """Whether a request body can say what to change: an object, a JSON Patch, or something undescribed."""
    body = operation.request_body
    if body is None or any("patch" in media.name.lower() for media in body.content):
        return True
    schema = request_schema(operation)
    anatomy = anatomy_of(schema, Direction.REQUEST) if schema is not None else EMPTY
    return not anatomy.types or anatomy.is_object


def list_part(schema: Schema | None, *, name: str, item_name: str = "") -> Part | None:
    """The list of items within a response, or None when the response is no list.

    ``name`` is the collection's own name and ``item_name`` the component name of its items; both settle which
    array is meant when there are several.
    """
    if schema is None:
        return None
    bundle = schema.bundle(Direction.RESPONSE)
    root = anatomy_of(schema)
    if root.is_array:
        return Part((), dissect(bundle, root.items), bundle, root.items)
    arrays = list(object_arrays(bundle, bundle, depth=2))
    if not arrays or not root.is_object:
        return None
    ranked = sorted(arrays, key=lambda found: _list_rank(bundle, found, name, item_name))
    path, items = ranked[0]
    known = _list_rank(bundle, ranked[0], name, item_name) < (3,)
    if not known and (len(root.members) > 3 or _looks_like_item(root)):
        return None
    return Part(path, dissect(bundle, items), bundle, items)


def _list_rank(bundle: Json, found: tuple[tuple[str, ...], Json], name: str, item_name: str) -> tuple[int, ...]:
    path, items = found
    last = path[-1].lower()
    if item_name and name_of(bundle, items) == item_name:
        return 0, len(path)
    if {singular(word) for word in words(path[-1])} == {singular(word) for word in words(name)}:
        return 1, len(path)
    if last in LIST_NAMES:
        return 2, len(path), LIST_NAMES.index(last)
    return 3, len(path)


def _looks_like_item(anatomy: Anatomy) -> bool:
    return any(name in anatomy.members for name in ("id", "_id", "uuid"))


def item_part(schema: Schema | None, *, name: str, item_name: str = "", keys: tuple[str, ...] = ()) -> Part | None:
    """The single resource within a message, or None when the message is no object."""
    if schema is None:
        return None
    bundle = schema.bundle(Direction.RESPONSE)
    root = anatomy_of(schema)
    if not root.is_object or root.is_array:
        return None
    whole = Part((), root, bundle, bundle)
    if item_name and root.name == item_name:
        return whole
    if any(key in root.members for key in (*keys, "id", "_id", "uuid")):
        return whole
    wanted = [singular(word) for word in words(name)]
    for member in root.members.values():
        if "object" not in member.types:
            continue
        inner = _member_schema(bundle, member.name)
        same = bool(item_name) and name_of(bundle, inner) == item_name
        called = [singular(word) for word in words(member.name)] == wanted or member.name.lower() in ITEM_NAMES
        if same or called:
            part = dissect(bundle, inner)
            if part.members:
                return Part((member.name,), part, bundle, inner)
    return whole


def _member_schema(bundle: Json, name: str) -> Json:
    return flatten(bundle, bundle).get("properties", {}).get(name, {})


def schema_at(bundle: Json, path: tuple[str, ...]) -> Json:
    """The schema of the member at a path of names, {} where none is described."""
    schema: Json = bundle
    for name in path:
        schema = (flatten(bundle, schema).get("properties") or {}).get(name, {})
    return schema


def alone(part: Part) -> Json:
    """A part of a message as a self-contained schema."""
    if part.schema is part.bundle or not isinstance(part.schema, dict):
        return part.schema
    shared = {key: part.bundle[key] for key in ("$schema", "$defs", "definitions") if key in part.bundle}
    return {**shared, **part.schema}


def list_envelope(part: Part) -> Envelope:
    """The envelope around a list: where the list is and what the fields beside it mean."""
    if not part.path:
        return Envelope()
    fields: dict[tuple[str, ...], str] = {}
    for path, members in _envelope_levels(part):
        for name in members:
            if (*path, name) == part.path[: len(path) + 1]:
                continue
            roles = (role for role in envelope_roles(name, of=part.path[-1]) if _fits(role, members[name]))
            role = next(roles, None)
            if role is not None:
                fields.setdefault((*path, name), role)
    if not {"next_url", "previous_url", "first_url", "last_url"} & set(fields.values()):
        # ``path`` and ``self`` are the list's address only beside the addresses of other pages.
        fields = {path: role for path, role in fields.items() if role != "self_url"}
    if "total" not in fields.values():
        # A lone ``count`` counts everything.
        fields = {path: "total" if role == "count" else role for path, role in fields.items()}
    return Envelope(part.path, fields)


def _envelope_levels(part: Part) -> list[tuple[tuple[str, ...], Mapping[str, Json]]]:
    root = flatten(part.bundle, part.bundle).get("properties") or {}
    levels: list[tuple[tuple[str, ...], Mapping[str, Json]]] = [((), _flat(part.bundle, root))]
    for depth in range(1, len(part.path)):
        inner = _at(part.bundle, part.path[:depth])
        levels.append((part.path[:depth], _flat(part.bundle, inner)))
    for path, members in list(levels):
        for name, value in members.items():
            if words(name) in ENVELOPE_PARTS and (*path, name) != part.path[: len(path) + 1]:
                inner = value.get("properties") or {}
                if inner:
                    levels.append(((*path, name), _flat(part.bundle, inner)))
    return levels


def _at(bundle: Json, path: tuple[str, ...]) -> Mapping[str, Json]:
    found: Mapping[str, Json] = flatten(bundle, schema_at(bundle, path)).get("properties") or {}
    return found


def _flat(bundle: Json, properties: Mapping[str, Json]) -> dict[str, Mapping[str, Json]]:
    return {name: flatten(bundle, value) for name, value in properties.items()}


_ROLE_TYPES = {
    "has_more": {"boolean"},
    "true": {"boolean"},
    "next_url": {"string"},
    "previous_url": {"string"},
    "first_url": {"string"},
    "last_url": {"string"},
    "self_url": {"string"},
    "next_page": {"integer", "number"},
    "previous_page": {"integer", "number"},
    "next_cursor": {"string", "integer"},
    "previous_cursor": {"string", "integer"},
}


def _fits(role: str, schema: Mapping[str, Json]) -> bool:
    declared = schema.get("type")
    types = {declared} if isinstance(declared, str) else set(declared or ())
    return not types or bool(types & _ROLE_TYPES.get(role, {"integer", "number", "string"}))


def key_names(parameter: str | None, resource: str) -> tuple[str, ...]:
    """The names under which an item may carry its key, most likely first.

    ``petId`` suggests petId, then id; ``issue_number`` suggests number; ``username`` itself.
    """
    names: list[str] = []
    if parameter is not None:
        names.append(parameter)
        spelled = words(parameter)
        own = [singular(word) for word in words(resource)]
        rest = [word for word in spelled if singular(word) not in own]
        if rest and rest != list(spelled):
            names += ["_".join(rest), rest[0] + "".join(word.capitalize() for word in rest[1:])]
        if len(spelled) > 1:
            names.append(spelled[-1])
    return tuple(dict.fromkeys([*names, *_KEYS[:5], *(_KEYS[5:] if parameter is None else ())]))


_SCALARS = frozenset({"string", "integer", "number"})


def choose_key(
    anatomy: Anatomy, parameter: str | None, resource: str, *, types: frozenset[str] = frozenset()
) -> str | None:
    """The property that identifies an item, or None when its representation has none.

    ``types`` are those of the path parameter that carries the key. A property of other types is not what the
    path means: ``/repos/{repo}`` with a text is about ``name``, though there is a numeric ``id``.
    """
    by_words = {words(name): name for name in reversed(tuple(anatomy.members))}
    spare = ("name", "slug", "code", "login", "username") if parameter is not None else ()
    found = []
    for candidate in (*key_names(parameter, resource), *spare):
        name = candidate if candidate in anatomy.members else by_words.get(words(candidate))
        if name is not None and (not anatomy.members[name].types or anatomy.members[name].types & _SCALARS):
            found.append(name)
    for name in found:
        loosely = parameter is not None and words(parameter)[-1:] == words(name)[-1:]
        if loosely or _same_kind(anatomy.members[name].types, types):
            return name
    return None


def _same_kind(left: frozenset[str], right: frozenset[str]) -> bool:
    """Whether two sets of types may hold the same values, taking integers for numbers."""
    numeric = {"integer", "number"}
    return not left or not right or bool(left & right) or bool(left & numeric and right & numeric)


def overlap(left: Anatomy, right: Anatomy) -> float:
    """The share of ``left``'s members that ``right`` has too; 0 for an empty one."""
    return len(set(left.members) & set(right.members)) / len(left.members) if left.members else 0.0


def request_part(operation: Operation, item: Anatomy, *, name: str) -> tuple[tuple[str, ...], Anatomy]:
    """Where in a request body the resource is written, and the anatomy of that part."""
    schema = request_schema(operation)
    if schema is None:
        return (), EMPTY
    bundle = schema.bundle(Direction.REQUEST)
    root = anatomy_of(schema, Direction.REQUEST)
    if root.is_array:
        return (), root
    objects = [member for member in root.members.values() if "object" in member.types]
    if len(root.members) <= 2 and len(objects) == 1 and not overlap(root, item) > 0.5:
        inner = dissect(bundle, _member_schema(bundle, objects[0].name))
        called = [singular(word) for word in words(objects[0].name)] == [singular(word) for word in words(name)]
        if called or objects[0].name in ITEM_NAMES or overlap(inner, item) > 0.5:
            return (objects[0].name,), inner
    return (), root
