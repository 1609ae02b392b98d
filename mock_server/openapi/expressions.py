"""Runtime expressions: names for values that exist only once a message has been sent.

The grammar is the one of OpenAPI (OAS 3.1 §4.8.20.4) with the additions of Arazzo (Arazzo 1.0 §Runtime
Expressions):

    $url  $method  $statusCode
    $request.header.NAME  $request.query.NAME  $request.path.NAME  $request.body#/json/pointer   (and
    $response.…) $inputs.NAME  $outputs.NAME  $steps.NAME  $workflows.NAME  $sourceDescriptions.NAME
    $components.NAME

Further roots have the form ``$root``, ``$root.NAME`` or ``$root#/json/pointer``; an evaluation finds their
values in ``Context.bindings``. The names that annotations of a model may use are ``MODEL_ROOTS``.

A dotted NAME is looked up greedily: at every object the longest part of it that is a member wins, so a member
called ``my.org.User`` is found as written and ``leads.total`` also finds ``total`` inside ``leads``.

In a JSON value (``template_value``) and in a text (``template``) expressions stand alone, ``"$inputs.name"``,
or embedded in braces, ``"Hello {$inputs.name}"``. A doubled dollar is a literal one where an expression could
begin:
``"$$5.00"`` is the text ``$5.00`` and ``"{$$x}"`` is ``{$x}``. Anywhere else a dollar needs no escape. An
embedded expression ends at the first closing brace.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import field
from enum import Enum
from typing import Final, TypeAlias

from mock_server.dataclass import dataclass
from mock_server.errors import did_you_mean
from mock_server.openapi import pointers
from mock_server.openapi.values import Json


class Missing(Enum):
    """The type of ``MISSING``, which says that an expression names nothing; JSON null is something."""

    MISSING = "missing"

    def __repr__(self) -> str:
        return self.name


MISSING: Final = Missing.MISSING

PLAIN_ROOTS: Final = frozenset({"url", "method", "statusCode"})
MESSAGE_ROOTS: Final = frozenset({"request", "response"})
ARAZZO_ROOTS: Final = frozenset({"inputs", "outputs", "steps", "workflows", "sourceDescriptions", "components"})
MODEL_ROOTS: Final = frozenset({"resource", "principal", "now", "state"})
ROOTS: Final = PLAIN_ROOTS | MESSAGE_ROOTS | ARAZZO_ROOTS | MODEL_ROOTS
"""Every root that ``parse`` knows by default; callers add their own with ``ROOTS | {...}``."""

_SOURCES: Final = ("header", "query", "path", "body")
_ROOT = re.compile(r"\$([A-Za-z_][\w-]*)")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110 §5.6.2
_ARRAY_INDEX = re.compile(r"0|[1-9][0-9]{0,17}")  # RFC 6901 §4; longer than any array here
_STEP = re.compile(r"(?=\.)|(?=\[[0-9]+\])")
_MOST_STEPS = 64  # the greedy look-up tries every prefix; this keeps a hostile name cheap
_SHOWN_TEXT = 120


class ExpressionSyntaxError(ValueError):
    """An expression, template or criterion that does not parse; its reader turns it into an error with a
    place.

    ``problem`` says what is wrong, ``text`` is the whole text that was parsed, ``position`` the index in it
    where the problem begins, ``hint`` what to do next, and ``pointer`` the JSON pointer of the text in a
    ``template_value``.
    """

    def __init__(self, problem: str, text: str, position: int, *, hint: str | None = None, pointer: str = "") -> None:
        self.problem = problem
        self.text = text
        self.position = position
        self.hint = hint
        self.pointer = pointer
        shown = text if len(text) <= _SHOWN_TEXT else text[: _SHOWN_TEXT - 3] + "..."
        super().__init__(
            f"{problem} (character {position + 1} of {shown!r}{f', at {pointer}' if pointer else ''})"
            + (f"; {hint}" if hint else "")
        )

    def within(self, text: str, offset: int) -> ExpressionSyntaxError:
        """The same error, told of the longer ``text`` in which this one's text begins at ``offset``."""
        return ExpressionSyntaxError(self.problem, text, offset + self.position, hint=self.hint)


class Pending:
    """A value that exists only later; whoever evaluates templates over such values derives theirs from this."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Joined(Pending):
    """A text of which parts are pending, in order."""

    parts: tuple[Json, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """What an expression can see of a request or a response.

    Header names are compared without regard to case, whatever mapping holds them. ``query`` and ``path`` hold
    decoded parameters by name. ``body`` is the decoded body, or ``MISSING`` when there is none.
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Json] = field(default_factory=dict)
    path: Mapping[str, Json] = field(default_factory=dict)
    body: Json = MISSING


@dataclass(frozen=True, slots=True)
class Context:
    """Everything an expression may refer to; None stands for what is not known yet.

    ``bindings`` gives the values of all roots that are not parts of the HTTP exchange: the Arazzo roots
    (``inputs``, ``steps`` …) and the caller's own. A value may be any mapping, so one can be computed when it
    is asked for.
    """

    url: str | None = None
    method: str | None = None
    status_code: int | None = None
    request: Message | None = None
    response: Message | None = None
    bindings: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Expression:
    """One parsed runtime expression.

    ``root`` is the name after the dollar, ``source`` the part of a message (header, query, path, body) when
    the root is one, ``steps`` the dotted name cut at its dots, ``pointer`` the unescaped tokens of the JSON
    pointer, and ``tail`` what a criterion dereferences after the pointer (Arazzo 1.0 §Criterion Object,
    operators ``.`` and ``[]``).
    """

    text: str
    root: str
    source: str | None = None
    steps: tuple[str, ...] = ()
    pointer: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()

    def evaluate(self, context: Context) -> Json:
        """The value that the expression names in ``context``, of its own JSON type, or ``MISSING``."""
        value = self._named(context)
        for token in self.pointer:
            value = _member(value, token)
        return _descend(value, self.tail)

    def _named(self, context: Context) -> Json:
        if self.root in PLAIN_ROOTS:
            plain = {"url": context.url, "method": context.method, "statusCode": context.status_code}[self.root]
            return MISSING if plain is None else plain
        if self.source is None:
            return _descend(context.bindings.get(self.root, MISSING), self.steps)
        message = context.request if self.root == "request" else context.response
        if message is None:
            return MISSING
        if self.source == "header":
            return _header(message.headers, self.steps[0])
        if self.source == "body":
            return message.body
        return _descend(message.query if self.source == "query" else message.path, self.steps)


def _header(headers: Mapping[str, str], name: str) -> Json:
    wanted = name.lower()  # field names are case-insensitive (RFC 9110 §5.1)
    return next((value for known, value in headers.items() if known.lower() == wanted), MISSING)


def _member(value: Json, token: str) -> Json:
    """What one reference token of a JSON pointer names in ``value`` (RFC 6901 §4), or ``MISSING``."""
    if isinstance(value, Mapping):
        return value.get(token, MISSING)
    if isinstance(value, Sequence) and not isinstance(value, str) and _ARRAY_INDEX.fullmatch(token):
        index = int(token)
        return value[index] if index < len(value) else MISSING
    return MISSING


def _descend(value: Json, steps: tuple[str, ...]) -> Json:
    """What a dotted name leads to, the longest member first at each object, or ``MISSING``."""
    at = 0
    while at < len(steps):
        if isinstance(value, Mapping):
            for end in range(len(steps), at, -1):
                name = "".join(steps[at:end]).removeprefix(".")
                if name in value:
                    value, at = value[name], end
                    break
            else:
                return MISSING
        else:
            value, at = _member(value, steps[at].strip(".[]")), at + 1
    return value


def _steps(name: str) -> tuple[str, ...]:
    """A dotted name cut before each dot and each ``[0]``; joined again, the steps give the name."""
    if not name:
        return ("",)
    return tuple(step for step in _STEP.split(name, maxsplit=_MOST_STEPS) if step)


def parse(text: str, *, roots: Set[str] = ROOTS) -> Expression:
    """The expression that ``text`` is; ``ExpressionSyntaxError`` when it is none or its root is unknown."""
    return _parse(text, roots, dereference=False)


def parse_operand(text: str, *, roots: Set[str] = ROOTS) -> Expression:
    """The operand of a criterion that ``text`` is: an expression that ``.name`` and ``[0]`` may follow.

    A member whose name is spelt like that wins over the dereference: ``$response.body#/a.b`` is first the
    member ``a.b`` and only then ``b`` in ``a``.
    """
    return _parse(text, roots, dereference=True)


def _parse(text: str, roots: Set[str], *, dereference: bool) -> Expression:
    match = _ROOT.match(text)
    if match is None:
        raise ExpressionSyntaxError(
            "a runtime expression begins with '$' and a name",
            text,
            0,
            hint="a literal dollar is written '$$'",
        )
    root, at = match[1], match.end()
    if root not in roots:
        known = ", ".join(f"${name}" for name in sorted(roots))
        close = did_you_mean(root, roots)
        raise ExpressionSyntaxError(
            f"no runtime expression begins with '${root}'",
            text,
            1,
            hint=(close or f"known are {known}") + "; a literal dollar is written '$$'",
        )
    if (at < len(text) and text[at] not in ".#[") or (text[at : at + 1] == "[" and not dereference):
        raise ExpressionSyntaxError(f"'${root}' is followed by {text[at]!r}", text, at, hint="expected '.' or '#'")
    if root in PLAIN_ROOTS:
        if at < len(text):
            raise ExpressionSyntaxError(f"'${root}' is a plain value, nothing can follow it", text, at)
        return Expression(text, root)
    if root in MESSAGE_ROOTS:
        return _parse_message(text, root, dereference=dereference)
    return _parse_bound(text, root, dereference=dereference)


def _parse_bound(text: str, root: str, *, dereference: bool) -> Expression:
    """``$root``, ``$root.name`` or ``$root.name#/pointer``, as in Arazzo's example of a step output."""
    at = len(root) + 1
    named, hash_mark, _ = text.partition("#")
    name = named[at:].removeprefix(".")
    if not name and (root in ARAZZO_ROOTS or len(named) > at):
        raise ExpressionSyntaxError(f"'${root}.' needs a name after the dot", text, len(named))
    steps = _steps(name) if name else ()
    if not hash_mark:
        return Expression(text, root, steps=steps)
    pointer, tail = _parse_pointer(text, len(named) + 1, dereference=dereference)
    return Expression(text, root, steps=steps, pointer=pointer, tail=tail)


def _parse_message(text: str, root: str, *, dereference: bool) -> Expression:
    """``$request.`` or ``$response.`` and a source (OAS 3.1 §4.8.20.4, rule ``source``)."""
    begin = len(root) + 2
    source = re.split(r"[.#\[]", text[begin:], maxsplit=1)[0] if text[begin - 1 : begin] == "." else ""
    if source not in _SOURCES:
        raise ExpressionSyntaxError(
            f"'${root}' has no part {source!r}" if source else f"'${root}' needs one of its parts",
            text,
            begin if source else begin - 1,
            hint=did_you_mean(source, _SOURCES) or "the parts are .header.NAME, .query.NAME, .path.NAME and .body",
        )
    at = begin + len(source)
    if source == "body":
        return _parse_body(text, root, at, dereference=dereference)
    name = text[at + 1 :]
    if text[at : at + 1] != "." or not name:
        raise ExpressionSyntaxError(f"'${root}.{source}' needs a name: ${root}.{source}.NAME", text, at)
    if source != "header":
        return Expression(text, root, source, steps=_steps(name))
    token = _TOKEN.match(name)
    if token is None or token.end() < len(name):
        bad = at + 1 + (token.end() if token else 0)
        raise ExpressionSyntaxError(f"{text[bad]!r} cannot be in the name of a header", text, bad)
    return Expression(text, root, source, steps=(name,))


def _parse_body(text: str, root: str, at: int, *, dereference: bool) -> Expression:
    rest = text[at:]
    if rest.startswith("#"):
        pointer, tail = _parse_pointer(text, at + 1, dereference=dereference)
        return Expression(text, root, "body", pointer=pointer, tail=tail)
    if not rest:
        return Expression(text, root, "body")
    if dereference and rest[0] in ".[":
        return Expression(text, root, "body", tail=_steps(rest))
    raise ExpressionSyntaxError(
        "a JSON pointer follows the body after '#/'",
        text,
        at,
        hint=f"write ${root}.body#/{rest[1:].replace('.', '/')}" if rest[0] == "." else None,
    )


def _parse_pointer(text: str, at: int, *, dereference: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The tokens of the JSON pointer at ``text[at:]``, and the dereferenced tail in place of the last one."""
    written = text[at:]
    if not written:
        return (), ()
    if not written.startswith("/"):
        raise ExpressionSyntaxError("a JSON pointer begins with '/'", text, at, hint=f"write {text[:at]}/{written}")
    escape = re.search(r"~(?![01])", written)
    if escape:
        raise ExpressionSyntaxError(
            "'~' is written '~0' in a JSON pointer, and '/' in a name '~1'", text, at + escape.start()
        )
    tokens = pointers.split(written)
    return (tokens[:-1], _steps(tokens[-1])) if dereference else (tokens, ())


@dataclass(frozen=True, slots=True)
class Template:
    """A text in which expressions are embedded; ``parts`` are its texts and expressions, in order."""

    text: str
    parts: tuple[str | Expression, ...]

    @property
    def is_literal(self) -> bool:
        """Whether the text contains no expression, so that its value is always the same."""
        return all(isinstance(part, str) for part in self.parts)

    def evaluate(self, context: Context) -> Json:
        """The text with its expressions replaced, or ``MISSING`` when one of them names nothing.

        A text that is nothing but one expression keeps the value's JSON type (Arazzo 1.0 §Runtime
        Expressions). Inside a longer text strings stand as they are and other values as JSON. A longer text
        with a ``Pending`` value in it is ``Joined``.
        """
        values = [part if isinstance(part, str) else part.evaluate(context) for part in self.parts]
        if len(values) == 1:
            return values[0]
        if any(value is MISSING for value in values):
            return MISSING
        if any(isinstance(value, Pending) for value in values):
            return Joined(tuple(values))
        return "".join(value if isinstance(value, str) else json_text(value) for value in values)


def json_text(value: Json) -> str:
    """The value as compact JSON for people to read: no escapes for letters outside ASCII."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def template(text: str, *, roots: Set[str] = ROOTS) -> Template:
    """The template that ``text`` is: a lone expression, or text with expressions in braces, or plain text."""
    if text.startswith("$") and not text.startswith("$$"):
        if "{$" in text:
            raise ExpressionSyntaxError(
                "an expression with text after it stands in braces",
                text,
                text.index("{$"),
                hint="write {$...} for the first expression too, or '$$' for a literal dollar",
            )
        return Template(text, (parse(text, roots=roots),))
    at = 1 if text.startswith("$$") else 0
    literal = ""
    parts: list[str | Expression] = []
    while (begin := text.find("{$", at)) >= 0:
        literal += text[at:begin]
        if text.startswith("{$$", begin):
            literal, at = literal + "{$", begin + 3
            continue
        end = text.find("}", begin)
        if end < 0:
            raise ExpressionSyntaxError("'{$' is never closed by '}'", text, begin, hint="a literal one is '{$$'")
        if literal:
            parts.append(literal)
        parts.append(_parse_embedded(text, begin + 1, end, roots))
        literal, at = "", end + 1
    literal += text[at:]
    if literal or not parts:
        parts.append(literal)
    return Template(text, tuple(parts))


def _parse_embedded(text: str, begin: int, end: int, roots: Set[str]) -> Expression:
    try:
        return parse(text[begin:end], roots=roots)
    except ExpressionSyntaxError as error:
        raise error.within(text, begin) from None


@dataclass(frozen=True, slots=True)
class _Constant:
    value: Json


@dataclass(frozen=True, slots=True)
class _Array:
    items: tuple[_Plan, ...]


@dataclass(frozen=True, slots=True)
class _Object:
    members: tuple[tuple[str, _Plan], ...]


_Plan: TypeAlias = "_Constant | Template | _Array | _Object"


@dataclass(frozen=True, slots=True)
class ValueTemplate:
    """A JSON value whose strings may be templates; ``source`` is the value as it was written."""

    source: Json
    plan: _Plan = field(repr=False)

    def evaluate(self, context: Context) -> Json:
        """A JSON value with every template replaced by what it names in ``context``.

        Members of objects and elements of arrays that are ``MISSING`` are left out; the result is ``MISSING``
        when the whole value is one template that names nothing. Parts without expressions are shared, not
        copied.
        """
        return _fill(self.plan, context)


def template_value(value: Json, *, roots: Set[str] = ROOTS) -> ValueTemplate:
    """The compiled form of a JSON value whose strings may be expressions or templates; member names are
    literal.

    An ``ExpressionSyntaxError`` says in ``pointer`` which string of the value is wrong.
    """
    return ValueTemplate(value, _compile(value, roots, ""))


def _compile(value: Json, roots: Set[str], pointer: str) -> _Plan:
    if isinstance(value, str):
        try:
            compiled = template(value, roots=roots)
        except ExpressionSyntaxError as error:
            raise ExpressionSyntaxError(
                error.problem, error.text, error.position, hint=error.hint, pointer=pointer
            ) from None
        return _Constant(compiled.parts[0]) if compiled.is_literal else compiled
    if isinstance(value, dict):
        members = tuple((name, _compile(member, roots, pointers.join(pointer, name))) for name, member in value.items())
        if all(isinstance(plan, _Constant) for _, plan in members):
            return _Constant(_fill(_Object(members), Context()))
        return _Object(members)
    if isinstance(value, list):
        items = tuple(_compile(item, roots, pointers.join(pointer, index)) for index, item in enumerate(value))
        if all(isinstance(plan, _Constant) for plan in items):
            return _Constant(_fill(_Array(items), Context()))
        return _Array(items)
    return _Constant(value)


def _fill(plan: _Plan, context: Context) -> Json:
    if isinstance(plan, _Constant):
        return plan.value
    if isinstance(plan, Template):
        return plan.evaluate(context)
    if isinstance(plan, _Array):
        return [value for item in plan.items if (value := _fill(item, context)) is not MISSING]
    filled = ((name, _fill(member, context)) for name, member in plan.members)
    return {name: value for name, value in filled if value is not MISSING}
