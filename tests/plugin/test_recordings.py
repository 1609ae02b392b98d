"""Recordings: files that can be played, that stay as they are, and in which there is no secret."""

from __future__ import annotations

import json
import re
import uuid
from base64 import b64encode
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml
from flask import Flask, Response, request

from contracts.exchanges import load, run
from contracts.testing.recording.drift import drift
from contracts.testing.recording.hiding import Hiding, forms_of
from contracts.testing.recording.recorder import Recorder, Taken, real_service
from contracts.testing.recording.recordings import read_recording, recording_path, write_recording
from contracts.wire import WireRequest, received
from mock_server.errors import ApidoubleError, FixtureError
from mock_server.packs import ApiSource, source_of
from mock_server.sandbox import Options, Sandbox
from tests.planted_bugs.bakery import create_app
from tests.planted_bugs.serving import listening
from tests.plugin.recorded import (
    RECORDED_AT,
    Client,
    door_of,
    drifts,
    keep,
    real,
    recorder_of,
    sandbox,
    source,
    target_of,
    universe,
)

ID = "tests/test_customers.py::test_created"


def bakery_flow(send: Client) -> None:
    """What a test of a bakery does."""
    _, jane = send("POST", "/customers", {"name": "Jane", "email": "jane@example.com"})
    send("GET", f"/customers/{jane['id']}")
    send("PATCH", f"/customers/{jane['id']}", {"name": "Jane B."}, {"content-type": "application/merge-patch+json"})
    send("POST", "/customers", {"name": "Joe", "email": "jane@example.com"})
    send("GET", "/customers")
    send("DELETE", f"/customers/{jane['id']}")
    send("GET", f"/customers/{jane['id']}")


def recorded_bakery(path: Path, *, name: str = "recordings") -> Recorder:
    with listening(create_app()) as url:
        recorder = recorder_of("bakery", url, universe=universe("bakery", name))
        bakery_flow(Client(recorder.served, recorder, credential="north"))
    keep(recorder, path)
    return recorder


# Names of files


@pytest.mark.parametrize(
    ("nodeid", "expected"),
    [
        ("tests/api/test_customers.py::test_created", "tests/api/test_customers/test_created.kirimdev.yaml"),
        ("test_x.py::TestNew::test_it", "test_x/TestNew.test_it.kirimdev.yaml"),
        ("../test_x.py::test_it", "test_x/test_it.kirimdev.yaml"),
    ],
)
def test_a_recording_lies_where_its_test_does(nodeid: str, expected: str) -> None:
    assert recording_path(Path("recordings"), nodeid, "kirimdev") == Path("recordings") / expected


def test_parameters_make_names_that_every_system_takes_and_keep_apart() -> None:
    ids = ["a/b", "a:b", "a b", "ä", "..", "../../etc/passwd", "x" * 300, "x" * 301, "con\x00", "a/b "]
    paths = [recording_path(Path("r"), f"test_x.py::test_it[{each}]", "shop") for each in ids]
    assert len({str(path).lower() for path in paths}) == len(ids)
    for path in paths:
        assert path.parent == Path("r/test_x")
        assert re.fullmatch(r"[\w.@-]{1,130}\.yaml", path.name, re.ASCII)


# What they are


def test_a_recording_is_a_transcript_that_plays(tmp_path: Path) -> None:
    path = tmp_path / "flow.yaml"
    recorded_bakery(path)
    transcript = load(path)
    assert (transcript.title, len(transcript.steps)) == ("tests/test_x.py::test_x", 7)
    served = sandbox("bakery").api("bakery")
    with listening(create_app()) as url:
        again = recorder_of("bakery", url, universe=universe("bakery", "play"))
        assert run(transcript, target_of(served, again)) is None


def test_what_only_the_service_refuses_is_found_and_nothing_follows_from_it(tmp_path: Path) -> None:
    """No two customers of the bakery have one address, which its description says in prose alone."""
    path = tmp_path / "flow.yaml"
    recorded_bakery(path)
    within = universe("bakery", "double")
    bakery_flow(Client(sandbox("bakery").api("bakery"), door_of("bakery", within), credential="north"))
    (found,) = drifts("bakery", path, list(within.journal))
    assert (found.operation_id, found.where, found.recorded, found.double) == ("createCustomer", "status", "409", "201")
    action, _, _ = found.remedy.rpartition("\n")
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text("overlay: 1.0.0\ninfo: {title: Learned, version: '1'}\nactions:\n" + action + "\n")
    known = source("bakery")
    box = Sandbox([ApiSource(known.name, known.description, (overlay,), known.fixtures, known.seed)])
    served, learned = box.api("bakery"), box.universes.get("learned")
    bakery_flow(Client(served, lambda sent: served.line.answer(sent, learned), credential="north"))
    recording = read_recording(path)
    assert recording is not None
    assert [one.where for one in drift(recording, served, learned.journal)] == ["body /errors"]  # now it refuses, too


def test_the_head_says_what_the_file_is(tmp_path: Path) -> None:
    path = tmp_path / "flow.yaml"
    recorder = recorded_bakery(path)
    head = path.read_text().splitlines()[:6]
    assert "Generated" in head[1]
    assert "--mock-api-record" in head[1]
    assert head[3] == 'title: "tests/test_x.py::test_x"'
    assert head[5] == f'source: "{recorder.service.base_url}, on 2026-03-01"'


def test_equal_values_of_the_service_have_equal_names(tmp_path: Path) -> None:
    recorded_bakery(tmp_path / "flow.yaml")
    steps = yaml.safe_load((tmp_path / "flow.yaml").read_text())["steps"]
    made, read, *_ = steps
    assert made["response"]["body"]["id"]["$bind"] == "customer_id_1"
    assert read["request"]["path"] == "/customers/{customer_id_1}"
    assert read["response"]["body"]["id"] == made["response"]["body"]["id"]
    assert read["response"]["body"]["name"] == "Jane"
    assert made["credential"] == "north"


def test_a_file_that_is_none_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("title: x\nsteps: []\n")
    with pytest.raises(FixtureError, match="no exchange file"):
        read_recording(path)
    assert read_recording(tmp_path / "missing.yaml") is None


# Recording again


def test_recording_again_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "flow.yaml"
    recorded_bakery(path)
    before, at = path.read_bytes(), path.stat().st_mtime_ns
    with listening(create_app()) as url:
        again = recorder_of("bakery", url, universe=universe("bakery", "again"))
        bakery_flow(Client(again.served, again, credential="north"))
    assert keep(again, path, now=RECORDED_AT + timedelta(days=9)) is False
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (before, at)


@pytest.mark.parametrize(
    ("api", "story"), [("kirimdev", "labels"), ("layercake", "products"), ("layercake", "api-keys")]
)
def test_a_service_that_makes_up_other_values_changes_nothing(api: str, story: str, tmp_path: Path) -> None:
    """Ids, times, secrets and samples are others the second time, and the file stays as it is."""
    path, replies = tmp_path / "story.yaml", []
    fixtures = source(api).fixtures
    assert fixtures is not None
    for seed in (77, 78):
        with real(api, seed=seed) as service:
            recorder = recorder_of(api, service.url, universe=universe(api, f"story-{seed}"))
            assert run(load(fixtures / "exchanges" / f"{story}.yaml"), target_of(recorder.served, recorder)) is None
        replies.append([taken.reply.body for taken in recorder.exchanges])
        assert keep(recorder, path) is (seed == 77)
    assert replies[0] != replies[1]


def test_what_a_test_names_at_random_keeps_its_first_spelling(tmp_path: Path) -> None:
    path = tmp_path / "flow.yaml"

    def recorded(name: str, *, price: int = 1) -> bool:
        with real("shop") as service:
            recorder = recorder_of("shop", service.url, universe=universe("shop", "names"))
            Client(recorder.served, recorder)("POST", "/products", {"name": name, "price": price})
            return keep(recorder, path)

    first = f"test-{uuid.UUID(int=0x1234567890ABCDEF1234567890ABCDEF)}"
    assert recorded(first)
    assert not recorded(f"test-{uuid.UUID(int=0xFEDCBA0987654321FEDCBA0987654321)}")
    assert recorded(f"test-{uuid.UUID(int=0xFEDCBA0987654321FEDCBA0987654321)}", price=2)
    body = yaml.safe_load(path.read_text())["steps"][0]
    assert body["request"]["body"] == {"name": first, "price": 2}
    assert body["response"]["body"]["name"] == first


def test_a_change_of_the_service_is_written(tmp_path: Path) -> None:
    path = tmp_path / "flow.yaml"
    recorder = recorded_bakery(path)
    first, *rest = recorder.exchanges
    changed = json.loads(first.reply.body) | {"vip": True}
    reply = type(first.reply)(first.reply.status, first.reply.headers, json.dumps(changed).encode())
    taken = Taken(first.number, first.ended, first.operation_id, first.credential, first.path, first.request, reply)
    assert write_recording(path, test="x", served=recorder.served, service=recorder.service,
                           exchanges=[taken, *rest], now=RECORDED_AT + timedelta(days=1))  # fmt: skip
    written = yaml.safe_load(path.read_text())
    assert written["steps"][0]["response"]["body"]["vip"] is True
    assert written["source"].endswith("on 2026-03-02")


def test_a_test_that_sends_nothing_any_more_has_no_recording(tmp_path: Path) -> None:
    path = tmp_path / "flow.yaml"
    recorder = recorded_bakery(path)
    assert write_recording(path, test="x", served=recorder.served, service=recorder.service, exchanges=(),
                           now=RECORDED_AT)  # fmt: skip
    assert not path.exists()


def test_nothing_else_is_left_in_the_folder(tmp_path: Path) -> None:
    recorded_bakery(tmp_path / "deep" / "er" / "flow.yaml")
    assert [path.name for path in (tmp_path / "deep" / "er").iterdir()] == ["flow.yaml"]


# Secrets

TOKEN = "real+token/9d2f71c4=="
PASSWORD = "pa:ss w0rd&ä"
MINTED = "key_minted_5b8e0a7744"
COOKIE = "sess_0f9e8d7c6b5a"
SECRETS = (TOKEN, PASSWORD, MINTED, COOKIE, "query_key_77d1", "hook-signing-5521")

LOGIN = """
openapi: 3.1.0
info: {title: Login, version: "1"}
components:
  securitySchemes:
    bearer: {type: http, scheme: bearer}
    query: {type: apiKey, in: query, name: api_key}
  schemas:
    Session:
      type: object
      properties:
        login: {type: string}
        phrase: {type: string, format: password}
        hook: {type: string, writeOnly: true}
paths:
  /sessions:
    post:
      operationId: logIn
      security: [{bearer: []}, {query: []}]
      requestBody: {content: {application/json: {schema: {$ref: "#/components/schemas/Session"}}}}
      responses:
        "200":
          description: A session
          headers: {X-Session: {schema: {type: string}}}
          content: {application/json: {schema: {}}}
  /forms:
    post:
      operationId: sendForm
      responses: {"200": {description: Done, content: {application/json: {schema: {}}}}}
  /notes/{text}:
    get:
      operationId: readNote
      responses: {"200": {description: A note, content: {text/plain: {schema: {type: string}}}}}
"""


def spellings(secret: str) -> list[str]:
    around = [secret, f"me:{secret}", f"me2:{secret}!", f"{secret}:x"]
    coded = [b64encode(text.encode()).decode() for text in around]
    return [secret, quote(secret, safe=""), *coded, secret.encode().hex(), json.dumps(secret)[1:-1]]


def leaking() -> Flask:
    """A service that repeats every secret it hears of, in every spelling, everywhere."""
    app = Flask("leaking")
    spelled = [form for secret in SECRETS for form in spellings(secret)]

    @app.route("/<path:path>", methods=["GET", "POST"])
    def answered(path: str) -> Response:
        if path.startswith("notes"):
            return Response(f"you are {TOKEN}, {request.headers.get('Authorization')}", content_type="text/plain")
        body: dict[str, Any] = {
            "echo": [f"said {form} to us" for form in spelled] + spelled,
            "api_key": MINTED, "password": PASSWORD, "deep": {"credentials": {"user": "me", "value": MINTED}},
            TOKEN: "a member", "session_token": COOKIE, "headers": dict(request.headers.items()),
            "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJlLXNpZ25hdHVyZQ",
            "log": "Authorization: Bearer abcdef.ghijkl-123", "url": request.url,
        }  # fmt: skip
        response = Response(json.dumps(body), content_type="application/json")
        response.set_cookie("sid", COOKIE)
        response.headers["X-Session"] = COOKIE
        response.headers["Authorization"] = f"Bearer {TOKEN}"
        response.headers["Location"] = f"/next?token={quote(TOKEN, safe='')}"
        return response

    return app


def test_no_secret_gets_into_a_recording_wherever_it_was_and_however_it_was_spelled(tmp_path: Path) -> None:
    description = tmp_path / "login.yaml"
    description.write_text(LOGIN)
    box = Sandbox([source_of(str(description))], options=Options())
    served = box.api("login")
    with listening(leaking()) as url:
        recorder = Recorder(real_service(served, url, headers=[f"Authorization: Bearer {TOKEN}"]), served,
                            box.universes.get("t1"))  # fmt: skip

        def send(method: str, target: str, headers: dict[str, str], body: bytes = b"") -> None:
            recorder(received(WireRequest(method, target, headers, body)))

        typed = {"content-type": "application/json"}
        login = {"login": "me", "phrase": PASSWORD, "hook": "hook-signing-5521", "note": f"see {MINTED} and {TOKEN}"}
        send("POST", "/sessions", {**typed, "authorization": "Bearer x", "cookie": f"sid={COOKIE}"},
             json.dumps(login).encode())  # fmt: skip
        send("POST", "/sessions?api_key=query_key_77d1", typed, b"{}")
        send("POST", "/sessions", {**typed, "authorization": f"Bearer {MINTED}"}, b"{}")
        form = f"login=me&password={quote(PASSWORD)}&token={quote(TOKEN)}"
        send("POST", "/forms", {"content-type": "application/x-www-form-urlencoded"}, form.encode())
        send("GET", f"/notes/{quote(TOKEN, safe='')}?about={quote(MINTED)}", {"authorization": "Bearer x"})
    path = tmp_path / "login.login.yaml"
    assert write_recording(path, test=f"test_it[{TOKEN}]", served=served, service=recorder.service,
                           exchanges=recorder.exchanges, now=RECORDED_AT)  # fmt: skip
    text = path.read_text()
    for secret in SECRETS:
        assert [form for form in {*forms_of(secret), *spellings(secret)} if form in text] == [], secret
    assert "eyJ" not in text
    assert "abcdef.ghijkl" not in text
    assert load(path).steps[0].exchange is not None


def test_a_secret_that_is_left_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "flow.yaml"
    with listening(create_app()) as url:
        recorder = recorder_of("bakery", url, universe=universe("bakery", "left"),
                               headers=["Authorization: Bearer bakery_north_readwrite"])  # fmt: skip
        bakery_flow(Client(recorder.served, recorder, credential="north"))
    monkeypatch.setattr("contracts.testing.recording.recordings.transcribed",
                        lambda *_, **__: [{"name": "bakery_north_readwrite"}])  # fmt: skip
    with pytest.raises(ApidoubleError, match="nothing was"):
        keep(recorder, path)
    assert not path.exists()


@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "me:"])
@pytest.mark.parametrize("after", ["", "!", "!!"])
def test_a_secret_is_found_inside_of_base64_at_every_bit(before: str, after: str) -> None:
    secret = "s3cr3t-of-the-house"
    hiding = Hiding([secret])
    assert hiding.given_in(b64encode(f"{before}{secret}{after}".encode()).decode())
    assert not hiding.given_in(b64encode(f"{before}s4cr4t-in-the-mouse{after}".encode()).decode())


def test_texts_too_short_to_be_secrets_are_left_alone() -> None:
    assert Hiding(["abc", ""]).hidden("abc is no secret") == "abc is no secret"


def test_a_credential_that_the_service_made_goes_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "minted.yaml"
    with real("layercake") as service:
        recorder = recorder_of("layercake", service.url, universe=universe("layercake", "minted"))
        send = Client(recorder.served, recorder, credential="document-session")
        wanted = {"organizationId": "org_xxx", "name": "CI", "scopes": ["contacts:read"]}
        _, made = send("POST", "/api/v1/api-keys/generate", wanted)
        anonymous = Client(recorder.served, recorder)
        status, _ = anonymous(
            "GET", "/api/v1/crm/contacts?organizationId=org_xxx", headers={"authorization": f"Bearer {made['key']}"}
        )
        assert status == 200
        assert keep(recorder, path)
    assert made["key"] not in path.read_text()
    first, second = yaml.safe_load(path.read_text())["steps"]
    name = first["response"]["body"]["key"]["$bind"]
    assert second["request"]["headers"]["Authorization"] == {"$text": f"Bearer {{{name}}}"}
    served = sandbox("layercake").api("layercake")
    assert run(load(path), target_of(served, door_of("layercake", universe("layercake", "plays")))) is None
