"""Which branch of a oneOf or anyOf a value was meant for, when it is valid for none."""

from __future__ import annotations

from collections.abc import Sequence

from jsonschema_rs import ValidationError

from mock_server.dataclass import dataclass
from mock_server.openapi.bundle import Bundle
from mock_server.openapi.values import Json


@dataclass(frozen=True, slots=True)
class Choice:
    """The branch that was probably meant, or why none can be told.

    ``index`` is the branch, or None: then ``allowed`` are the values of the property ``tag`` that name a
    branch, or, when ``tag`` is None, the JSON types that some branch admits. ``assumed`` says that there were
    other candidates.
    """

    index: int | None
    assumed: bool = False
    tag: str | None = None
    allowed: tuple[Json, ...] = ()


def choose(
    owner: dict[str, Json],
    branches: Sequence[Json],
    failures: Sequence[Sequence[ValidationError]],
    value: Json,
    bundle: Bundle,
    *,
    depth: int,
) -> Choice:
    """The branch that ``value``, found ``depth`` levels down in the message, comes closest to.

    A discriminator decides; then properties whose only allowed value is there; then the JSON type; then the
    branch with the fewest errors, and among equals the one whose errors lie deepest.
    """
    several = sum(not _is_null(bundle.follow(branch)) for branch in branches) > 1
    if isinstance(value, dict):
        told = _by_discriminator(owner, branches, value) or _by_constants(branches, value, bundle)
        if told is not None:
            return Choice(told.index, several and told.index is not None, told.tag, told.allowed)
    typed = [index for index, errors in enumerate(failures) if not _mistyped(errors, depth)]
    if not typed:
        types = dict.fromkeys(
            name for errors in failures for error in _mistyped(errors, depth) for name in error.kind.as_dict()["types"]
        )
        return Choice(None, allowed=tuple(types))
    best = min(typed, key=lambda index: (len(failures[index]), -_deepest(failures[index]), index))
    return Choice(best, assumed=several)


def _by_discriminator(owner: dict[str, Json], branches: Sequence[Json], value: dict[str, Json]) -> Choice | None:
    """What the discriminator says (OAS 3.1 §4.8.25); its mapping is complete in a bundle."""
    discriminator = owner.get("discriminator")
    mapping = discriminator.get("mapping") if isinstance(discriminator, dict) else None
    tag = discriminator.get("propertyName") if isinstance(discriminator, dict) else None
    if not isinstance(mapping, dict) or not isinstance(tag, str):
        return None
    refs = [branch.get("$ref") if isinstance(branch, dict) else None for branch in branches]
    named = value.get(tag)
    if isinstance(named, str) and mapping.get(named) in refs:
        return Choice(refs.index(mapping[named]))
    return Choice(None, tag=tag, allowed=tuple(mapping))


def _by_constants(branches: Sequence[Json], value: dict[str, Json], bundle: Bundle) -> Choice | None:
    """The branch whose constant properties are there, or the constants when the value has none of them."""
    constants = [_constants(branch, bundle) for branch in branches]
    matching = [
        index
        for index, known in enumerate(constants)
        if known and all(name in value and _equal(value[name], constant) for name, constant in known.items())
    ]
    if len(matching) == 1:
        return Choice(matching[0])
    objects = [known for known, branch in zip(constants, branches, strict=True) if not _is_null(bundle.follow(branch))]
    if matching or len(objects) < 2:
        return None
    for tag in objects[0]:
        allowed = [known[tag] for known in objects if tag in known]
        if len(allowed) == len(objects) and not any(_equal(value.get(tag), constant) for constant in allowed):
            distinct = tuple(dict.fromkeys(item for item in allowed if isinstance(item, str)))
            if len(distinct) == len(objects):
                return Choice(None, tag=tag, allowed=distinct)
    return None


def _constants(schema: Json, bundle: Bundle) -> dict[str, Json]:
    """The properties of a branch that admit one value only."""
    found: dict[str, Json] = {}
    seen: set[int] = set()
    pending = [schema]
    while pending:
        here = pending.pop()
        if not isinstance(here, dict) or id(here) in seen:
            continue
        seen.add(id(here))
        for name, child in here.get("properties", {}).items():
            child = bundle.follow(child)
            if isinstance(child, dict) and "const" in child:
                found[name] = child["const"]
            elif isinstance(child, dict) and len(child.get("enum", ())) == 1:
                found[name] = child["enum"][0]
        if "$ref" in here:
            pending.append(bundle.referred(here["$ref"]))
        pending += here.get("allOf", [])
    return found


def _equal(one: Json, other: Json) -> bool:
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _is_null(schema: Json) -> bool:
    return isinstance(schema, dict) and schema.get("type") in ("null", ["null"])


def _mistyped(errors: Sequence[ValidationError], depth: int) -> list[ValidationError]:
    """The errors that say the whole value is of the wrong type."""
    return [error for error in errors if error.kind.name == "type" and len(error.instance_path) == depth]


def _deepest(errors: Sequence[ValidationError]) -> int:
    return max((len(error.instance_path) for error in errors), default=0)
