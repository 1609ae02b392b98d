"""Tenants: what belongs to one is nowhere for another, whatever is asked of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.errors import AnnotationError, FixtureError
from mock_server.openapi.values import Json
from mock_server.sandbox import Sandbox
from tests.unit.exchange.tenanted import SCHEMAS, A, B, Tenanted, described, key, seeded_with, source_in, tenanted
from tests.unit.model.doubles import TEXT, answers, array, crud, document, operation, path_parameters, ref, thing


@pytest.fixture
def shop(tmp_path: Path) -> Tenanted:
    return tenanted(tmp_path)


# What another tenant has


def test_list_has_the_tenants_own_items_only(shop: Tenanted) -> None:
    assert (shop.emails(A), shop.emails(B)) == (["ann@a.example"], ["bob@b.example"])


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("GET", "/contacts/c2", ...),
        ("PUT", "/contacts/c2", {"email": "new@a.example"}),
        ("PATCH", "/contacts/c2", {"email": "new@a.example"}),
        ("DELETE", "/contacts/c2", ...),
        ("POST", "/contacts/c2/archive", ...),
        ("GET", "/contacts/c2/notes", ...),
        ("GET", "/contacts/c2/notes/n2", ...),
        ("POST", "/contacts/c2/notes", {"text": "mine"}),
        ("PATCH", "/contacts/c2/notes/n2", {"text": "mine"}),
        ("DELETE", "/contacts/c2/notes/n2", ...),
    ],
)
def test_another_tenants_item_is_a_404_and_stays_as_it_is(shop: Tenanted, method: str, target: str, body: Json) -> None:
    before = shop.universe().state
    assert shop.send(method, target, body, key=A).status == 404
    assert shop.universe().state is before


def test_own_items_are_read_changed_acted_on_and_deleted(shop: Tenanted) -> None:
    assert shop.send("GET", "/contacts/c1", key=A).json["email"] == "ann@a.example"
    assert shop.send("PATCH", "/contacts/c1", {"email": "anna@a.example"}, key=A).status == 200
    assert shop.send("POST", "/contacts/c1/archive", key=A).json["state"] == "archived"
    assert shop.send("GET", "/contacts/c1/notes", key=A).json == [{"id": "n1", "text": "of a"}]
    assert shop.send("DELETE", "/contacts/c1", key=A).status == 204
    assert shop.emails(A) == []
    assert shop.emails(B) == ["bob@b.example"]


def test_deleting_takes_along_what_is_nested_for_this_tenant_only(tmp_path: Path) -> None:
    same_keys = seeded_with(
        contacts=[{"id": "c", "orgId": f"org_{x}", "email": f"{x}@x.example"} for x in "ab"],
        notes=[{"tenant": f"org_{x}", "scope": ["c"], "items": [{"id": "n", "text": x}]} for x in "ab"],
    )
    shop = tenanted(tmp_path, seed=same_keys)
    assert shop.send("DELETE", "/contacts/c", key=A).status == 204
    assert shop.send("GET", "/contacts/c/notes", key=A).status == 404
    assert shop.send("GET", "/contacts/c/notes", key=B).json == [{"id": "n", "text": "b"}]


def test_clear_removes_the_tenants_own_items_only(tmp_path: Path) -> None:
    description = described()
    description["paths"]["/contacts"]["delete"] = operation(answers(status=204))
    shop = tenanted(tmp_path, description)
    assert shop.send("DELETE", "/contacts", key=A).status == 204
    assert (shop.emails(A), shop.emails(B)) == ([], ["bob@b.example"])


# What a tenant makes


def test_new_item_repeats_the_tenant_whatever_the_caller_says(shop: Tenanted) -> None:
    made = shop.send("POST", "/contacts", {"email": "x@x.example", "orgId": "org_b"}, key=A).json
    assert made["orgId"] == "org_a"
    patched = shop.send("PATCH", f"/contacts/{made['id']}", {"orgId": "org_b"}, key=A)
    assert patched.json["orgId"] == "org_a"
    put = shop.send("PUT", f"/contacts/{made['id']}", {"email": "y@x.example", "orgId": "org_b"}, key=A)
    assert put.json["orgId"] == "org_a"


def test_unique_members_are_so_for_each_tenant(shop: Tenanted) -> None:
    assert shop.send("POST", "/contacts", {"email": "bob@b.example"}, key=A).status == 201
    assert shop.send("POST", "/contacts", {"email": "bob@b.example"}, key=B).status == 409


def test_two_tenants_never_get_the_same_key(shop: Tenanted) -> None:
    made = [
        shop.send("POST", "/contacts", {"email": f"{n}@x.example"}, key=secret).json["id"]
        for n in range(20)
        for secret in (A, B)
    ]
    assert len(set(made)) == 40


def test_reference_to_another_tenants_item_leads_nowhere(shop: Tenanted) -> None:
    assert shop.send("POST", "/contacts", {"email": "x@x.example", "company": "co2"}, key=A).status == 422
    assert shop.send("POST", "/contacts", {"email": "x@x.example", "company": "co1"}, key=A).status == 201


def test_deleting_releases_the_references_of_this_tenant_only(tmp_path: Path) -> None:
    same_keys = seeded_with(
        companies=[{"id": "co", "name": x, "$tenant": f"org_{x}"} for x in "ab"],
        contacts=[{"id": f"c{x}", "orgId": f"org_{x}", "email": f"{x}@x.example", "company": "co"} for x in "ab"],
        notes=[],
    )
    shop = tenanted(tmp_path, seed=same_keys)
    shop.send("DELETE", "/companies/co", key=A)
    assert shop.send("GET", "/contacts/ca", key=A).json["company"] is None
    assert shop.send("GET", "/contacts/cb", key=B).json["company"] == "co"


def test_serials_count_for_each_tenant(tmp_path: Path) -> None:
    description = described()
    description["x-mock-resources"]["contacts"]["serials"] = {"/state": "C-{number:03}"}
    shop = tenanted(tmp_path, description)
    made = [
        shop.send("POST", "/contacts", {"email": f"{n}@x.example"}, key=secret).json["state"]
        for n, secret in enumerate((A, A, B, A, B))
    ]
    assert made == ["C-001", "C-002", "C-001", "C-003", "C-002"]


def test_quota_counts_for_each_tenant(tmp_path: Path) -> None:
    description = described()
    description["x-mock-resources"]["contacts"]["quota"] = {"limit": 2}
    shop = tenanted(tmp_path, description)
    statuses = [
        shop.send("POST", "/contacts", {"email": f"{n}@x.example"}, key=secret).status
        for n, secret in enumerate((A, A, B, B))
    ]
    assert statuses == [201, 429, 201, 429]


def test_event_carries_the_tenant_whose_item_it_is_about(shop: Tenanted) -> None:
    shop.send("POST", "/contacts", {"email": "x@x.example"}, key=A)
    shop.send("POST", "/contacts", {"email": "y@x.example"}, key=B)
    told = [(each.event.tenant, each.event.data) for each in shop.universe().events]
    assert told == [("org_a", {"email": "x@x.example"}), ("org_b", {"email": "y@x.example"})]


def test_shared_resource_is_the_same_for_all(shop: Tenanted) -> None:
    shop.send("POST", "/plans", {"name": "Pro"}, key=A)
    assert [plan["name"] for plan in shop.send("GET", "/plans", key=B).json] == ["Free", "Pro"]


def test_paging_counts_the_tenants_own_items(tmp_path: Path) -> None:
    page = thing({"items": array(ref("Contact")), "total": {"type": "integer"}}, "items", "total")
    description = described()
    description["paths"]["/contacts"]["get"] = operation(
        answers(page), query={"limit": {"type": "integer"}, "offset": {"type": "integer"}}
    )
    shop = tenanted(tmp_path, description)
    for n in range(5):
        shop.send("POST", "/contacts", {"email": f"{n}@x.example"}, key=B)
    assert shop.send("GET", "/contacts?limit=2", key=A).json["total"] == 1
    assert shop.send("GET", "/contacts?limit=2&offset=4", key=B).json["total"] == 6


# Callers


def test_caller_without_a_tenant_sees_what_is_nobodys(tmp_path: Path) -> None:
    contacts = [
        {"id": "c0", "orgId": None, "email": "no@x.example"},
        {"id": "c1", "orgId": "org_a", "email": "a@x.example"},
    ]
    shop = tenanted(tmp_path, described(security=[]), seeded_with(contacts=contacts, notes=[]))
    assert [contact["id"] for contact in shop.send("GET", "/contacts").json] == ["c0"]
    assert shop.send("POST", "/contacts", {"email": "x@x.example"}).json["orgId"] is None


def test_public_operation_finds_the_item_of_whichever_tenant_has_it(shop: Tenanted) -> None:
    assert shop.send("GET", "/public/contacts/c1").json["orgId"] == "org_a"
    assert shop.send("GET", "/public/contacts/c2").json["orgId"] == "org_b"
    assert shop.send("GET", "/public/contacts/c3").status == 404


def test_operation_may_say_whose_data_it_is_about(tmp_path: Path) -> None:
    description = described()
    listing = description["paths"]["/contacts"]["get"]
    listing["parameters"] = [{"name": "org", "in": "query", "schema": TEXT}]
    listing["x-mock-operation"] = {"tenant": "$request.query.org"}
    shop = tenanted(tmp_path, description)
    assert [contact["id"] for contact in shop.send("GET", "/contacts?org=org_b", key=A).json] == ["c2"]


def test_resource_may_have_another_way_to_its_tenant(tmp_path: Path) -> None:
    description = described()
    description["x-mock-resources"]["plans"] = {"tenant": {"value": "$principal#/plan"}}
    plans = [{"id": "p1", "name": "Free", "$tenant": "Free"}, {"id": "p2", "name": "Pro", "$tenant": "Pro"}]
    shop = tenanted(tmp_path, description, seeded_with(plans=plans))
    assert [plan["id"] for plan in shop.send("GET", "/plans", key=A).json] == ["p1"]


def test_samples_of_things_that_nobody_creates_differ_by_tenant(tmp_path: Path) -> None:
    description = described()
    for path in ("/plans", "/plans/{id}"):
        description["paths"][path] = {
            name: entry for name, entry in description["paths"][path].items() if name in {"get", "parameters"}
        }
    del description["x-mock-resources"]["plans"]
    shop = tenanted(tmp_path, description, {"resources": {"keys": [key("key-a", "org_a"), key("key-b", "org_b")]}})
    of_a, of_b = (shop.send("GET", "/plans", key=secret).json for secret in (A, B))
    assert len(of_a) == len(of_b) == 3
    assert {plan["id"] for plan in of_a}.isdisjoint(plan["id"] for plan in of_b)
    assert shop.send("GET", f"/plans/{of_a[0]['id']}", key=A).json == of_a[0]


# Tenants in the path


def in_paths() -> dict[str, Any]:
    """Things below organisations, which callers may enter if they are of one."""
    item = ref("Contact")
    parameters = path_parameters(org=TEXT)
    paths = {
        "/o/{org}/contacts": {
            "parameters": parameters,
            "get": operation(answers(array(item))),
            "post": operation(answers(item, 201), body=thing({"email": TEXT})),
        },
        "/o/{org}/contacts/{id}": {
            "parameters": [*parameters, *path_parameters(id=TEXT)],
            "get": operation(answers(item)),
        },
        "/status": {"get": operation(answers(TEXT))},
    }
    description = document(paths, SCHEMAS, security=[{"key": []}], **{"x-mock-tenants": {"parameter": "org"}})
    description["components"]["securitySchemes"] = {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}
    return description


PATH_SEED: dict[str, Json] = {
    "resources": {"contacts": [{"scope": ["org_b"], "items": [{"id": "c2", "email": "b@b.example"}]}]},
    "credentials": [
        {"name": "a", "scheme": "key", "value": "a", "tenant": "org_a"},
        {"name": "staff", "scheme": "key", "value": "staff"},
    ],
}


def test_path_of_another_tenant_is_a_404(tmp_path: Path) -> None:
    shop = tenanted(tmp_path, in_paths(), PATH_SEED)
    assert shop.send("GET", "/o/org_a/contacts", key="a").json == []
    assert shop.send("GET", "/o/org_b/contacts", key="a").status == 404
    assert shop.send("GET", "/o/org_b/contacts/c2", key="a").status == 404
    assert shop.send("POST", "/o/org_b/contacts", {"email": "x@x.example"}, key="a").status == 404
    assert shop.send("GET", "/status", key="a").status == 200


def test_caller_without_a_tenant_may_enter_all(tmp_path: Path) -> None:
    shop = tenanted(tmp_path, in_paths(), PATH_SEED)
    assert [contact["id"] for contact in shop.send("GET", "/o/org_b/contacts", key="staff").json] == ["c2"]


def test_event_of_a_path_carries_the_tenant_that_the_path_names(tmp_path: Path) -> None:
    description = in_paths()
    events = {"contact.created": {"on": "created", "payload": {}}}
    description["x-mock-resources"] = {"contacts": {"events": events}}
    shop = tenanted(tmp_path, description, PATH_SEED)
    shop.send("POST", "/o/org_a/contacts", {"email": "x@x.example"}, key="a")
    assert [each.event.tenant for each in shop.universe().events] == ["org_a"]


def test_resource_beside_the_paths_may_be_each_tenants_own(tmp_path: Path) -> None:
    description = in_paths()
    description["paths"] |= crud(ref("Plan"), thing({"name": TEXT}), path="/plans", key_schema=TEXT)
    description["x-mock-resources"] = {"plans": {"tenant": True}}
    plans = [{"id": f"p-{x}", "name": x, "$tenant": f"org_{x}"} for x in "ab"]
    shop = tenanted(tmp_path, description, {**PATH_SEED, "resources": {**PATH_SEED["resources"], "plans": plans}})
    assert [plan["id"] for plan in shop.send("GET", "/plans", key="a").json] == ["p-a"]
    assert shop.send("GET", "/o/org_a/contacts", key="a").status == 200


def test_entrance_that_was_refused_is_explained(tmp_path: Path) -> None:
    shop = tenanted(tmp_path, in_paths(), PATH_SEED)
    answer = shop.send("GET", "/o/org_b/contacts", key="a", prefer="explain").json
    why = [reason for reason in answer["explanation"]["decisions"] if reason["about"] == "tenant"]
    assert why == [{"about": "tenant", "decision": "refused", "why": "org names a tenant, and the caller's is 'org_a'"}]
    assert "org_a" not in str(answer["response"])


# Explanations


def decisions(answer: Json) -> Iterator[tuple[str, str]]:
    for reason in answer["explanation"]["decisions"]:
        if reason["about"] == "tenant":
            yield reason["decision"], reason["why"]


def test_explanation_names_the_tenant_and_how_it_is_known(shop: Tenanted) -> None:
    answer = shop.send("GET", "/contacts", key=A, prefer="explain").json
    assert list(decisions(answer)) == [("org_a", "x-mock-tenants: $principal#/tenant")]
    assert answer["explanation"]["read"] == ["test/contacts/org_a"]


def test_only_the_explanation_tells_that_another_tenant_has_the_item(shop: Tenanted) -> None:
    answer = shop.send("GET", "/contacts/c2", key=A, prefer="explain").json
    assert "contacts 'c2' belongs to 'org_b', and this call is about 'org_a'" in [why for _, why in decisions(answer)]
    assert "org_b" not in str(answer["response"])


# Seeds


@pytest.mark.parametrize(
    ("contacts", "message"),
    [
        ([{"id": "c1", "email": "x@x.example"}], "an item of contacts says whose it is"),
        ([{"id": "c1", "email": "x@x.example", "orgId": "a", "$tenant": "b"}], "names two tenants"),
        ([{"id": "c1", "orgId": "a", "email": "x@x.example"}] * 2, "two items have the same key"),
    ],
)
def test_seed_that_does_not_say_whose_items_are_is_refused(tmp_path: Path, contacts: Json, message: str) -> None:
    with pytest.raises(FixtureError, match=message) as caught:
        tenanted(tmp_path, seed=seeded_with(contacts=contacts, notes=[]))
    assert caught.value.place is not None
    assert caught.value.place.pointer.startswith("/resources/contacts/")


def test_nested_seed_belongs_to_the_tenant_that_has_its_parent(shop: Tenanted) -> None:
    assert [note["id"] for note in shop.send("GET", "/contacts/c2/notes", key=B).json] == ["n2"]


def test_nested_seed_below_a_parent_that_two_tenants_have_names_its_own(tmp_path: Path) -> None:
    contacts = [{"id": "c", "orgId": f"org_{x}", "email": f"{x}@x.example"} for x in "ab"]
    notes = [{"scope": ["c"], "items": [{"id": "n", "text": "?"}]}]
    with pytest.raises(FixtureError, match="several tenants have a parent of this key"):
        tenanted(tmp_path, seed=seeded_with(contacts=contacts, notes=notes))


def test_tenant_of_a_seed_is_not_stored(shop: Tenanted) -> None:
    assert shop.send("GET", "/companies/co1", key=A).json == {"id": "co1", "name": "Acorn"}


def test_seeded_item_gets_the_property_that_repeats_its_tenant(tmp_path: Path) -> None:
    contacts = [{"id": "c1", "$tenant": "org_a", "email": "x@x.example"}]
    shop = tenanted(tmp_path, seed=seeded_with(contacts=contacts, notes=[]))
    assert shop.send("GET", "/contacts/c1", key=A).json["orgId"] == "org_a"


# Annotations


@pytest.mark.parametrize(
    ("root", "message", "pointer"),
    [
        ({"x-mock-tenants": {"parameter": "contactID"}}, "did you mean 'contactId'", "/x-mock-tenants/parameter"),
        ({"x-mock-tenants": {"value": "$nobody#/x"}}, "nobody", "/x-mock-tenants/value"),
        ({"x-mock-tenants": {"tenant": 1}}, "breaks the vocabulary", "/x-mock-tenants"),
        (
            {"x-mock-tenants": {}, "x-mock-resources": {"contacts": {"tenant": {"property": "orgID"}}}},
            "did you mean 'orgId'",
            "/x-mock-resources/contacts/tenant/property",
        ),
        (
            {"x-mock-tenants": {}, "x-mock-resources": {"contacts.notes": {"tenant": False}}},
            "cannot be shared",
            "/x-mock-resources/contacts.notes/tenant",
        ),
    ],
)
def test_mistake_in_an_annotation_is_told_with_its_place(
    tmp_path: Path, root: dict[str, Json], message: str, pointer: str
) -> None:
    description = described(**root)
    if "contacts.notes" in root.get("x-mock-resources", {}):
        root["x-mock-resources"][nested_name(tmp_path)] = root["x-mock-resources"].pop("contacts.notes")
        pointer = pointer.replace("contacts.notes", nested_name(tmp_path))
        description = described(**root)
    with pytest.raises(AnnotationError, match=message) as caught:
        tenanted(tmp_path, description)
    assert caught.value.place is not None
    assert caught.value.place.pointer == pointer


def nested_name(folder: Path) -> str:
    (served,) = tenanted(folder).sandbox.apis.values()
    return next(name for name in served.model.resource_names() if name.endswith("notes"))


def test_operations_tenant_without_any_tenants_is_refused(tmp_path: Path) -> None:
    description = described()
    del description["x-mock-tenants"]
    del description["x-mock-resources"]
    with pytest.raises(AnnotationError, match="has no tenants"):
        tenanted(tmp_path, description)


# What another tenant does


ACTIONS = st.sampled_from(["create", "update", "delete", "note", "archive"])


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Tenanted:
    return tenanted(tmp_path_factory.mktemp("shared"))


@given(st.lists(st.tuples(st.booleans(), ACTIONS), max_size=12))
def test_what_one_tenant_does_changes_no_answer_to_another(shared: Tenanted, deeds: list[tuple[bool, str]]) -> None:
    """A tenant's answers beside a busy neighbour are those that it gets alone."""
    beside = [told for mine, told in answered(shared, deeds) if mine]
    alone = [told for mine, told in answered(shared, [deed for deed in deeds if deed[0]]) if mine]
    assert beside == alone


def answered(shop: Tenanted, deeds: list[tuple[bool, str]]) -> list[tuple[bool, Json]]:
    shop.sandbox.universes.drop("deeds")
    found: list[tuple[bool, Json]] = []
    count = {True: 0, False: 0}
    for mine, deed in deeds:
        secret, own = (A, "c1") if mine else (B, "c2")
        count[mine] += 1
        email = {"email": f"{deed}{count[mine]}@x.example"}
        requests: dict[str, tuple[str, str, Json]] = {
            "create": ("POST", "/contacts", email),
            "update": ("PATCH", f"/contacts/{own}", email),
            "delete": ("DELETE", f"/contacts/{own}", ...),
            "note": ("POST", f"/contacts/{own}/notes", {"text": "x"}),
            "archive": ("POST", f"/contacts/{own}/archive", ...),
        }
        status = shop.send(*requests[deed], key=secret, universe="deeds").status
        notes = shop.send("GET", f"/contacts/{own}/notes", key=secret, universe="deeds")
        texts = [note["text"] for note in notes.json] if notes.status == 200 else notes.status
        found.append((mine, [status, shop.emails(secret, universe="deeds"), texts]))
    return found


def test_apis_that_share_a_state_agree_about_tenants(tmp_path: Path) -> None:
    other = {"x-mock-tenants": {"value": "$principal#/plan", "property": "orgId"}}
    one = source_in(tmp_path, described(**{"x-mock-namespace": "shop"}), name="one")
    two = source_in(tmp_path, described(**{"x-mock-namespace": "shop", **other}), name="two")
    with pytest.raises(AnnotationError, match="one and two share their state"):
        Sandbox([one, two])
