"""From a site to its shapes: one reader per JSON Schema keyword, one shape per choice of branches."""

from __future__ import annotations

from collections import deque
from dataclasses import field
from typing import TYPE_CHECKING, TypeAlias

from mock_server.dataclass import dataclass
from mock_server.sampling.bundle import Bundle, Node, Site
from mock_server.sampling.shapes import KINDS, ArrayGroup, Contains, ObjectGroup, Shape, exact_fraction, upper

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mock_server.openapi.values import Json

MAX_ALTERNATIVES = 48
_MAX_NODES = 5_000


@dataclass(slots=True)
class _Gathering:
    """One walk over everything that applies at a site, taking the branches that ``choices`` prescribes."""

    bundle: Bundle
    choices: tuple[int, ...]
    shape: Shape = field(default_factory=Shape)
    arities: list[int] = field(default_factory=list)
    pending: list[Node] = field(default_factory=list)
    seen: dict[str, Node] = field(default_factory=dict)
    referred: list[str] = field(default_factory=list)  # the last segments of the references followed, in order
    discriminators: list[tuple[Json, int, bool]] = field(default_factory=list)

    def choose(self, options: int) -> int:
        """The branch to take at a point with ``options`` branches."""
        turn = len(self.arities)
        self.arities.append(options)
        return self.choices[turn] if turn < len(self.choices) else 0

    def also(self, node: Node) -> None:
        """Have ``node`` apply here too."""
        self.pending.append(node)

    def contradict(self, reason: str) -> None:
        self.shape.contradiction = self.shape.contradiction or reason


Reader: TypeAlias = "Callable[[_Gathering, Node, str], None]"
_READERS: dict[str, Reader] = {}


def _reads(*keywords: str) -> Callable[[Reader], Reader]:
    def register(reader: Reader) -> Reader:
        _READERS.update(dict.fromkeys(keywords, reader))
        return reader

    return register


def alternatives(bundle: Bundle, site: Site) -> Iterator[Shape]:
    """The shapes at a site, first branches first, each with at most one more deviation than the one it came
    from.

    Contradictory shapes are included, so that a caller can say why nothing was found.
    """
    prefixes: deque[tuple[int, ...]] = deque([()])
    made = 0
    while prefixes and made < MAX_ALTERNATIVES:
        prefix = prefixes.popleft()
        shape, arities = gather(bundle, site, choices=prefix)
        made += 1
        yield shape
        for position in range(len(prefix), len(arities)):
            zeros = (0,) * (position - len(prefix))
            prefixes.extend((*prefix, *zeros, branch) for branch in range(1, arities[position]))
            if len(prefixes) > MAX_ALTERNATIVES:
                break


def gather(bundle: Bundle, site: Site, *, choices: tuple[int, ...]) -> tuple[Shape, list[int]]:
    """The shape at ``site`` when the branches ``choices`` are taken, and how many branches each point had."""
    walk = _Gathering(bundle, choices)
    walk.pending.extend(reversed(site.nodes))
    while walk.pending and len(walk.seen) < _MAX_NODES:
        node = walk.pending.pop()
        if node.pointer in walk.seen:
            continue
        walk.seen[node.pointer] = node
        _read(walk, node)
    _tag(walk)
    _settle(walk.shape)
    return walk.shape, walk.arities


def _read(walk: _Gathering, node: Node) -> None:
    schema = node.schema
    if schema is False:
        walk.contradict("the schema is false")
    if not isinstance(schema, dict):
        return
    if "$ref" in schema and walk.bundle.ref_hides_siblings:
        _read_ref(walk, node, "$ref")
        return
    waiting = len(walk.pending)
    _read_object_group(walk, node)
    _read_array_group(walk, node)
    for keyword in schema:
        reader = _READERS.get(keyword)
        if reader is not None:
            reader(walk, node, keyword)
    # What this schema brought in is read in its own order, before what waited already.
    walk.pending[waiting:] = reversed(walk.pending[waiting:])


@_reads("$ref", "$dynamicRef", "$recursiveRef")
def _read_ref(walk: _Gathering, node: Node, keyword: str) -> None:
    value = node.schema[keyword]
    target = walk.bundle.follow(value) if isinstance(value, str) else None
    if target is None:
        walk.shape.checked = True
        return
    walk.shape.checked |= keyword != "$ref"
    walk.referred.append(target.pointer.rpartition("/")[2])
    walk.also(target)


@_reads("discriminator")
def _read_discriminator(walk: _Gathering, node: Node, keyword: str) -> None:
    value = node.schema[keyword]
    if isinstance(value, dict) and isinstance(value.get("propertyName"), str):
        offers = "oneOf" in node.schema or "anyOf" in node.schema
        walk.discriminators.append((value, len(walk.referred), offers))


@_reads("allOf")
def _read_all_of(walk: _Gathering, node: Node, keyword: str) -> None:
    for index in range(len(node.schema[keyword])):
        walk.also(node.child("allOf", index))


@_reads("oneOf", "anyOf")
def _read_branches(walk: _Gathering, node: Node, keyword: str) -> None:
    value = node.schema[keyword]
    order = sorted(range(len(value)), key=lambda index: _is_null(value[index]))
    if not order:
        return
    chosen = order[walk.choose(len(order))]
    walk.also(node.child(keyword, chosen))
    walk.shape.checked |= keyword == "oneOf"


def _is_null(schema: Json) -> bool:
    return isinstance(schema, dict) and (schema.get("type") == "null" or schema.get("enum") == [None])


@_reads("if")
def _read_if(walk: _Gathering, node: Node, keyword: str) -> None:
    if "then" not in node.schema and "else" not in node.schema:
        return
    walk.shape.checked = True
    if walk.choose(2) == 0:
        walk.also(node.child("if"))
        if "then" in node.schema:
            walk.also(node.child("then"))
    else:
        _exclude(walk, node.child("if"))
        if "else" in node.schema:
            walk.also(node.child("else"))


@_reads("not")
def _read_not(walk: _Gathering, node: Node, keyword: str) -> None:
    _exclude(walk, node.child("not"))


def _exclude(walk: _Gathering, node: Node) -> None:
    """Steer away from what ``node`` accepts, where that is simple; the check decides the rest."""
    shape, schema = walk.shape, node.schema
    shape.checked = True
    if isinstance(schema, dict) and isinstance(schema.get("$ref"), str):
        target = walk.bundle.follow(schema["$ref"])
        schema = schema if target is None else target.schema
    if schema is True or schema == {}:
        walk.contradict("`not` excludes every value")
    if not isinstance(schema, dict):
        return
    keywords = [key for key in schema if key in _READERS or key in ("properties", "items")]
    if keywords == ["type"]:
        named = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        gone = {*named, "integer"} if "number" in named else set(named)
        shape.restrict_kinds(tuple(kind for kind in KINDS if kind not in gone))
    elif keywords == ["required"] and len(schema["required"]) == 1:
        shape.forbidden.extend(schema["required"])
        shape.inferred.append("object")
    elif keywords == ["not"]:
        walk.also(node.child("not") if schema is node.schema else Node(schema["not"], node.pointer + "/not"))
    elif keywords == ["anyOf"] and schema is node.schema:
        for index in range(len(schema["anyOf"])):
            _exclude(walk, node.child("anyOf", index))


@_reads("type")
def _read_type(walk: _Gathering, node: Node, keyword: str) -> None:
    value = node.schema[keyword]
    named = value if isinstance(value, list) else [value]
    if all(isinstance(kind, str) for kind in named):
        walk.shape.restrict_kinds(tuple(kind for kind in named if kind in KINDS))


@_reads("enum")
def _read_enum(walk: _Gathering, node: Node, keyword: str) -> None:
    value = node.schema[keyword]
    if walk.shape.choices is not None:
        walk.shape.checked = True
    elif isinstance(value, list):
        walk.shape.choices = value


@_reads("const")
def _read_const(walk: _Gathering, node: Node, keyword: str) -> None:
    walk.shape.checked |= walk.shape.choices is not None
    walk.shape.choices = [node.schema[keyword]]


@_reads("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
def _read_bounds(walk: _Gathering, node: Node, keyword: str) -> None:
    schema, shape = node.schema, walk.shape
    if "multipleOf" in schema and _is_number(schema["multipleOf"]) and schema["multipleOf"] > 0:
        step = exact_fraction(schema["multipleOf"])
        if step not in shape.steps:
            shape.steps.append(step)
    for end, tighten in (("inimum", shape.raise_minimum), ("aximum", shape.lower_maximum)):
        bound, exclusive = schema.get("m" + end), schema.get("exclusiveM" + end)
        if _is_number(bound):
            tighten(bound, exclusive=exclusive is True)  # draft 4 §5.1.2: a boolean beside the bound
        if _is_number(exclusive):
            tighten(exclusive, exclusive=True)
    shape.inferred.append("number")


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@_reads("minLength", "maxLength")
def _read_lengths(walk: _Gathering, node: Node, keyword: str) -> None:
    walk.shape.min_length = max(walk.shape.min_length, int(node.schema.get("minLength", 0)))
    if "maxLength" in node.schema:
        walk.shape.max_length = upper(walk.shape.max_length, int(node.schema["maxLength"]))
    walk.shape.inferred.append("string")


@_reads("pattern")
def _read_pattern(walk: _Gathering, node: Node, keyword: str) -> None:
    value = node.schema[keyword]
    if value not in walk.shape.patterns:
        walk.shape.patterns.append(value)
    walk.shape.inferred.append("string")


@_reads("format")
def _read_format(walk: _Gathering, node: Node, keyword: str) -> None:
    value = node.schema[keyword]
    shape = walk.shape
    if value in ("int32", "int64"):
        reach = 2 ** (int(value[3:]) - 1)
        shape.raise_minimum(-reach, exclusive=False)
        shape.lower_maximum(reach - 1, exclusive=False)
        shape.inferred.append("integer")
    elif value in ("float", "double"):
        shape.inferred.append("number")
    else:
        shape.checked |= shape.format not in (None, value)
        shape.format = shape.format or value
        shape.inferred.append("string")


@_reads("contentEncoding", "contentMediaType")
def _read_content(walk: _Gathering, node: Node, keyword: str) -> None:
    walk.shape.encoding = node.schema.get("contentEncoding", walk.shape.encoding)
    walk.shape.media_type = node.schema.get("contentMediaType", walk.shape.media_type)
    walk.shape.inferred.append("string")


def _read_array_group(walk: _Gathering, node: Node) -> None:
    schema, listed = node.schema, walk.bundle.items_may_be_a_list
    prefix_keyword, rest_keyword = ("items", "additionalItems") if listed else ("prefixItems", "items")
    prefix = schema.get(prefix_keyword)
    if isinstance(prefix, list):
        heads = tuple(node.child(prefix_keyword, index) for index in range(len(prefix)))
        rest = node.child(rest_keyword) if rest_keyword in schema else None
    elif "items" in schema:
        heads, rest = (), node.child("items")
    else:
        return
    walk.shape.array_groups.append(ArrayGroup(heads, rest))
    walk.shape.inferred.append("array")


@_reads("minItems", "maxItems", "uniqueItems")
def _read_item_counts(walk: _Gathering, node: Node, keyword: str) -> None:
    shape = walk.shape
    shape.min_items = max(shape.min_items, int(node.schema.get("minItems", 0)))
    if "maxItems" in node.schema:
        shape.max_items = upper(shape.max_items, int(node.schema["maxItems"]))
    shape.unique |= node.schema.get("uniqueItems") is True
    shape.inferred.append("array")


@_reads("contains")
def _read_contains(walk: _Gathering, node: Node, keyword: str) -> None:
    schema = node.schema
    most = schema.get("maxContains")
    walk.shape.contains.append(
        Contains(node.child("contains"), int(schema.get("minContains", 1)), None if most is None else int(most))
    )
    walk.shape.checked = True
    walk.shape.inferred.append("array")


@_reads("unevaluatedItems")
def _read_unevaluated_items(walk: _Gathering, node: Node, keyword: str) -> None:
    walk.shape.unevaluated_items.append(node.child("unevaluatedItems"))
    walk.shape.checked = True
    walk.shape.inferred.append("array")


def _read_object_group(walk: _Gathering, node: Node) -> None:
    schema = node.schema
    properties, patterns = schema.get("properties"), schema.get("patternProperties")
    group = ObjectGroup(
        {name: node.child("properties", name) for name in properties} if isinstance(properties, dict) else {},
        tuple((pattern, node.child("patternProperties", pattern)) for pattern in patterns or ()),
        node.child("additionalProperties") if "additionalProperties" in schema else None,
    )
    if group.properties or group.patterns or group.additional is not None:
        walk.shape.object_groups.append(group)
        walk.shape.inferred.append("object")


@_reads("required")
def _read_required(walk: _Gathering, node: Node, keyword: str) -> None:
    value = node.schema[keyword]
    if isinstance(value, list):  # draft 3 and some descriptions write a boolean here, which says nothing
        walk.shape.required.extend(name for name in value if name not in walk.shape.required)
        walk.shape.inferred.append("object")


@_reads("minProperties", "maxProperties")
def _read_property_counts(walk: _Gathering, node: Node, keyword: str) -> None:
    shape = walk.shape
    shape.min_properties = max(shape.min_properties, int(node.schema.get("minProperties", 0)))
    if "maxProperties" in node.schema:
        shape.max_properties = upper(shape.max_properties, int(node.schema["maxProperties"]))
    shape.inferred.append("object")


@_reads("propertyNames")
def _read_property_names(walk: _Gathering, node: Node, keyword: str) -> None:
    walk.shape.property_names.append(node.child("propertyNames"))
    walk.shape.inferred.append("object")


@_reads("unevaluatedProperties")
def _read_unevaluated_properties(walk: _Gathering, node: Node, keyword: str) -> None:
    walk.shape.unevaluated_properties.append(node.child("unevaluatedProperties"))
    walk.shape.checked = True
    walk.shape.inferred.append("object")


@_reads("dependentRequired", "dependentSchemas", "dependencies")
def _read_dependencies(walk: _Gathering, node: Node, keyword: str) -> None:
    for name, needs in node.schema[keyword].items():
        if isinstance(needs, list):
            walk.shape.dependent.append((name, tuple(needs)))
            continue
        walk.shape.checked = True
        if walk.choose(2) == 0:
            walk.also(node.child(keyword, name))  # having the property brings the schema in
        else:
            walk.shape.forbidden.append(name)


def _tag(walk: _Gathering) -> None:
    """Note the value of each discriminator property (OAS 3.1 §4.8.25: a mapping's key or a schema's name)."""
    for discriminator, position, offers in walk.discriminators:
        nearby = walk.referred[position:] + walk.referred[:position] if offers else walk.referred
        mapping = discriminator.get("mapping") or {}
        mapped = {str(target).rpartition("/")[2]: key for key, target in mapping.items()}
        tags = [mapped[name] for name in nearby if name in mapped] or nearby[:1]
        if tags:
            walk.shape.tagged.setdefault(discriminator["propertyName"], tags[0])


def _settle(shape: Shape) -> None:
    """Put the likeliest JSON types first, and notice plain contradictions."""
    if not shape.typed:
        first = list(dict.fromkeys(shape.inferred))
        rest = ("string", "object", "array", "integer", "number", "boolean", "null")
        shape.kinds = tuple(dict.fromkeys([*first, *rest]))
    shape.kinds = tuple(sorted(shape.kinds, key=lambda kind: kind == "null"))
    if not shape.kinds:
        shape.contradiction = shape.contradiction or "the types exclude each other"
    if shape.typed and shape.kinds == ("object",):
        missing = [name for name in shape.required if name in shape.forbidden]
        if missing:
            shape.contradiction = f"{missing[0]!r} is both required and excluded"
