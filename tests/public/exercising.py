"""What a double answers to one valid request of every operation, and what openapi-core says of the answers.

The requests are the drafts of the contract checks, which know what has been created so far. Operations that create come
first; what every other one changes is undone, so that a deleted item is there for the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from contracts.drafting import Draft, Drafter, Wishes
from contracts.exchanges import carried
from contracts.pool import Item, Pool
from contracts.roster import Roster
from contracts.wire import received
from mock_server.errors import ConfigurationError
from mock_server.exchange.messages import RawRequest, RawResponse
from mock_server.exchange.requests import value_schema
from mock_server.model.meaning import OWN_KEY
from mock_server.model.outcome import key_text
from mock_server.openapi.description import Operation
from mock_server.openapi.schemas import Schema
from mock_server.openapi.values import Direction, Json
from mock_server.packs import ApiSource
from mock_server.sampling import Sampler, Unsampleable
from mock_server.sandbox import Options, Sandbox, Served
from tests.public.court import Court

ATTEMPTS = 4
"""Requests that an operation gets until one succeeds."""

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

_ORDER = ("create", "create-many", "replace")


@dataclass(frozen=True, slots=True)
class Answered:
    """One operation: its last request, the answer, and what is wrong with it; None where nothing is."""

    operation_id: str
    request: RawRequest
    response: RawResponse
    complaint: str | None

    @property
    def succeeded(self) -> bool:
        """Whether the answer is the operation's success, not a described refusal."""
        return self.response.status < 400


class Exercise:
    """One description, served with no configuration at all, and its judge."""

    def __init__(self, description: Path) -> None:
        source = ApiSource("tested", description)
        self.sandbox = Sandbox([source], options=Options(clock=NOW.timestamp, seed=1))
        self.served: Served = self.sandbox.api("tested")
        self.universe = self.sandbox.universes.default
        self.drafter = Drafter(Roster(self.served.model))
        several = len(self.served.api.documents.files()) > 1
        self.court = Court(self.served.api.documents, whole=several)

    def answers(self) -> Iterator[Answered]:
        """The answer to each operation, those that create first."""
        for operation in self._ordered():
            yield self._answered(operation)

    def _ordered(self) -> list[Operation]:
        def rank(operation: Operation) -> tuple[bool, int]:
            creates = self.served.model.meaning(operation.id).behaviour in _ORDER
            return not creates, operation.path.count("{")

        return sorted(self.served.api.operations(), key=rank)

    def _answered(self, operation: Operation) -> Answered:
        answered = None
        for number in range(ATTEMPTS):
            before = self.universe.state
            request = self._request(operation, number)
            response = self.served.line.answer(request, self.universe)
            answered = Answered(operation.id, request, response, self._complaint(operation, request, response))
            if self.served.model.meaning(operation.id).behaviour not in _ORDER:
                self.universe.state = before
            if answered.succeeded or response.status >= 500:
                break
        assert answered is not None
        return answered

    def _complaint(self, operation: Operation, request: RawRequest, response: RawResponse) -> str | None:
        if response.status >= 500 and not operation.describes(response.status):
            return f"{response.status}: {response.body.decode(errors='replace')[:600]}"
        url = f"http://judged.test{request.path}"
        verdict = self.court.verdict(
            operation.path, operation.method, url, response.status, response.headers, response.body
        )
        if verdict.valid:
            return None
        return f"{response.status}: {'; '.join(verdict.reasons)[:400]} | {response.body.decode(errors='replace')[:300]}"

    # Requests

    def _request(self, operation: Operation, number: int) -> RawRequest:
        pool = Pool(self.served.model, state=self.universe.state)
        draft = self.drafter.draft(operation.id, pool, number, Wishes(lean=number % 2 == 1))
        if draft is None:
            known = self._sampled_path(operation, number)
            self._seed(operation, {name: key_text(value) for (_, name), value in known.items()}, pool, number)
            draft = self.drafter.draft(operation.id, pool, number, Wishes(values=known))
        assert draft is not None, f"no request could be drawn for {operation.id}"
        return self._presented(operation, draft)

    def _sampled_path(self, operation: Operation, number: int) -> dict[tuple[str, str], Json]:
        """Keys of nothing that is known yet."""
        described = {p.name: p for p in operation.parameters if p.location == "path"}
        names = self.served.api.refs[operation.id].template.parameters
        return {
            ("path", name): _of(value_schema(described[name]), number, name) if name in described else "x"
            for name in names
        }

    def _seed(self, operation: Operation, keys: Mapping[str, str], pool: Pool, number: int) -> None:
        """Puts in place what an operation's path leads through, where no other operation has made any of it."""
        model = self.served.model
        meaning = model.meaning(operation.id)
        facts = model.facts(meaning)
        places = [(each.resource, each.scope, each.key) for each in facts.ancestors]
        if meaning.resource is not None and meaning.key_parameter is not None and meaning.behaviour != "replace":
            places.append((meaning.resource, facts.scope, meaning.key_parameter))
        for resource, scope, name in places:
            parents = tuple(keys[parameter] for parameter in scope if parameter in keys)
            if resource.open_world or name not in keys or pool.get(resource, parents, keys[name]) is not None:
                continue
            value = _sampled(resource.item, number, resource.name)
            if isinstance(value, dict):
                item = Item(resource, parents, keys[name], value)
                pool.add(replace(item, value={**value, resource.key or OWN_KEY: item.typed_key}))
        self.universe.state = pool.state

    def _presented(self, operation: Operation, draft: Draft) -> RawRequest:
        """The request with a credential of every scheme that the first usable alternative asks for."""
        request = received(draft.request)
        headers, query = dict(request.headers), [request.query] if request.query else []
        headers.setdefault("accept", "application/json, */*;q=0.5")  # of XML openapi-core can say little
        for name, value, is_query in _credentials(operation):
            if is_query:
                query.append(f"{name}={value}")
            elif name == "cookie" and name in headers:
                headers[name] += f"; {value}"
            else:
                headers[name] = value
        base = self.served.api.base_paths[0]
        return RawRequest(request.method, base + request.path, "&".join(query), headers, request.body, request.url)


def _credentials(operation: Operation) -> Iterable[tuple[str, str, bool]]:
    for requirement in operation.security:
        try:
            sent = [carried(scheme, "user:key" if scheme.scheme == "basic" else "key") for scheme, _ in requirement]
        except ConfigurationError:
            continue  # such as a client certificate, which is no part of a request
        return [
            *((name.lower(), value, False) for each in sent for name, value in each.headers.items()),
            *((name, value, True) for each in sent for name, value in each.query.items()),
        ]
    return ()


def _of(schema: Schema | None, number: int, name: str) -> Json:
    return "x" if schema is None else _sampled(schema.bundle(Direction.REQUEST), number, name)


def _sampled(bundle: Json, number: int, name: str) -> Json:
    """A sample, the text "x" where there is none."""
    try:
        return Sampler(bundle, direction=Direction.REQUEST).sample(seed=number, now=NOW, name=name)
    except Unsampleable:
        return "x"
