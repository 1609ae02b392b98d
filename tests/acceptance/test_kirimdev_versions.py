"""Two versions of one API: what 3.3.0 has that 3.1.1 has not, and nothing else (seed 001, the difference itself)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest

from contracts.exchanges import exchange_files, load, run
from contracts.targets import in_process
from mock_server import Sandbox, pack
from mock_server.exchange.universe import Universe
from mock_server.openapi import pointers
from mock_server.openapi.compile import Api
from mock_server.openapi.documents import Documents, Located
from mock_server.openapi.values import Direction, Json

OLDER, NEWER = "kirimdev@3.1.1", "kirimdev"
FILES = exchange_files(pack(NEWER).fixtures or Path())

CUSTOMER_OPERATIONS = {
    "listCustomers",
    "createCustomer",
    "getCustomer",
    "updateCustomer",
    "archiveCustomer",
    "listSetupLinks",
    "createSetupLink",
    "updateSetupLink",
    "revokeSetupLink",
}
CUSTOMER_EVENTS = {
    "customer.created",
    "customer.updated",
    "customer.archived",
    "customer.onboarded",
    "customer.setup_link.created",
    "customer.setup_link.consumed",
}

ITEM = "/responses/200/content/application~1json/schema/properties/data"
LISTED = f"{ITEM}/items"
EVENTS = "/requestBody/content/application~1json/schema/properties/events/items/enum"


def _account(place: str) -> dict[str, set[str]]:
    """How an embedded account grew (seed 001, lines 120-378 against 476-542)."""
    members = f"{place}/properties/whatsapp_account"
    return {
        f"{members}/properties": {"phone_number_id", "customer"},
        f"{members}/required": {"phone_number_id", "customer"},
    }


CHANGED: Mapping[str, Mapping[str, set[str]]] = {
    "listAccounts": {
        "/parameters": {"query customer_id"},
        f"{LISTED}/properties": {"customer_id"},
        f"{LISTED}/required": {"customer_id"},
    },
    "createWebhookSubscription": {EVENTS: CUSTOMER_EVENTS},
    "updateWebhookSubscription": {EVENTS: CUSTOMER_EVENTS},
    "listTemplates": _account(LISTED),
    "getTemplate": _account(ITEM),
    "listContacts": _account(LISTED),
    "createContact": _account(ITEM),
    "getContact": _account(ITEM),
    "updateContact": _account(ITEM),
    "listConversations": _account(LISTED),
    "getConversation": _account(ITEM),
    "updateConversation": _account(ITEM),
    "assignConversation": _account(ITEM),
    "closeConversation": _account(ITEM),
}
"""By operation, and by the place in it: what was added there. Nothing was taken away anywhere."""

PROSE = {"description", "summary", "example", "examples", "x-provenance", "title"}
"""What says nothing to a client program."""


@cache
def versions() -> Sandbox:
    return Sandbox([pack(NEWER), pack(OLDER)])


@cache
def contract(version: str) -> dict[str, Json]:
    """Each operation with its references followed and without prose."""
    api = versions().api(version).api
    found: dict[str, Json] = {}
    for ref in api.refs.values():
        value = _written_out(api.documents, ref.operation)
        assert isinstance(value, dict)
        named = {f"{each['in']} {each['name']}": each for each in value.pop("parameters", ())}
        annotations = {name for name in value if name.startswith("x-mock-")}
        found[ref.id] = {name: member for name, member in value.items() if name not in annotations}
        found[ref.id]["parameters"] = named
    return found


def _written_out(documents: Documents, here: Located) -> Any:
    if isinstance(here.value, list):
        return [
            _written_out(documents, Located(here.uri, pointers.join(here.pointer, index), value))
            for index, value in enumerate(here.value)
        ]
    if not isinstance(here.value, dict):
        return here.value
    members: dict[str, Any] = {}
    if isinstance(reference := here.value.get("$ref"), str):
        members = dict(_written_out(documents, documents.resolve(reference, here.uri)))
    for name, value in here.value.items():
        # Below `properties` a name is a member's, whatever prose goes by it elsewhere.
        told = name in PROSE and not here.pointer.endswith("/properties")
        if name in {"$ref", "discriminator"} or told:
            continue
        members[name] = _written_out(documents, Located(here.uri, pointers.join(here.pointer, name), value))
    return members


def added(old: Json, new: Json, pointer: str = "") -> Iterator[tuple[str, set[str]]]:
    """The places where something was added, with what it is; fails where anything was taken away or replaced."""
    if isinstance(old, dict) and isinstance(new, dict):
        assert old.keys() <= new.keys(), f"{pointer} lost {old.keys() - new.keys()}"
        if more := new.keys() - old.keys():
            yield pointer, set(more)
        for name in old:
            yield from added(old[name], new[name], pointers.join(pointer, name))
    elif isinstance(old, list) and isinstance(new, list) and all(isinstance(each, str) for each in old + new):
        assert set(old) <= set(new), f"{pointer} lost {set(old) - set(new)}"
        if more := set(new) - set(old):
            yield pointer, more
    else:
        assert old == new, pointer


def test_the_newer_version_has_the_operations_on_customers_and_the_templates_sync() -> None:
    assert contract(NEWER).keys() - contract(OLDER).keys() == CUSTOMER_OPERATIONS | {"syncTemplates"}


def test_the_newer_version_has_every_operation_of_the_older_one() -> None:
    assert contract(OLDER).keys() <= contract(NEWER).keys()


@pytest.mark.parametrize("operation", sorted(contract(OLDER)))
def test_a_shared_operation_differs_by_what_the_document_added(operation: str) -> None:
    found = dict(added(contract(OLDER)[operation], contract(NEWER)[operation]))
    assert found == CHANGED.get(operation, {})


def test_the_newer_version_knows_the_code_of_a_suspended_customer() -> None:
    def codes(api: Api) -> set[str]:
        return set(api.root["components"]["schemas"]["MessageError"]["properties"]["code"]["examples"])

    older, newer = (codes(versions().api(name).api) for name in (OLDER, NEWER))
    assert (newer - older, older - newer) == ({"customer_suspended"}, set())
    assert len(older) == 21  # seed 001, line 424


def test_the_newer_version_announces_what_happens_to_customers() -> None:
    older, newer = (set(versions().api(name).api.root["webhooks"]) for name in (OLDER, NEWER))
    assert (newer - older, older - newer) == (CUSTOMER_EVENTS, set())


def test_a_shared_operation_behaves_alike_in_both() -> None:
    def behaviour(version: str) -> dict[str, Json]:
        refs = versions().api(version).api.refs
        return {name: ref.operation.value.get("x-mock-operation") for name, ref in refs.items()}

    older, newer = behaviour(OLDER), behaviour(NEWER)
    assert older == {name: newer[name] for name in older}


# What the two do with one state.


def _send(universe: Universe, version: str, method: str, path: str, body: Json = None) -> tuple[int, Any]:
    target = in_process(versions(), universe)
    headers = dict(target.present(version, "platform").headers)
    content = b""
    if body is not None:
        headers["Content-Type"] = "application/json"
        content = orjson.dumps(body)
    status, _, answered = target.send(version, method, f"/v1{path}", headers, content)
    return status, orjson.loads(answered)


def test_every_event_of_a_customer_is_emitted_in_the_course_of_an_onboarding() -> None:
    universe = versions().universes.get("events")
    _, made = _send(universe, NEWER, "POST", "/customers", {"name": "Toko Kain"})
    customer = made["data"]["id"]
    _, made = _send(universe, NEWER, "POST", f"/customers/{customer}/setup_links")
    link = made["data"]["id"]
    in_process(versions(), universe).merge(NEWER, "setup_links", f"{customer}/{link}", {"status": "consumed"})
    _send(universe, NEWER, "DELETE", f"/customers/{customer}")
    emitted = {recorded.event.type for recorded in universe.events}
    assert emitted == CUSTOMER_EVENTS


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_event_satisfies_the_webhook_that_describes_it(path: Path) -> None:
    universe = versions().universes.get(f"events-{path.stem}")
    run(load(path), in_process(versions(), universe))
    for recorded in universe.events:
        api = versions().api(recorded.api).api
        media = api.root["webhooks"][recorded.event.type]["post"]["requestBody"]["content"]["application/json"]
        schema = api.schemas.at(api.documents.resolve(media["schema"]["$ref"], api.documents.root))
        assert schema.violations(recorded.event.data, Direction.RESPONSE, where="body") == ()


def test_a_customers_account_is_listed_by_both_and_named_by_the_newer_one() -> None:
    universe = versions().universes.get("accounts")
    (_, older), (_, newer) = (_send(universe, version, "GET", "/accounts") for version in (OLDER, NEWER))
    assert any(account["customer_id"] is not None for account in newer["data"])
    assert older["data"] == [
        {name: member for name, member in account.items() if name != "customer_id"} for account in newer["data"]
    ]


def test_the_older_version_ignores_a_filter_that_it_does_not_know() -> None:
    universe = versions().universes.get("filter")
    customer = "cus_01JMVB7BF0DDQDZXZP38M3DBY6"
    (_, older), (_, newer) = (
        _send(universe, version, "GET", f"/accounts?customer_id={customer}") for version in (OLDER, NEWER)
    )
    assert len(newer["data"]) == 2 < len(older["data"])


def test_a_customer_that_is_suspended_in_the_newer_version_does_not_send_in_the_older_one() -> None:
    universe = versions().universes.get("suspended")
    message = {"to": "+6281200010009", "type": "text", "text": {"body": "Halo"}}
    path = "/109238475610257/messages"
    assert _send(universe, OLDER, "POST", path, message)[0] == 200
    _send(universe, NEWER, "PATCH", "/customers/cus_01JMVB7BF0DDQDZXZP38M3DBY6", {"status": "suspended"})
    status, body = _send(universe, OLDER, "POST", path, message)
    assert (status, body["error"]["code"]) == (422, "customer_suspended")


def test_the_list_of_setup_links_holds_the_50_newest() -> None:
    universe = versions().universes.get("fifty")
    path = "/customers/cus_01JYQXH8Z0FBZXNGAD44EDEQFH/setup_links"
    target = in_process(versions(), universe)
    made = []
    for _ in range(52):
        made.append(_send(universe, NEWER, "POST", path)[1]["data"]["id"])
        target.advance("PT1S")
    _, listed = _send(universe, NEWER, "GET", path)
    assert [link["id"] for link in listed["data"]] == made[:-51:-1]
    assert (listed["has_more"], listed["next_cursor"]) == (False, None)
