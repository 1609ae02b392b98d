"""Finding, refusing and naming what references lead to; files are real, and so is the HTTP server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from mock_server.errors import DescriptionError, OverlayError, Place, SourceError, UnresolvedReference
from mock_server.openapi.documents import Documents, Located
from mock_server.openapi.source import Limits
from mock_server.openapi.values import Json

OPENAPI = """\
openapi: 3.1.0
info: {title: Leads, version: '1'}
paths:
  /leads:
    $ref: paths/leads.yaml
  /self:
    $ref: '#/paths/~1leads'
components:
  schemas:
    Lead:
      $ref: schemas/lead.json
    Named:
      $anchor: named
      type: object
    Lost:
      $ref: schemas/leed.json
  responses:
    A: {$ref: '#/components/responses/B'}
    B: {$ref: '#/components/responses/C'}
    C: {$ref: '#/components/responses/B'}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A description in several files, in a folder that has a secret beside it."""
    (tmp_path / "secret.yaml").write_text("password: hunter2\n")
    inside = tmp_path / "api"
    (inside / "schemas").mkdir(parents=True)
    (inside / "paths").mkdir()
    (inside / "openapi.yaml").write_text(OPENAPI)
    (inside / "schemas" / "lead.json").write_text('{\n "type": "object",\n "a/b": {"~": [10, 20]}\n}')
    (inside / "schemas" / "my lead#1.json").write_text('{"title": "odd name"}')
    (inside / "paths" / "leads.yaml").write_text("get:\n  schema: {$ref: ../schemas/lead.json}\n")
    return inside


@pytest.fixture
def documents(folder: Path) -> Documents:
    return Documents.load(folder / "openapi.yaml")


def test_root_is_addressed_by_its_file_name(documents: Documents) -> None:
    assert documents.root == "openapi.yaml"
    assert documents.value(documents.root)["openapi"] == "3.1.0"


@pytest.mark.parametrize(
    ("ref", "base", "uri", "pointer"),
    [
        ("#/info", "openapi.yaml", "openapi.yaml", "/info"),
        ("#", "openapi.yaml", "openapi.yaml", ""),
        ("", "openapi.yaml", "openapi.yaml", ""),
        ("openapi.yaml#/info", "openapi.yaml", "openapi.yaml", "/info"),
        ("#/paths/~1leads", "openapi.yaml", "openapi.yaml", "/paths/~1leads"),
        ("#/paths/%7E1leads", "openapi.yaml", "openapi.yaml", "/paths/~1leads"),
        ("schemas/lead.json", "openapi.yaml", "schemas/lead.json", ""),
        ("./schemas/../schemas/lead.json", "openapi.yaml", "schemas/lead.json", ""),
        ("schemas/lead.json#/a~1b/~0/1", "openapi.yaml", "schemas/lead.json", "/a~1b/~0/1"),
        ("../schemas/lead.json#/type", "paths/leads.yaml", "schemas/lead.json", "/type"),
        ("lead.json", "schemas/other.json", "schemas/lead.json", ""),
        ("schemas/my%20lead%231.json", "openapi.yaml", "schemas/my%20lead%231.json", ""),
        ("schemas%2flead.json", "openapi.yaml", "schemas/lead.json", ""),
        ("#named", "openapi.yaml", "openapi.yaml", "/components/schemas/Named"),
    ],
)
def test_reference_leads_to_a_document_and_a_pointer(
    documents: Documents, ref: str, base: str, uri: str, pointer: str
) -> None:
    found = documents.resolve(ref, base)
    assert (found.uri, found.pointer) == (uri, pointer)
    assert found.value == documents.resolve(f"#{pointer}", uri).value


def test_absolute_references_into_the_folder_are_the_same_documents(documents: Documents, folder: Path) -> None:
    file = folder / "schemas" / "lead.json"
    assert documents.resolve(str(file), documents.root).uri == "schemas/lead.json"
    assert documents.resolve(file.as_uri(), documents.root).uri == "schemas/lead.json"


def test_files_are_listed_once_they_are_read(documents: Documents, folder: Path) -> None:
    assert documents.files() == (folder / "openapi.yaml",)
    documents.resolve("schemas/lead.json", documents.root)
    assert documents.files() == (folder / "openapi.yaml", folder / "schemas" / "lead.json")


def test_a_document_is_read_once(documents: Documents, folder: Path) -> None:
    first = documents.value("schemas/lead.json")
    (folder / "schemas" / "lead.json").unlink()
    assert documents.value("schemas/lead.json") is first


def test_threads_that_ask_at_once_get_the_same_value(documents: Documents) -> None:
    start = threading.Barrier(8)

    def ask(_: int) -> Json:
        start.wait()
        return documents.value("schemas/lead.json")

    with ThreadPoolExecutor(8) as pool:
        values = list(pool.map(ask, range(8)))
    assert all(value is values[0] for value in values)


OUTSIDE = [
    "../secret.yaml",
    "schemas/../../secret.yaml",
    "..%2fsecret.yaml",
    "%2e%2e/secret.yaml",
    "../../../../../../../../etc/passwd",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "file:///etc/passwd",
    "FILE:///etc/passwd",
    "file:/etc/passwd",
    "file://localhost/etc/passwd",
    "link.yaml",
    "linked/secret.yaml",
]


@pytest.mark.parametrize("ref", OUTSIDE)
def test_reference_out_of_the_folder_is_refused(documents: Documents, folder: Path, ref: str) -> None:
    (folder / "link.yaml").symlink_to(folder.parent / "secret.yaml")
    (folder / "linked").symlink_to(folder.parent)
    with pytest.raises(UnresolvedReference, match="leads out of the description's folder") as caught:
        documents.resolve(ref, documents.root)
    assert caught.value.got == ref
    assert "allow_outside" in str(caught.value.hint)


@pytest.mark.parametrize("uri", ["../secret.yaml", "..%2Fsecret.yaml"])
def test_document_out_of_the_folder_is_refused_by_its_uri_too(documents: Documents, uri: str) -> None:
    with pytest.raises(UnresolvedReference, match="leads out of the description's folder"):
        documents.value(uri)


@pytest.mark.parametrize(
    ("ref", "problem"),
    [
        ("..\\secret.yaml", "a backslash or a control character"),
        ("..%5csecret.yaml", "a backslash or a control character"),
        ("a\x00.yaml", "a backslash or a control character"),
        ("a%00.yaml", "a backslash or a control character"),
        ("ht\ntp://x/y", "a backslash or a control character"),
        ("C:\\secret.yaml", "a backslash or a control character"),
        ("ftp://example.com/x.yaml", "nothing can be read from this kind"),
        ("data:application/json,{}", "nothing can be read from this kind"),
        ("javascript:alert(1)", "nothing can be read from this kind"),
        ("//example.com/x.yaml", "nothing can be read from this kind"),
        ("file://server/share/x.yaml", "nothing can be read from this kind"),
        ("schemas/lead.json?v=1", "has no query"),
        ("https://example.com/x.yaml", "leads to another host"),
        ("HTTP://example.com/x.yaml", "leads to another host"),
        ("http://[broken", "not a URI"),
        ("//[broken", "not a URI"),
        ("schemas", "not a regular file"),
        ("x" * 5000, "there is no file"),
        ("#/paths/a~2b", "a tilde in a JSON pointer"),
        ("#nobody", "no $anchor in openapi.yaml is named 'nobody'"),
    ],
)
def test_reference_that_cannot_be_followed_is_refused(documents: Documents, ref: str, problem: str) -> None:
    with pytest.raises(DescriptionError) as caught:
        documents.resolve(ref, documents.root)
    assert problem in caught.value.problem


def test_files_outside_can_be_allowed(folder: Path) -> None:
    documents = Documents.load(folder / "openapi.yaml", allow_outside=True)
    found = documents.resolve("../secret.yaml#/password", documents.root)
    assert found == Located("../secret.yaml", "/password", "hunter2")
    assert documents.resolve((folder.parent / "secret.yaml").as_uri(), documents.root).uri == "../secret.yaml"
    assert documents.place("../secret.yaml", "/password").line == 1


def test_a_description_that_is_a_link_is_read(tmp_path: Path, folder: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "api.yaml").symlink_to(folder / "openapi.yaml")
    documents = Documents.load(other / "api.yaml")
    assert documents.root == "api.yaml"
    assert documents.resolve("#/openapi", documents.root).value == "3.1.0"


def test_message_names_file_line_and_nearest_key(documents: Documents, folder: Path) -> None:
    (folder / "schemas" / "bad.yaml").write_text("type: object\nitems:\n  $ref: 'lead.json#/tipe'\n")
    documents.value("schemas/bad.yaml")
    with pytest.raises(UnresolvedReference) as caught:
        documents.resolve("lead.json#/tipe", "schemas/bad.yaml")
    assert str(caught.value) == (
        f"{folder / 'schemas' / 'bad.yaml'}:3 at /items/$ref: 'tipe' does not exist at schemas/lead.json#\n"
        "  got:     lead.json#/tipe\n"
        "  hint:    did you mean 'type'?"
    )


@pytest.mark.parametrize(
    ("ref", "hint"),
    [
        ("#/components/schemas/Leed", "did you mean 'Lead'?"),
        ("#/paths/nothing", "openapi.yaml#/paths has /leads, /self"),
        ("#/components/schemas/Lead/type", "/components/schemas/Lead is itself a reference"),
        ("schemas/lead.json#/a~1b/~0/7", "the list has 2 items, counted from 0"),
        ("schemas/leed.json", "did you mean 'lead.json'?"),
        ("components/schemas/Lead", "did you mean '#/components/schemas/Lead'?"),
        ("#nam", "did you mean 'named'?"),
        ("#Lead", "write a JSON pointer, such as #/Lead"),
        ("//example.com/x.yaml", "write https://example.com/x.yaml"),
    ],
)
def test_hint_says_what_to_write(documents: Documents, ref: str, hint: str) -> None:
    with pytest.raises(UnresolvedReference) as caught:
        documents.resolve(ref, documents.root)
    assert hint in str(caught.value.hint)


def test_broken_file_is_a_source_error_of_that_file(documents: Documents, folder: Path) -> None:
    (folder / "schemas" / "broken.json").write_text('{"a": ')
    with pytest.raises(SourceError) as caught:
        documents.resolve("schemas/broken.json", documents.root)
    assert caught.value.place == Place(str(folder / "schemas" / "broken.json"), line=1)


def test_limits_hold_for_every_file(folder: Path) -> None:
    (folder / "schemas" / "big.json").write_text(f'"{"x" * 2000}"')
    documents = Documents.load(folder / "openapi.yaml", limits=Limits(max_bytes=1500))
    with pytest.raises(SourceError, match="too large"):
        documents.resolve("schemas/big.json", documents.root)


def test_follow_goes_on_until_a_value_is_no_reference(documents: Documents) -> None:
    start = documents.resolve("#/paths/~1self", documents.root)
    found = documents.follow(start)
    assert (found.uri, found.pointer) == ("paths/leads.yaml", "")
    assert list(found.value) == ["get"]


def test_follow_stays_at_what_is_no_reference(documents: Documents) -> None:
    plain = Located(documents.root, "", {"$ref": {"type": "string"}})
    assert documents.follow(plain) is plain


def test_a_circle_is_refused_with_its_chain(documents: Documents) -> None:
    with pytest.raises(UnresolvedReference, match="references lead in a circle") as caught:
        documents.follow(documents.resolve("#/components/responses/A", documents.root))
    b, c = "openapi.yaml#/components/responses/B", "openapi.yaml#/components/responses/C"
    assert caught.value.got == f"{b} -> {c} -> {b}"


@pytest.mark.parametrize(
    "schema",
    [{"$anchor": "here"}, {"$dynamicAnchor": "here"}, {"$id": "#here"}],
    ids=lambda schema: next(iter(schema)),
)
def test_anchor_is_found_anywhere_in_its_document(schema: Json) -> None:
    documents = Documents.from_value({"components": {"schemas": {"A": {"allOf": [schema]}}}})
    assert documents.anchor(documents.root, "here") == Located(documents.root, "/components/schemas/A/allOf/0", schema)
    assert documents.anchor(documents.root, "elsewhere") is None


def test_place_names_file_pointer_and_line(documents: Documents, folder: Path) -> None:
    assert documents.place(documents.root, "/components/schemas/Lead") == Place(
        str(folder / "openapi.yaml"), "/components/schemas/Lead", 11
    )
    documents.value("schemas/lead.json")
    assert documents.place("schemas/lead.json", "/a~1b/~0/5").line == 3


def test_place_in_a_file_that_has_gone_has_no_line(documents: Documents, folder: Path) -> None:
    (folder / "openapi.yaml").unlink()
    assert documents.place(documents.root, "/info") == Place(str(folder / "openapi.yaml"), "/info")


def test_place_in_a_document_that_was_never_read_is_its_uri(documents: Documents) -> None:
    assert documents.place("unread.yaml", "/a") == Place("unread.yaml", "/a")


def test_missing_description_is_a_source_error_with_the_nearest_name(folder: Path) -> None:
    with pytest.raises(SourceError, match=r"no such file\n  hint:    did you mean 'openapi\.yaml'"):
        Documents.load(folder / "openapi.yml")


def test_base_is_an_absolute_uri(documents: Documents, folder: Path) -> None:
    assert documents.base_of("schemas/my%20lead%231.json") == (folder / "schemas" / "my lead#1.json").as_uri()
    assert documents.base_of("https://example.com/a.yaml") == "https://example.com/a.yaml"


class TestOverlays:
    """Overlays patch the description's own document and nothing else."""

    def test_overlays_patch_the_root_in_their_order(self, folder: Path) -> None:
        files = []
        for number in (1, 2):
            file = folder / f"{number}.overlay.yaml"
            file.write_text(
                "overlay: 1.0.0\ninfo: {title: T, version: '1'}\nactions:\n"
                f"  - target: $.info\n    update: {{x-order: [{number}]}}\n"
            )
            files.append(file)
        documents = Documents.load(folder / "openapi.yaml", overlays=files)
        assert documents.value(documents.root)["info"]["x-order"] == [1, 2]
        assert documents.files() == (folder / "openapi.yaml", *files)

    def test_place_of_what_an_overlay_added_is_the_line_around_it(self, folder: Path) -> None:
        file = folder / "a.overlay.yaml"
        file.write_text(
            "overlay: 1.0.0\ninfo: {title: T, version: '1'}\nactions:\n"
            "  - target: $.components.schemas.Named\n    update: {x-new: 1}\n"
        )
        documents = Documents.load(folder / "openapi.yaml", overlays=[file])
        assert documents.place(documents.root, "/components/schemas/Named/x-new").line == 13

    def test_an_overlay_that_matches_nothing_stops_the_load(self) -> None:
        overlay = {
            "overlay": "1.0.0",
            "info": {"title": "T", "version": "1"},
            "actions": [{"target": "$.nope", "remove": True}],
        }
        with pytest.raises(OverlayError, match="overlay 1 at /actions/0: the JSONPath selects nothing"):
            Documents.from_value({"openapi": "3.1.0"}, overlays=[overlay])


class TestInMemory:
    """Descriptions that come as values."""

    def test_status_codes_may_be_integers(self) -> None:
        documents = Documents.from_value({"responses": {200: {"description": "ok"}}})
        assert documents.resolve("#/responses/200/description", documents.root).value == "ok"

    def test_place_has_the_name_and_no_line(self) -> None:
        documents = Documents.from_value({"a": 1}, name="my api")
        assert documents.place(documents.root, "/a") == Place("my api", "/a")
        assert documents.files() == ()
        assert documents.base_of(documents.root) == documents.root

    def test_files_are_refused_without_a_folder(self) -> None:
        documents = Documents.from_value({})
        for ref in ("lead.json", "/etc/passwd", "file:///etc/passwd"):
            with pytest.raises(UnresolvedReference, match="has no folder, so it cannot refer to files"):
                documents.resolve(ref, documents.root)

    def test_files_are_found_from_the_folder(self, folder: Path) -> None:
        documents = Documents.from_value({"a": {"$ref": "schemas/lead.json"}}, folder=folder)
        assert documents.resolve("schemas/lead.json#/type", documents.root).value == "object"
        with pytest.raises(UnresolvedReference, match="leads out of the description's folder"):
            documents.resolve("../secret.yaml", documents.root)


def test_cache_gives_the_same_documents(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    fresh = Documents.load(folder / "openapi.yaml", cache=cache)
    again = Documents.load(folder / "openapi.yaml", cache=cache)
    assert again.value(again.root) == fresh.value(fresh.root)
    again.value("schemas/lead.json")
    assert len(list(cache.iterdir())) == 2


class _Remote(BaseHTTPRequestHandler):
    """A host with two documents, a redirect to a local file, and an answer that is too long."""

    PAGES: ClassVar = {
        "/api/a.yaml": b"x: {$ref: 'b.json#/y'}\nz: {$ref: 'file:///etc/passwd'}\n",
        "/api/b.json": b'{"y": 42}',
        "/long.yaml": b"x" * 5000,
    }

    def do_GET(self) -> None:
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "file:///etc/passwd")
            self.end_headers()
        elif self.path in self.PAGES:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.PAGES[self.path])
        else:
            self.send_response(404)
            self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test output clean."""


@pytest.fixture
def host() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Remote) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class TestRemote:
    """References to URLs, once they are allowed."""

    @pytest.fixture
    def documents(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Documents:
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        return Documents.load(folder / "openapi.yaml", allow_remote=True, limits=Limits(max_bytes=4000))

    def test_a_url_leads_to_its_document(self, documents: Documents, host: str) -> None:
        found = documents.resolve(f"{host}/api/a.yaml#/x", documents.root)
        assert found.uri == f"{host}/api/a.yaml"
        assert documents.place(found.uri, "/x") == Place(f"{host}/api/a.yaml", "/x")

    def test_relative_references_start_from_the_url(self, documents: Documents, host: str) -> None:
        found = documents.follow(documents.resolve(f"{host}/api/a.yaml#/x", documents.root))
        assert (found.uri, found.value) == (f"{host}/api/b.json", 42)

    def test_a_remote_document_cannot_refer_to_local_files(self, documents: Documents, host: str) -> None:
        with pytest.raises(UnresolvedReference, match="refers to what is not remote"):
            documents.follow(documents.resolve(f"{host}/api/a.yaml#/z", documents.root))

    def test_a_redirect_cannot_lead_to_a_local_file(self, documents: Documents, host: str) -> None:
        with pytest.raises(UnresolvedReference, match="cannot be fetched"):
            documents.resolve(f"{host}/redirect", documents.root)

    def test_a_missing_page_is_refused(self, documents: Documents, host: str) -> None:
        with pytest.raises(UnresolvedReference, match="cannot be fetched: HTTP Error 404"):
            documents.resolve(f"{host}/nope.yaml", documents.root)

    def test_a_long_answer_is_refused(self, documents: Documents, host: str) -> None:
        with pytest.raises(SourceError, match="too large"):
            documents.resolve(f"{host}/long.yaml", documents.root)
