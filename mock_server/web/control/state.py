"""State: read, replaced and merged whole, by resource or by item; and the seed."""

from __future__ import annotations

from flask import Response

from mock_server.web import statewriting
from mock_server.web.addresses import Namespace, namespace_of
from mock_server.web.control.blueprint import body, control, query, sandbox, served, universe
from mock_server.web.responses import json_response, no_content


def _namespace(api: str) -> Namespace:
    return namespace_of(sandbox(), served(api))


@control.post("/reset")
def reset() -> Response:
    """Back to the seed."""
    universe(catch_up=False).reset()
    return no_content()


@control.post("/seed")
def seed() -> Response:
    """Resources of several APIs, put in place of what there was: all of them or, when one is wrong, none."""
    statewriting.write_apis(sandbox(), universe(), body())
    return no_content()


@control.get("/state/<api>")
def read_state(api: str) -> Response:
    """Everything that is stored for an API."""
    return json_response(statewriting.read_api(_namespace(api), universe()))


@control.put("/state/<api>")
def replace_state(api: str) -> Response:
    """Everything that is stored for an API, replaced."""
    return _written(api, keep=False)


@control.patch("/state/<api>")
def merge_state(api: str) -> Response:
    """The named resources replaced; the others stay."""
    return _written(api, keep=True)


def _written(api: str, *, keep: bool) -> Response:
    namespace, here = _namespace(api), universe()
    with here.lock:  # what is shown is what was written, whoever writes at the same time
        statewriting.write_api(namespace, here, body(), keep=keep)
        shown = statewriting.read_api(namespace, here)
    return json_response(shown)


@control.get("/state/<api>/<resource>")
def read_resource(api: str, resource: str) -> Response:
    """One resource's items."""
    return json_response(statewriting.read_resource(_namespace(api), universe(), resource, tenant=query("tenant")))


@control.put("/state/<api>/<resource>")
def replace_resource(api: str, resource: str) -> Response:
    """One resource's items, replaced."""
    namespace, here, tenant = _namespace(api), universe(), query("tenant")
    with here.lock:
        statewriting.write_resource(namespace, here, resource, body(), tenant=tenant)
        shown = statewriting.read_resource(namespace, here, resource, tenant=tenant)
    return json_response(shown)


@control.delete("/state/<api>/<resource>")
def clear_resource(api: str, resource: str) -> Response:
    """One resource's items, all removed."""
    statewriting.clear_resource(_namespace(api), universe(), resource, tenant=query("tenant"))
    return no_content()


@control.get("/state/<api>/<resource>/<path:key>")
def read_item(api: str, resource: str, key: str) -> Response:
    """One item."""
    return json_response(statewriting.read_item(_namespace(api), universe(), resource, key, tenant=query("tenant")))


@control.put("/state/<api>/<resource>/<path:key>")
def replace_item(api: str, resource: str, key: str) -> Response:
    """One item, stored in place of what was under its key."""
    return json_response(
        statewriting.replace_item(_namespace(api), universe(), resource, key, body(), tenant=query("tenant"))
    )


@control.patch("/state/<api>/<resource>/<path:key>")
def merge_item(api: str, resource: str, key: str) -> Response:
    """One item, changed by a merge patch (RFC 7396)."""
    return json_response(
        statewriting.merge_item(_namespace(api), universe(), resource, key, body(), tenant=query("tenant"))
    )


@control.delete("/state/<api>/<resource>/<path:key>")
def remove_item(api: str, resource: str, key: str) -> Response:
    """One item, removed."""
    statewriting.remove_item(_namespace(api), universe(), resource, key, tenant=query("tenant"))
    return no_content()
