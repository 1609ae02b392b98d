"""What a description may read and write: nothing of other hosts, and no file but those of its own folder."""

from __future__ import annotations

import json
import os
import pickle
import threading
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from contracts import arazzo
from contracts.stories import _api_of
from mock_server import ApidoubleError, ConfigurationError, MockServer, Options, create_app
from mock_server.openapi import pointers
from mock_server.openapi.documents import Documents
from mock_server.packs import ApiSource, pack, source_of
from mock_server.sandbox import Sandbox
from tests.security.conftest import PETS

LEAK = "a-text-of-another-folder"

DESCRIPTION: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Places", "version": "1"},
    "paths": {
        "/a": {
            "get": {
                "operationId": "read",
                "parameters": [{"name": "q", "in": "query", "schema": {"type": "string"}}],
                "responses": {
                    "200": {
                        "description": "Ok.",
                        "content": {"application/json": {"schema": {"properties": {"x": {"type": "string"}}},
                                                         "examples": {"one": {"value": {"x": "1"}}}}},
                    }
                },
            },
            "post": {
                "operationId": "write",
                "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}},
                "responses": {"201": {"description": "Made."}},
            },
        }
    },
}  # fmt: skip

_GET, _POST, _JSON = "/paths/~1a/get", "/paths/~1a/post", "content/application~1json"
PLACES = {
    "parameter": f"{_GET}/parameters/1",
    "schema of a parameter": f"{_GET}/parameters/0/schema",
    "schema": f"{_GET}/responses/200/{_JSON}/schema/properties/x",
    "schema in a schema": f"{_GET}/responses/200/{_JSON}/schema/not/if",
    "response": f"{_GET}/responses/404",
    "header": f"{_GET}/responses/200/headers/X",
    "link": f"{_GET}/responses/200/links/next",
    "example": f"{_GET}/responses/200/{_JSON}/examples/two",
    "request body": f"{_POST}/requestBody",
    "header of a part": f"{_POST}/requestBody/{_JSON}/encoding/x/headers/X",
    "path item": "/paths/~1b",
    "callback": f"{_POST}/callbacks/done",
    "path item of a callback": f"{_POST}/callbacks/done/{{$request.body#~1url}}",
    "webhook": "/webhooks/done",
    "security scheme": "/components/securitySchemes/key",
    "unused schema": "/components/schemas/Unused",
    "extension": f"{_GET}/x-thing",
}
"""Where a reference may stand."""

OTHERS = {
    "external example": f"{_GET}/responses/200/{_JSON}/examples/two/externalValue",
    "external example of a body": f"{_POST}/requestBody/{_JSON}/examples/two/externalValue",
    "language": "/jsonSchemaDialect",
    "language of a schema": f"{_POST}/requestBody/{_JSON}/schema/$schema",
    "identifier": f"{_POST}/requestBody/{_JSON}/schema/$id",
    "dynamic reference": f"{_POST}/requestBody/{_JSON}/schema/$dynamicRef",
    "discriminator": f"{_POST}/requestBody/{_JSON}/schema/discriminator/mapping/z",
    "documentation": "/externalDocs/url",
    "open id": "/components/securitySchemes/key/openIdConnectUrl",
    "server": "/servers/0/url",
}
"""Where a URL may stand."""


def with_text(place: str, text: str, *, reference: bool) -> dict[str, Any]:
    """The description with a reference, or a URL, in a place."""
    document = deepcopy(DESCRIPTION)
    tokens = pointers.split(place + "/$ref" if reference else place)
    here: Any = document
    for token, following in pairwise(tokens):
        fresh: Any = [] if following == "0" else {}
        if isinstance(here, list):
            if int(token) == len(here):
                here.append(fresh)
            here = here[int(token)]
        else:
            here = here.setdefault(token, fresh)
    if isinstance(here, list):
        here.append(text)
    else:
        here[tokens[-1]] = text
    return document


class Canary:
    """A host that nothing should ask, and a file that nothing should read."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.asked: list[str] = []

    def write(self, document: Any) -> Path:
        """The file of a description."""
        path = self.folder / "api.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        return path

    def references(self) -> dict[str, str]:
        """References that lead to the host, and to the file, in every way there is."""
        outside = self.folder.parent / "outside" / "leak.json"
        link = self.folder / "link.json"
        if not link.is_symlink():
            link.symlink_to(outside)
            (self.folder / "linked").symlink_to(outside.parent)
        return {
            "host": f"{self.url}/leak.json",
            "host by scheme": f"{self.url.removeprefix('http:')}/leak.json",
            "host in capitals": f"{self.url.replace('http', 'HTTP')}/leak.json",
            "file": outside.as_uri(),
            "file of localhost": outside.as_uri().replace("file://", "file://localhost"),
            "absolute": str(outside),
            "relative": "../outside/leak.json",
            "relative and encoded": "%2e%2e/outside/leak.json",
            "with an encoded slash": "..%2Foutside%2Fleak.json",
            "by a detour": "x/../../outside/leak.json",
            "link": "link.json",
            "folder that is a link": "linked/leak.json",
            "backslash": "..\\outside\\leak.json",
        }


@pytest.fixture(scope="module")
def host() -> Iterator[Canary]:
    canary = Canary("", Path())

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            canary.asked.append(self.path)
            body = json.dumps({"type": "string", "const": LEAK}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    canary.url = f"http://127.0.0.1:{server.server_port}"
    yield canary
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def canary(host: Canary, tmp_path: Path) -> Canary:
    host.asked.clear()
    host.folder = tmp_path / "api"
    host.folder.mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "leak.json").write_text(json.dumps({"type": "string", "const": LEAK}), encoding="utf-8")
    return host


def some_of(kinds: dict[str, str], number: int) -> dict[str, str]:
    """Every way to a place with ``APIDOUBLE_SECURITY=1``, else three of them, others for each number."""
    if os.environ.get("APIDOUBLE_SECURITY"):
        return kinds
    names = list(kinds)
    return {name: kinds[name] for name in (names[0], names[1 + number % 2], names[3 + number % (len(names) - 3)])}


def everything_told(path: Path, **options: Any) -> str:
    """What a double of a description answers to anybody, or why there is none."""
    try:
        client = create_app(ApiSource("api", path, **options)).test_client()
    except ApidoubleError as error:
        return str(error)
    asked = (("GET", "/a"), ("GET", "/b"), ("POST", "/a"), ("GET", "/__mock__/apis/api/openapi.json"), ("GET", "/x"))
    return "".join(client.open(path, method=method).text for method, path in asked)


@pytest.mark.parametrize("place", PLACES)
def test_reference_to_elsewhere_is_never_followed(canary: Canary, place: str) -> None:
    for kind, reference in some_of(canary.references(), list(PLACES).index(place)).items():
        told = everything_told(canary.write(with_text(PLACES[place], reference, reference=True)))
        assert not canary.asked, kind
        assert LEAK not in told, kind


@pytest.mark.parametrize("place", OTHERS)
def test_url_in_a_description_is_never_fetched(canary: Canary, place: str) -> None:
    for kind in ("host", "file") if os.environ.get("APIDOUBLE_SECURITY") else ("host",):
        told = everything_told(canary.write(with_text(OTHERS[place], canary.references()[kind], reference=False)))
        assert not canary.asked, kind
        assert LEAK not in told, kind


def test_reference_is_followed_where_that_is_allowed(canary: Canary) -> None:
    """So the two tests above would see it."""
    references = canary.references()
    path = canary.write(with_text(PLACES["schema"], references["host"], reference=True))
    everything_told(path, allow_remote=True)
    assert canary.asked
    path = canary.write(with_text(PLACES["schema"], references["relative"], reference=True))
    assert LEAK in everything_told(path, allow_outside=True)


def test_other_file_of_the_folder_cannot_lead_out_either(canary: Canary) -> None:
    for kind, reference in canary.references().items():  # in every way, whatever the size
        (canary.folder / "more.json").write_text(json.dumps({"Thing": {"$ref": reference}}), encoding="utf-8")
        told = everything_told(canary.write(with_text(PLACES["schema"], "more.json#/Thing", reference=True)))
        assert not canary.asked, kind
        assert LEAK not in told, kind


def test_overlay_cannot_lead_out(canary: Canary) -> None:
    overlay = canary.folder / "overlay.json"
    for reference in some_of(canary.references(), 1).values():
        change = {"target": "$.paths['/a'].get.responses", "update": {"404": {"$ref": reference}}}
        overlay.write_text(json.dumps({"overlay": "1.0.0", "info": {"title": "x", "version": "1"},
                                       "extends": f"{canary.url}/base.json", "actions": [change]}))  # fmt: skip
        told = everything_told(canary.write(DESCRIPTION), overlays=(overlay,))
        assert not canary.asked
        assert LEAK not in told


def test_reference_in_a_seed_or_in_state_is_a_value_like_any_other(canary: Canary) -> None:
    seed = canary.folder / "seed.json"
    item = {"id": 1, "name": "Rex", "$ref": f"{canary.url}/leak.json"}
    seed.write_text(json.dumps({"resources": {"pets": [item]}}))
    with suppress(ApidoubleError):
        client = create_app(PETS, seed=seed).test_client()
        client.get("/pets")
        client.put("/__mock__/state/pets/pets/1", json=item)
    assert not canary.asked


def test_workflow_reads_no_description_of_another_folder(canary: Canary) -> None:
    canary.write(DESCRIPTION)
    (canary.folder.parent / "outside" / "openapi.json").write_text(json.dumps(DESCRIPTION), encoding="utf-8")
    written = {
        "arazzo": "1.0.1",
        "info": {"title": "x", "version": "1"},
        "sourceDescriptions": [{"name": "other", "url": "../outside/openapi.json", "type": "openapi"}],
        "workflows": [{"workflowId": "w", "steps": [{"stepId": "s", "operationId": "read"}]}],
    }
    (canary.folder / "x.arazzo.yaml").write_text(json.dumps(written), encoding="utf-8")
    source = ApiSource("api", canary.folder / "api.json")
    bench: Any = type("Bench", (), {"source": source, "served": None})
    with pytest.raises(ApidoubleError, match="outside of the description's folder"):
        arazzo.load(canary.folder / "x.arazzo.yaml", lambda file: _api_of(bench, file))


# Names that become paths


@pytest.mark.parametrize("name", ["..", ".", "../specs/repzo", "repzo/..", "/etc/passwd", "repzo\x00", "", "%2e%2e"])
def test_name_of_a_pack_is_no_path(name: str) -> None:
    with pytest.raises(ConfigurationError):
        pack(name)


def test_folder_is_no_description(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        source_of(f"{tmp_path}/")


def test_names_of_snapshots_and_sessions_touch_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    client = create_app(PETS).test_client()
    for name in ("..", "a/b", "%2e%2e%2f", "x" * 5000, "\x00", "é"):
        client.put(f"/__mock__/snapshots/{name}")
        client.get("/pets", headers={"Mock-Session": name.encode().decode("latin-1")} if "\x00" not in name else {})
        client.get(f"/__session__/{name}/pets")
    assert not list(tmp_path.iterdir())


# Writing


def test_serving_writes_nothing_but_into_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, cache = tmp_path / "api", tmp_path / "cache"
    folder.mkdir()
    copied = folder / "pets.yaml"
    copied.write_bytes(PETS.read_bytes())
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with MockServer(copied, options=Options(cache=cache)) as server:
        server.app.test_client().post("/pets", json={"name": "Rex"})
    written = {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*")}
    assert written == {"api", "cache"}
    assert list(folder.iterdir()) == [copied]


class _Planted:
    """Runs something when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return (Path.touch, (self.marker,))


def test_what_is_planted_in_the_cache_is_not_run(tmp_path: Path) -> None:
    cache, marker = tmp_path / "cache", tmp_path / "marker"
    first = Documents.load(PETS, cache=cache)
    Sandbox([ApiSource("pets", PETS)], options=Options(cache=cache))
    entries = [path for path in cache.rglob("*") if path.is_file()]
    assert entries
    for entry in entries:
        entry.write_bytes(pickle.dumps(_Planted(marker)))
    second = Documents.load(PETS, cache=cache)
    Sandbox([ApiSource("pets", PETS)], options=Options(cache=cache))
    assert second.value(second.root) == first.value(first.root)
    assert not marker.exists()
    assert _loads_are_seen(marker)


def _loads_are_seen(marker: Path) -> bool:
    pickle.loads(pickle.dumps(_Planted(marker)))
    return marker.exists()


# What others are given to read


def test_judge_fetches_nothing_and_reads_no_other_folder(canary: Canary) -> None:
    from contracts.judge import Judge

    for kind, reference in some_of(canary.references(), 2).items():
        document = with_text(PLACES["schema"], reference, reference=True)
        for description in (document, canary.write(document)):
            verdict = Judge(description).response(
                "GET", "/a", 200, [("Content-Type", "application/json")], b'{"x": "other"}'
            )
            assert not canary.asked, kind
            assert LEAK not in str(verdict), kind


def test_schemathesis_fetches_nothing(canary: Canary) -> None:
    import requests
    from schemathesis.core.jsonschema import resolver
    from schemathesis.specs.openapi import examples

    from contracts.conformance.offline import offline

    before = examples.load_external_example
    with offline(), offline():
        with pytest.raises(requests.RequestException):
            resolver.retrieve(f"{canary.url}/reference.json")
        assert list(examples._unpack_example_object({"externalValue": f"{canary.url}/example"}, None)) == []  # type: ignore[arg-type]
    assert not canary.asked
    assert examples.load_external_example is before
