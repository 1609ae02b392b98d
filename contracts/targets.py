"""What exchanges and workflows are run against: a double in process, or one behind a server."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from urllib.parse import quote

import requests

from contracts.exchanges import Answer, Presented, Target, carried
from contracts.service import Powers
from contracts.wire import WireRequest, received
from mock_server.exchange.universe import Universe
from mock_server.model.clock import parse_duration
from mock_server.openapi.values import Json
from mock_server.sandbox import Sandbox
from mock_server.web.addresses import namespace_of
from mock_server.web.statewriting import merge_item

_TIMEOUT = 10  # seconds for one request


def in_process(sandbox: Sandbox, universe: Universe) -> Target:
    """One universe of a sandbox, without a server between."""

    def send(api: str, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        request = received(WireRequest(method, url, headers, body))
        response = sandbox.api(api).line.answer(request, universe)
        return response.status, dict(response.headers), response.body

    def present(api: str, name: str) -> Presented:
        served = sandbox.api(api)
        credential = next(known for known in served.credentials if known.name == name)
        return carried(served.api.security_schemes[credential.scheme], credential.value)

    def advance(duration: str) -> None:
        universe.clock = universe.clock.advanced(parse_duration(duration))

    def freeze() -> None:
        universe.clock = universe.clock.frozen()

    def merge(api: str, resource: str, key: str, members: Json) -> None:
        sandbox.committing.catch_up(universe, universe.clock.now())
        merge_item(namespace_of(sandbox, sandbox.api(api)), universe, resource, key, members)

    return Target(send, present, advance, freeze, merge)


def powers_in_process(sandbox: Sandbox, universe: Universe, api: str) -> Powers:
    """What can be done to one API of a universe past the API itself."""
    target = in_process(sandbox, universe)

    def settle() -> None:
        sandbox.deliver_due(universe)

    return Powers(target.advance, target.freeze, partial(target.merge, api), settle)


def powers_over_http(url: str, session: str, api: str) -> Powers:
    """What can be done to one API of a running double's session past the API itself; it delivers webhooks by itself."""
    target = over_http(url, session)
    return Powers(target.advance, target.freeze, partial(target.merge, api))


def over_http(url: str, session: str) -> Target:
    """One session of a running double; ``url`` is the server's own, without a slash at its end."""
    control = f"{url}/__session__/{session}/__mock__"
    listed = requests.get(f"{control}/apis", timeout=_TIMEOUT)
    listed.raise_for_status()
    apis = {entry["name"]: entry for entry in listed.json()["apis"]}

    def send(api: str, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        answer = requests.request(
            method,
            f"{url}/{api}{target}",
            headers={**headers, "Mock-Session": session},
            data=body,
            timeout=_TIMEOUT,
            allow_redirects=False,
        )
        return answer.status_code, dict(answer.headers), answer.content

    def present(api: str, name: str) -> Presented:
        known = next(entry for entry in apis[api]["credentials"] if entry["name"] == name)
        if known["in"] == "query":
            return Presented(query={known["parameter"]: known["value"]})
        if known["in"] == "cookie":
            return Presented({"Cookie": f"{known['parameter']}={known['value']}"})
        return Presented({known["parameter"]: known["value"]})

    def control_call(method: str, path: str, body: Json) -> None:
        requests.request(method, f"{control}/{path}", json=body, timeout=_TIMEOUT).raise_for_status()

    def merge(api: str, resource: str, key: str, members: Json) -> None:
        control_call("PATCH", f"state/{quote(api)}/{quote(resource)}/{quote(key)}", members)

    return Target(
        send,
        present,
        lambda duration: control_call("POST", "clock", {"advance": duration}),
        lambda: control_call("POST", "clock", {"freeze": True}),
        merge,
    )
