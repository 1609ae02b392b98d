"""The sequence of a finding as steps: requests with variables for credentials and for values of earlier replies."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from contracts.bindings import ETAG, LOCATION, Bound, Origin, at, bindings, bound_request, parts
from contracts.conditions import Condition, conditions, telling, together
from contracts.findings import Finding
from contracts.reports.bodies import text_of
from contracts.reports.secrets import Pieces, Secrets, Variable
from contracts.service import Recorded
from mock_server.dataclass import dataclass
from mock_server.model.anatomy import singular, words

_MARKED = re.compile(r'(")?~bound~(\w+)~(")?')
_IDENTITIES = frozenset({"id", "key", "uuid", "etag", "name", "number", "code", "token"})
_DULL = frozenset({"content-length", "host", "connection", "accept-encoding", "user-agent"})


@dataclass(frozen=True, slots=True)
class Step:
    """One request of a sequence, to be written as code.

    ``body`` is None where there is none, bytes where it is no text. ``saves`` are the variables that later steps take
    from the reply, each with where it is there.
    """

    recorded: Recorded
    target: Pieces
    headers: tuple[tuple[str, Pieces], ...]
    body: Pieces | bytes | None
    saves: tuple[tuple[str, Origin], ...]


@dataclass(frozen=True, slots=True)
class Script:
    """The steps of a finding up to the telling one, and what must hold of that one's reply.

    Those with numbers in ``race`` are to be sent at the same moment.
    """

    steps: tuple[Step, ...]
    conditions: tuple[Condition, ...]
    variables: Mapping[Origin, str]
    race: range = range(0)


def steps_of(finding: Finding, secrets: Secrets) -> Script:
    """A finding's sequence, ready to be written in any language."""
    if not finding.sequence:
        return Script((), (), {})
    sequence = finding.sequence[: telling(finding) + 1]
    bound = bindings(sequence)
    expected = conditions(finding)
    origins = [origin for one in bound for origin in one.origins()]
    kept = [origin for condition in expected for origin in (condition.origin, *condition.origins)]
    origins += [origin for origin in kept if origin is not None]
    taken = {*(name.lower() for name in secrets.names.values()), "base", "reply", "values", "os", "requests"}
    names = _names(dict.fromkeys(origins), sequence, taken)
    found = tuple(_step(number, recorded, bound[number], names, secrets) for number, recorded in enumerate(sequence))
    return Script(found, expected, names, together(finding))


def _names(origins: Mapping[Origin, None], sequence: Sequence[Recorded], taken: set[str]) -> dict[Origin, str]:
    """A variable for each origin, named after what it is: ``product_id``."""
    names: dict[Origin, str] = {}
    for origin in origins:
        name = _name(origin, sequence[origin.step])
        number, unique = 1, name
        while unique in taken:
            number += 1
            unique = f"{name}_{number}"
        names[origin] = unique
        taken.add(unique)
    return names


def _name(origin: Origin, recorded: Recorded) -> str:
    if origin.at in {ETAG, LOCATION}:
        last: tuple[str, ...] = ("etag",) if origin.at == ETAG else ("id",)
    else:
        tokens = [token for token in origin.at.split("/") if token and not token.isdigit()]
        last = words(tokens[-1]) if tokens else ("value",)
    segments = [segment for segment in parts(recorded.request.target)[0] if segment.isalpha()]
    if len(last) == 1 and last[0] in _IDENTITIES and segments:
        last = (*(singular(word) for word in words(segments[-1])), *last)
    text = re.sub(r"\W", "_", "_".join(last), flags=re.ASCII) or "value"
    # Replies choose these names: one may be the shell's own (PATH, PROMPT_COMMAND), which runs what it is set to.
    return text if len(last) > 1 and last[-1] in _IDENTITIES else f"v_{text}"


def _step(number: int, recorded: Recorded, bound: Bound, names: Mapping[Origin, str], secrets: Secrets) -> Step:
    request = bound_request(recorded.request, bound, lambda origin: f"~bound~{names[origin]}~")
    numbers = frozenset(names[origin] for pointer, origin in bound.body.items() if _is_number(recorded, pointer))

    def pieces(text: str, bare: frozenset[str] = frozenset()) -> Pieces:
        found: list[str | Variable] = []
        end = 0
        for match in _MARKED.finditer(text):
            quoted = match[1] and match[3] and match[2] in bare
            start, stop = match.span() if quoted else (match.start(2) - 7, match.end(2) + 1)
            found += [*secrets.pieces(text[end:start]), Variable(match[2])]
            end = stop
        return tuple(piece for piece in (*found, *secrets.pieces(text[end:])) if piece != "")

    body: Pieces | bytes | None = None
    if request.body:
        text = text_of(request.body)
        body = pieces(text, numbers) if text is not None else secrets.hidden_bytes(request.body)
    headers = tuple((name, pieces(value)) for name, value in request.headers.items() if name.lower() not in _DULL)
    saves = tuple((name, origin) for origin, name in names.items() if origin.step == number)
    return Step(recorded, pieces(request.target), headers, body, saves)


def _is_number(recorded: Recorded, pointer: str) -> bool:
    """Whether the request has a number at a place of its body, which is written without quotes."""
    return not isinstance(at(json.loads(recorded.request.body), pointer), str)
