"""Credentials that are items of the state: what the API does to one counts with the next request."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jwt
import pytest

from mock_server import MockServer
from mock_server.errors import AnnotationError, FixtureError
from mock_server.model.clock import instant_of
from mock_server.openapi.values import Json
from mock_server.sandbox import Sandbox
from mock_server.web.credentials import credential_json
from tests.unit.exchange.tenanted import (
    KEYS,
    OLD,
    SEED,
    SESSION,
    A,
    B,
    Tenanted,
    basic,
    described,
    key,
    seeded_with,
    source_in,
    tenanted,
)
from tests.unit.model.doubles import NOW

HOUR = 3600.0


@pytest.fixture
def shop(tmp_path: Path) -> Tenanted:
    return tenanted(tmp_path)


def problem(answer: Any) -> tuple[int, str]:
    return answer.status, answer.json["type"].rpartition(":")[2]


# From creation to removal


def test_created_key_works_at_once(shop: Tenanted) -> None:
    made = shop.send("POST", "/keys", {"name": "CI", "status": "active"}, key=A).json
    assert shop.emails(made["secret"]) == ["ann@a.example"]


def test_created_key_speaks_for_the_tenant_that_made_it(shop: Tenanted) -> None:
    made = shop.send("POST", "/keys", {"name": "CI", "status": "active"}, key=B).json
    assert shop.emails(made["secret"]) == ["bob@b.example"]


def test_rotated_key_is_a_new_one_and_the_old_one_is_refused(shop: Tenanted) -> None:
    fresh = shop.send("POST", "/keys/key-a/rotate", key=A).json["secret"]
    assert fresh != A
    assert problem(shop.send("GET", "/contacts", key=A)) == (401, "unauthenticated")
    assert shop.emails(fresh) == ["ann@a.example"]


def test_key_may_be_rotated_again_and_again(shop: Tenanted) -> None:
    secrets = [A]
    for _ in range(5):
        secrets.append(shop.send("POST", "/keys/key-a/rotate", key=secrets[-1]).json["secret"])
        made = shop.send("POST", "/keys", {"name": "x", "status": "active"}, key=secrets[-1])
        assert made.json["secret"] not in secrets
    assert len(set(secrets)) == 6
    assert [shop.send("GET", "/contacts", key=secret).status for secret in secrets] == [401] * 5 + [200]


def test_revoked_key_is_refused_and_says_why(shop: Tenanted) -> None:
    shop.send("POST", "/keys/key-a/revoke", key=A)
    refused = shop.send("GET", "/contacts", key=A)
    assert problem(refused) == (401, "unauthenticated")
    assert "'revoked' == 'active'" in refused.json["detail"]


def test_deleted_key_is_refused(shop: Tenanted) -> None:
    assert shop.send("DELETE", "/keys/key-a", key=A).status == 204
    assert shop.send("GET", "/contacts", key=A).status == 401


def test_changed_scopes_count_at_once(tmp_path: Path) -> None:
    description = described()
    description["paths"]["/contacts"]["get"]["security"] = [{"key": ["contacts:read"]}]
    keys = [key("key-a", "org_a", scopes=["keys:*"]), key("key-b", "org_b", scopes=["*"])]
    shop = tenanted(tmp_path, description, seeded_with(keys=keys))
    assert problem(shop.send("GET", "/contacts", key=A)) == (403, "forbidden")
    assert shop.send("GET", "/contacts", key=B).status == 200
    shop.send("PATCH", "/keys/key-a", {"scopes": ["contacts:read"]}, key=A)
    assert shop.send("GET", "/contacts", key=A).status == 200


def test_key_that_expired_is_told_apart(shop: Tenanted) -> None:
    assert problem(shop.send("GET", "/contacts", key=OLD)) == (401, "expired")


def test_session_is_refreshed_before_its_time_is_over_and_refused_after(shop: Tenanted) -> None:
    def asked(token: str) -> Any:
        return shop.send("GET", "/sessions/s1", authorization=f"Bearer {token}")

    assert asked(SESSION).status == 200
    fresh = shop.send("POST", "/sessions/s1/refresh", authorization=f"Bearer {SESSION}").json["token"]
    assert (asked(SESSION).status, asked(fresh).status) == (401, 200)
    shop.advance(2 * HOUR)
    assert asked(fresh).status == 200
    shop.advance(30 * 24 * HOUR)
    late = asked(fresh)
    assert problem(late) == (401, "expired")
    assert 'error="invalid_token"' in late.headers["WWW-Authenticate"] or "ApiKey" in late.headers["WWW-Authenticate"]


def test_session_that_was_not_refreshed_expires_by_the_virtual_clock(shop: Tenanted) -> None:
    shop.advance(HOUR - 1)
    assert shop.send("GET", "/contacts", authorization=f"Bearer {SESSION}").status == 200
    shop.advance(1)
    assert problem(shop.send("GET", "/contacts", authorization=f"Bearer {SESSION}")) == (401, "expired")


def test_key_that_a_timer_revokes_is_refused_by_the_request_that_comes_after(tmp_path: Path) -> None:
    description = described()
    moves = {"revoke": {"from": ["active"], "to": "revoked", "after": "PT1H"}}
    description["x-mock-resources"]["keys"] = {"states": {"property": "status", "transitions": moves}}
    for verb in ("rotate", "revoke"):
        del description["paths"][f"/keys/{{id}}/{verb}"]
    shop = tenanted(tmp_path, description)
    shop.advance(HOUR - 1)
    assert shop.send("GET", "/contacts", key=A).status == 200
    shop.advance(1)
    assert shop.send("GET", "/contacts", key=A).status == 401


def test_unknown_value_is_refused(shop: Tenanted) -> None:
    refused = shop.send("GET", "/contacts", key="sk_nobody")
    assert "none that keys or the fixtures know" in refused.json["detail"]


# What is known of the caller


def test_item_is_the_callers_claims(tmp_path: Path) -> None:
    description = described()
    description["paths"]["/contacts"]["post"]["x-mock-operation"] = {
        "stores": {"state": "{$principal#/claims/id}/{$principal#/name}/{$principal#/plan}"}
    }
    shop = tenanted(tmp_path, description)
    made = shop.send("POST", "/contacts", {"email": "x@x.example"}, key=A)
    assert made.json["state"] == "key-a/key-a/Free"


def test_without_a_name_the_caller_is_called_by_the_items_key(tmp_path: Path) -> None:
    description = described()
    answer = tenanted(tmp_path, description).send(
        "GET", "/contacts", authorization=f"Bearer {SESSION}", prefer="explain"
    )
    assert answer.json["explanation"]["principal"] == "s1"


def test_static_credentials_stand_beside_those_of_the_state(tmp_path: Path) -> None:
    fixed = {"name": "staff", "scheme": "key", "value": "staff", "tenant": "org_b"}
    shop = tenanted(tmp_path, seed={**SEED, "credentials": [*SEED["credentials"], fixed]})
    assert shop.emails("staff") == ["bob@b.example"]
    assert shop.emails(A) == ["ann@a.example"]


def test_what_the_state_says_of_a_value_goes_before_a_static_credential(tmp_path: Path) -> None:
    fixed = {"name": "old", "scheme": "key", "value": OLD, "tenant": "org_b"}
    shop = tenanted(tmp_path, seed={**SEED, "credentials": [fixed]})
    assert problem(shop.send("GET", "/contacts", key=OLD)) == (401, "expired")


def test_of_two_items_with_one_value_the_one_that_counts_is_the_caller(tmp_path: Path) -> None:
    twice = [key("key-a", "org_a", status="revoked"), key("other", "org_b", secret=A)]
    shop = tenanted(tmp_path, seed={"resources": seeded_with(keys=twice)["resources"]})
    assert shop.emails(A) == ["bob@b.example"]


# Where it travels


SCHEMES: dict[str, dict[str, Json]] = {
    "header": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "query": {"type": "apiKey", "in": "query", "name": "api_key"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "sid"},
    "bearer": {"type": "http", "scheme": "bearer"},
    "basic": {"type": "http", "scheme": "basic"},
    "login": {"type": "http", "scheme": "basic"},
}


def carrying(scheme: str, folder: Path) -> Tenanted:
    """The API with keys that travel by a scheme of that name."""
    more = {"user": "/name"} if scheme == "login" else {}
    description = described(security=[{"key": []}])
    schemes = {"key": {**SCHEMES[scheme], "x-mock-credentials": {**KEYS, **more}}}
    description["components"]["securitySchemes"] = schemes
    secret = {"secret": "user:sk_pass"} if scheme == "basic" else {}
    if scheme == "basic":
        description["components"]["schemas"]["Key"]["properties"]["secret"] = {"type": "string"}
    keys = [key("key-a", "org_a", **secret), key("key-b", "org_b")]
    seed = {
        "resources": seeded_with(keys=keys)["resources"],
        "credentials": [{"name": "a", "scheme": "key", "item": "key-a"}],
    }
    return tenanted(folder, description, seed)


def sent(scheme: str, shop: Tenanted, secret: str) -> Any:
    ways: dict[str, tuple[str, dict[str, str]]] = {
        "header": ("/contacts", {"x_key": secret}),
        "query": (f"/contacts?api_key={secret}", {}),
        "cookie": ("/contacts", {"cookie": f"a=b; sid={secret}"}),
        "bearer": ("/contacts", {"authorization": f"Bearer {secret}"}),
        "basic": ("/contacts", {"authorization": basic(*secret.split(":"))}) if ":" in secret else ("/contacts", {}),
        "login": ("/contacts", {"authorization": basic("key-a", secret)}),
    }
    target, headers = ways[scheme]
    return shop.send("GET", target, **headers)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_stored_credential_is_known_however_it_travels(tmp_path: Path, scheme: str) -> None:
    shop = carrying(scheme, tmp_path)
    secret = "user:sk_pass" if scheme == "basic" else A
    assert [contact["email"] for contact in sent(scheme, shop, secret).json] == ["ann@a.example"]
    assert sent(scheme, shop, "user:wrong").status == 401


@pytest.mark.parametrize(
    ("scheme", "value"),
    [("header", A), ("bearer", f"Bearer {A}"), ("basic", basic("user", "sk_pass")), ("login", basic("key-a", A))],
)
def test_listed_credential_is_written_as_it_travels(tmp_path: Path, scheme: str, value: str) -> None:
    (served,) = carrying(scheme, tmp_path).sandbox.apis.values()
    (credential,) = served.credentials
    assert credential_json(served, credential)["value"] == value


# Seeds


def test_seeded_item_is_listed_with_what_it_says(shop: Tenanted) -> None:
    (served,) = shop.sandbox.apis.values()
    listed = [credential_json(served, credential) for credential in served.credentials]
    assert listed[0] == {
        "name": "a", "description": "the key of org_a", "scheme": "key", "in": "header", "parameter": "X-Key",
        "value": A, "scopes": None, "tenant": "org_a", "plan": "Free",
    }  # fmt: skip
    assert (listed[1]["value"], listed[1]["tenant"]) == (f"Bearer {SESSION}", "org_a")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"name": "a", "scheme": "key", "item": "key-x"}, "did you mean 'key-"),
        ({"name": "a", "scheme": "plain", "item": "key-a"}, "no items are credentials of plain"),
    ],
)
def test_credential_that_is_no_item_is_refused_with_its_place(
    tmp_path: Path, entry: dict[str, Json], message: str
) -> None:
    description = described()
    description["components"]["securitySchemes"]["plain"] = {"type": "http", "scheme": "bearer"}
    with pytest.raises(FixtureError, match=message) as caught:
        tenanted(tmp_path, description, {**SEED, "credentials": [entry]})
    assert caught.value.place is not None
    assert caught.value.place.pointer == "/credentials/0/item"


@pytest.mark.parametrize(
    ("change", "message", "pointer"),
    [
        ({"resource": "kyes"}, "did you mean 'keys'", "/resource"),
        ({"value": "/secrte"}, "did you mean 'secret'", "/value"),
        ({"when": "$resource#/status =="}, "ends", "/when"),
        ({"user": "/name"}, "only a basic scheme", "/user"),
        ({"secret": "/x"}, "breaks the vocabulary", ""),
    ],
)
def test_mistake_in_an_annotation_is_told_with_its_place(
    tmp_path: Path, change: dict[str, Json], message: str, pointer: str
) -> None:
    description = described()
    description["components"]["securitySchemes"]["key"]["x-mock-credentials"] = {**KEYS, **change}
    with pytest.raises(AnnotationError, match=message) as caught:
        tenanted(tmp_path, description)
    assert caught.value.place is not None
    assert caught.value.place.pointer == f"/components/securitySchemes/key/x-mock-credentials{pointer}"


def test_misspelt_annotation_on_a_scheme_is_refused(tmp_path: Path) -> None:
    description = described()
    description["components"]["securitySchemes"]["key"]["x-mock-credential"] = KEYS
    with pytest.raises(AnnotationError, match="did you mean 'x-mock-credentials'"):
        tenanted(tmp_path, description)


def test_credentials_may_be_kept_by_another_api_of_the_same_state(tmp_path: Path) -> None:
    keeper = source_in(tmp_path, described(**{"x-mock-namespace": "shop"}), name="keeper")
    description = described(**{"x-mock-namespace": "shop", "security": [{"key": []}]})
    description["paths"] = {path: entry for path, entry in description["paths"].items() if path.startswith("/contacts")}
    del description["components"]["securitySchemes"]["session"]
    del description["x-mock-resources"]["plans"], description["x-mock-resources"]["sessions"]
    del description["x-mock-resources"]["contacts"]["references"]
    user = source_in(tmp_path, description, {}, name="user")
    sandbox = Sandbox([user, keeper])
    shop = Tenanted(sandbox, {})
    answers = {}
    for name, served in sandbox.apis.items():
        shop.sandbox.apis = {name: served}
        answers[name] = shop.emails(A)
    assert answers == {"user": ["ann@a.example"], "keeper": ["ann@a.example"]}


# Errors of the API's own


def test_expired_has_a_code_of_its_own_and_the_rest_of_unauthenticated(tmp_path: Path) -> None:
    errors = {
        "unauthenticated": {"status": 403, "code": "NO_ACCESS", "body": {"code": "$problem#/code"}},
        "expired": {"code": "SESSION_EXPIRED"},
    }
    description = described(**{"x-mock-errors": errors})
    error = {"description": "", "content": {"application/json": {"schema": {"type": "object"}}}}
    description["paths"]["/contacts"]["get"]["responses"]["403"] = error
    shop = tenanted(tmp_path, description)
    unknown, late = (shop.send("GET", "/contacts", key=secret) for secret in ("x", OLD))
    assert (unknown.status, unknown.json) == (403, {"code": "NO_ACCESS"})
    assert (late.status, late.json) == (403, {"code": "SESSION_EXPIRED"})


def test_expired_is_answered_as_unauthenticated_where_an_api_does_not_tell_them_apart(tmp_path: Path) -> None:
    description = described(**{"x-mock-errors": {"unauthenticated": {"code": "NO_ACCESS"}}})
    assert tenanted(tmp_path, description).send("GET", "/contacts", key=OLD).json["code"] == "NO_ACCESS"


# Times


@pytest.mark.parametrize(
    "written",
    [
        "2026-01-31T12:00:00Z",
        "2026-01-31T13:00:00+01:00",
        "2026-01-31T12:00:00",
        NOW.timestamp(),
        NOW.timestamp() * 1000,
    ],
)
def test_moments_are_read_however_they_are_written(written: Json) -> None:
    assert instant_of(written) == NOW


@pytest.mark.parametrize("written", [None, True, "soon", "", [], 1e300, float("inf")])
def test_what_is_no_moment_is_none(written: Json) -> None:
    assert instant_of(written) is None


# Tokens


def test_claims_may_give_tenant_and_plan(tmp_path: Path) -> None:
    secret = "a shared secret of at least thirty-two bytes"
    description = described(security=[{"token": []}])
    rules = {"algorithms": ["HS256"], "tenantClaim": "org", "planClaim": "tier"}
    schemes = {"token": {"type": "http", "scheme": "bearer", "x-mock-jwt": rules}}
    description["components"]["securitySchemes"] = schemes
    description["paths"]["/contacts"]["post"]["x-mock-operation"] = {"stores": {"state": "$principal#/plan"}}
    seed = {"resources": SEED["resources"], "keys": {"token": {"secret": secret}}}
    shop = tenanted(tmp_path, description, seed)
    token = jwt.encode({"sub": "ann", "org": "org_b", "tier": "Pro", "exp": NOW.timestamp() + 60}, secret, "HS256")
    made = shop.send("POST", "/contacts", {"email": "x@x.example"}, authorization=f"Bearer {token}").json
    assert (made["orgId"], made["state"]) == ("org_b", "Pro")
    shop.advance(61)
    assert problem(shop.send("GET", "/contacts", authorization=f"Bearer {token}")) == (401, "expired")


# Universes and threads


def test_key_that_is_revoked_in_one_universe_works_in_another(shop: Tenanted) -> None:
    shop.send("POST", "/keys/key-a/revoke", key=A, universe="one")
    assert shop.send("GET", "/contacts", key=A, universe="one").status == 401
    assert shop.emails(A, universe="two") == ["ann@a.example"]


def test_reset_brings_a_revoked_key_back(shop: Tenanted) -> None:
    shop.send("POST", "/keys/key-a/revoke", key=A)
    shop.universe().reset()
    assert shop.emails(A) == ["ann@a.example"]


def test_eight_threads_each_make_use_and_revoke_keys_of_their_own(shop: Tenanted) -> None:
    def life(thread: int) -> list[int]:
        universe, owner = f"u{thread % 4}", (A, B)[thread % 2]
        statuses = []
        for turn in range(10):
            made = shop.send(
                "POST", "/keys", {"name": f"{thread}-{turn}", "status": "active"}, key=owner, universe=universe
            ).json
            statuses.append(shop.send("GET", "/contacts", key=made["secret"], universe=universe).status)
            rotated = shop.send("POST", f"/keys/{made['id']}/rotate", key=owner, universe=universe).json
            statuses.append(shop.send("GET", "/contacts", key=made["secret"], universe=universe).status)
            statuses.append(shop.send("GET", "/contacts", key=rotated["secret"], universe=universe).status)
            shop.send("POST", f"/keys/{made['id']}/revoke", key=owner, universe=universe)
            statuses.append(shop.send("GET", "/contacts", key=rotated["secret"], universe=universe).status)
        return statuses

    with ThreadPoolExecutor(8) as threads:
        for statuses in threads.map(life, range(8)):
            assert statuses == [200, 401, 200, 401] * 10


def test_over_http_a_key_lives_and_dies_in_its_universe(tmp_path: Path) -> None:
    import http.client
    import json

    def asked(host: str, method: str, path: str, secret: str, body: Json = None, **headers: str) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(host)
        sent = {"X-Key": secret, **({"Content-Type": "application/json"} if body is not None else {}), **headers}
        connection.request(method, path, json.dumps(body) if body is not None else None, sent)
        response = connection.getresponse()
        text = response.read()
        connection.close()
        return response.status, json.loads(text) if text else None

    with MockServer(source_in(tmp_path, seed={**SEED, "resources": seeded_with()["resources"]})) as server:
        host = server.url.removeprefix("http://")

        def life(number: int) -> list[int]:
            session = {"Mock-Session": f"s{number}"}
            _, made = asked(host, "POST", "/keys", A, {"name": "CI", "status": "active"}, **session)
            first, _ = asked(host, "GET", "/contacts", made["secret"], **session)
            asked(host, "POST", f"/keys/{made['id']}/revoke", A, **session)
            then, _ = asked(host, "GET", "/contacts", made["secret"], **session)
            elsewhere, _ = asked(host, "GET", "/contacts", made["secret"])
            other, contacts = asked(host, "GET", "/contacts", B, **session)
            assert [contact["id"] for contact in contacts] == ["c2"]
            return [first, then, elsewhere, other]

        with ThreadPoolExecutor(8) as threads:
            assert list(threads.map(life, range(8))) == [[200, 401, 401, 200]] * 8
