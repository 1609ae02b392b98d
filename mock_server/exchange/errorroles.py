"""What the members of error bodies are for, by their names, and what may stand in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum, auto

from mock_server.exchange.errorfacts import Subject
from mock_server.model.anatomy import words
from mock_server.model.minter import moment
from mock_server.openapi.values import Json
from mock_server.openapi.wording import clipped
from mock_server.sampling import Unsampleable, mint


class Role(Enum):
    """What a member of an error body tells."""

    TEXT = auto()  # the sentence for a person
    TITLE = auto()  # the reason phrase
    CODE = auto()  # the word for a program
    OAUTH_CODE = auto()  # the same in an OAuth error response (RFC 6749 §5.2)
    STATUS = auto()  # the HTTP status
    TYPE = auto()  # a URI or a word for the problem type
    FIELD = auto()  # the member or parameter at fault
    POINTER = auto()  # a JSON pointer to it, within a body
    PARAMETER = auto()  # the parameter at fault, outside a body
    WHERE = auto()  # body, query, path, header, cookie
    GOT = auto()  # the offending value
    EACH = auto()  # one entry for each violation
    ID = auto()  # of the request or of the error
    TIME = auto()
    PATH = auto()  # of the request
    FAILED = auto()  # true in an error
    PASSED = auto()  # false in an error


def _named(role: Role, names: str) -> dict[tuple[str, ...], Role]:
    return {words(name): role for name in names.split()}


_ALWAYS: Mapping[tuple[str, ...], Role] = {
    **_named(Role.TEXT, "message detail description msg reason text summary info cause help_text explanation"),
    **_named(Role.TEXT, "error_description error_message error_msg error_detail user_message developer_message"),
    **_named(Role.TITLE, "title reason_phrase status_text"),
    **_named(Role.CODE, "code error_code slug kind error_type err error_key id_code category error rule keyword"),
    **_named(Role.CODE, "sub_code error_name"),
    **_named(Role.STATUS, "status status_code http_status http_code http_status_code response_code"),
    **_named(Role.TYPE, "type type_uri"),
    **_named(Role.FIELD, "field param property attribute property_path field_name path_to_field loc property_name"),
    **_named(Role.FIELD, "field_path argument"),
    **_named(Role.POINTER, "pointer json_pointer"),
    **_named(Role.PARAMETER, "parameter"),
    **_named(Role.WHERE, "in where location_type"),
    **_named(Role.GOT, "value got received rejected_value invalid_value input actual"),
    **_named(Role.EACH, "errors details violations fields issues validation_errors invalid_params field_errors"),
    **_named(Role.EACH, "error_details problems causes messages validation invalid_fields field_violations"),
    **_named(Role.ID, "request_id trace_id correlation_id error_id id log_id uuid tracking_id instance_id"),
    **_named(Role.TIME, "timestamp time date datetime occurred_at created_at"),
    **_named(Role.PATH, "instance path request_path uri url"),
}
_OF_A_WHOLE = {**_ALWAYS, **_named(Role.CODE, "name key")}
_OF_A_VIOLATION = {
    **_ALWAYS,
    **_named(Role.FIELD, "path name key source target location"),
}
_OF_A_FLAG = {
    **_named(Role.FAILED, "error failed is_error has_error has_errors fault"),
    **_named(Role.PASSED, "success ok succeeded successful is_success result status"),
}
_NUMERIC = (frozenset(("integer",)), frozenset(("number",)))


def role_of(name: str, types_of: Mapping[str, frozenset[str]], *, in_violation: bool) -> Role | None:
    """What a member is for, or None when its name tells nothing.

    ``types_of`` gives the JSON types of every member of the object: ``error`` beside ``error_description`` is
    an OAuth code, beside a status a reason phrase, alone the message itself.
    """
    spelled, types = words(name), types_of[name]
    if types == {"boolean"}:
        return _OF_A_FLAG.get(spelled)
    role = (_OF_A_VIOLATION if in_violation else _OF_A_WHOLE).get(spelled)
    beside = {words(sibling): types for sibling, types in types_of.items() if sibling != name}
    roles = {_ALWAYS.get(sibling) for sibling in beside}
    if spelled == ("error",) and not in_violation:
        if ("error", "description") in beside:
            return Role.OAUTH_CODE
        if not roles & {Role.TEXT, Role.TITLE}:
            return Role.TEXT
        return Role.TITLE if Role.STATUS in roles and Role.CODE not in roles else Role.CODE
    if role is Role.EACH and types == {"string"}:
        return Role.TEXT
    if role is Role.PARAMETER and Role.POINTER not in roles:
        return Role.FIELD
    if role is Role.STATUS and types == {"string"} and beside.get(("code",)) in _NUMERIC:
        return Role.CODE
    return role


def candidates(role: Role, name: str, schema: Mapping[str, Json], subject: Subject) -> Iterator[Json]:
    """What may stand in a member, best first; the caller takes the first that the member's schema admits."""
    facts = subject.facts
    match role:
        case Role.TEXT:
            yield from _texts(subject.message, schema)
        case Role.TITLE:
            yield from _texts(subject.facts.title, schema)
        case Role.CODE:
            yield from _codes(subject, schema)
            if subject.is_whole:
                yield from (facts.status, str(facts.status))
        case Role.OAUTH_CODE:
            yield facts.oauth_code
            yield from _codes(subject, schema)
        case Role.STATUS:
            # A status whose documented example is a word is not the number.
            example = _example(schema)
            if isinstance(example, str) and not example.isdigit():
                yield from (example,) if _GENERIC & set(words(example)) else _codes(subject, schema)
            yield from (facts.status, str(facts.status))
            yield from _codes(subject, schema)
        case Role.TYPE:
            if str(schema.get("format", "")).startswith("uri"):
                yield facts.type
            yield from _codes(subject, schema)
        case Role.FIELD | Role.POINTER | Role.PARAMETER | Role.WHERE | Role.GOT:
            yield from _blamed(role, subject)
        case Role.ID:
            if schema.get("format") is None and "pattern" not in schema:
                yield facts.request_id
            yield from _minted(name, schema, subject)
        case Role.TIME:
            yield moment(schema, facts.now, name)
        case Role.PATH:
            yield facts.path
        case Role.FAILED:
            yield True
        case Role.PASSED:
            yield False
        case Role.EACH:
            return


def _texts(text: str, schema: Mapping[str, Json]) -> Iterator[Json]:
    limit = schema.get("maxLength")
    yield text if not isinstance(limit, int) or len(text) <= limit else text[:limit]


def _blamed(role: Role, subject: Subject) -> Iterator[Json]:
    violation = subject.violation
    if violation is None:
        if role is Role.FIELD:
            yield []
        return
    in_body = violation.where == "body"
    if role is Role.FIELD:
        yield subject.field or violation.where
        yield [violation.where, *subject.tokens]
        yield list(subject.tokens)
    elif role is Role.POINTER and in_body:
        yield violation.pointer
    elif role is Role.PARAMETER and not in_body and violation.name:
        yield violation.name
    elif role is Role.WHERE:
        yield violation.where
    elif role is Role.GOT:
        got = clipped(violation.got)
        yield from (got, str(got))


def _minted(name: str, schema: Mapping[str, Json], subject: Subject) -> Iterator[Json]:
    facts = subject.facts
    try:
        yield mint(dict(schema), ordinal=int(facts.request_id[1:]), seed=facts.seed, name=name, now=facts.now)
    except Unsampleable:
        return


# Codes: one of those listed, or a word in the spelling of the documented example.

_SPELLINGS = ("a_b", "A_B", "a-b", "aB", "Ab", "A-B", "a.b")
_GENERIC = frozenset({"error", "fail", "failed", "failure", "invalid", "bad", "unknown", "general", "other"})
_CLIENT = frozenset({"invalid", "bad", "request", "client"})


def _codes(subject: Subject, schema: Mapping[str, Json]) -> Iterator[Json]:
    listed = schema.get("enum")
    if isinstance(listed, list):
        yield from listed_codes([value for value in listed if isinstance(value, str)], subject)
        return
    example = _example(schema)
    if isinstance(example, str):
        yield spelled_like(example, subject.codes[0])
    for code in subject.codes:
        yield from (code, *(spelled_like(spelling, code) for spelling in _SPELLINGS))


def _example(schema: Mapping[str, Json]) -> Json:
    listed = schema.get("examples")
    return schema.get("example", listed[0] if isinstance(listed, list) and listed else None)


def spelled_like(example: str, code: str) -> str:
    """A code in the spelling of an example: ``NOT_FOUND`` like ``invalid-token`` is ``not-found``."""
    parts = words(code)
    letters = "".join(filter(str.isalpha, example))
    separator = next((mark for mark in "_-. " if mark in example), "")
    if letters.isupper() and len(letters) > 1:
        return (separator or "_").join(parts).upper()
    if separator or letters.islower():
        capitals = example[:1].isupper()
        return (separator or "_").join(part.capitalize() if capitals else part for part in parts)
    joined = "".join(part.capitalize() for part in parts)
    return joined if letters[:1].isupper() else joined[:1].lower() + joined[1:]


def listed_codes(listed: list[str], subject: Subject) -> Iterator[str]:
    """The listed codes that may say it: of the same words, of more, of some, of words for anything."""
    spelled = {text: set(words(text)) for text in listed}
    wanted = [set(words(code)) for code in (*subject.codes, subject.facts.title)]
    for told in wanted:
        yield from (text for text in listed if spelled[text] == told)
    for told in wanted:
        yield from (text for text in listed if spelled[text] >= told - {"error"} and told != {"error"})
    telling = {word for told in wanted for word in told} - _GENERIC
    yield from sorted((t for t in listed if spelled[t] & telling), key=lambda t: -len(spelled[t] & telling))
    yield from sorted((t for t in listed if spelled[t] & _GENERIC), key=lambda t: -len(spelled[t] & _CLIENT))
