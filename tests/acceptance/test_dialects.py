"""One small description per dialect, each as its version is written, with no overlay, over HTTP.

The rules come from the versions themselves: Swagger 2.0 (basePath, body and form parameters, consumes),
OpenAPI 3.0 (nullable, boolean exclusiveMinimum), 3.1 (type arrays, references between files), 3.2 (QUERY and
additionalOperations).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from mock_server import MockServer
from mock_server.openapi.values import Json

_DESCRIPTIONS = Path(__file__).parent / "descriptions"


@dataclass(frozen=True, slots=True)
class Dialect:
    """A description and how to use it: a new item, a change to it, and bodies with the field each has wrong."""

    description: str
    base: str
    collection: str
    item: Json
    change: Json
    wrong: dict[str, Json]
    envelope: str | None = None
    patch_type: str = "application/json"

    def listed(self, body: Json) -> Json:
        """The items in the body of a list."""
        return body if self.envelope is None else body[self.envelope]


DIALECTS = {
    "Swagger 2.0": Dialect(
        "swagger-2.0/library.yaml",
        "/v1",
        "/books",
        item={"title": "Emma", "year": 1815},
        change={"year": 1816},
        wrong={"title": {"title": ""}, "year": {"title": "Emma", "year": 0}},
    ),
    "OpenAPI 3.0": Dialect(
        "openapi-3.0/contacts.yaml",
        "/live",
        "/contacts",
        item={"name": "Ann", "email": None},
        change={"score": 0.5},
        wrong={"name": {"name": None, "email": None}, "score": {"name": "Ann", "email": None, "score": 0}},
        envelope="data",
        patch_type="application/merge-patch+json",
    ),
    "OpenAPI 3.1": Dialect(
        "openapi-3.1/tasks.yaml",
        "/api",
        "/tasks",
        item={"title": "Feed Rex", "due": None, "labels": ["task", "home"]},
        change={"due": "2030-01-01"},
        wrong={
            "due": {"title": "Feed Rex", "due": "soon"},
            "priority": {"title": "Feed Rex", "priority": 0},
            "labels": {"title": "Feed Rex", "labels": ["chore"]},
        },
    ),
    "OpenAPI 3.2": Dialect(
        "openapi-3.2/notes.json",
        "/v3",
        "/notes",
        item={"text": "Feed Rex", "mood": None},
        change={"text": "Feed Tom"},
        wrong={"text": {"text": 5}, "mood": {"text": "Feed Rex", "mood": "odd"}},
    ),
}


@dataclass(frozen=True, slots=True)
class Live:
    """A dialect's description, served."""

    dialect: Dialect
    url: str

    def call(
        self, method: str, path: str, body: Json = None, *, media_type: str = "application/json"
    ) -> requests.Response:
        """An answer to a request below the base path of the description."""
        headers = {"Content-Type": media_type} if body is not None else {}
        return requests.request(method, self.url + self.dialect.base + path, json=body, headers=headers, timeout=10)

    def create(self) -> tuple[str, Json]:
        """The path of a new item, and the item."""
        answer = self.call("POST", self.dialect.collection, self.dialect.item)
        assert answer.status_code == 201, answer.text
        item = answer.json()
        path = f"{self.dialect.collection}/{item['id']}"
        assert answer.headers["Location"] == self.url + self.dialect.base + path
        return path, item

    def items(self) -> Json:
        """All items, as the list shows them."""
        return self.dialect.listed(self.call("GET", self.dialect.collection).json())


@pytest.fixture(scope="module", params=list(DIALECTS))
def served(request: pytest.FixtureRequest) -> Iterator[Live]:
    with _live(request.param) as live:
        yield live


@pytest.fixture
def live(served: Live) -> Live:
    requests.post(f"{served.url}/__mock__/reset", timeout=10)
    return served


def test_created_item_is_what_was_sent_with_an_id(live: Live) -> None:
    _, item = live.create()
    assert {**item, **live.dialect.item} == item
    assert "id" in item


def test_created_items_are_listed_and_read(live: Live) -> None:
    (first, one), (second, two) = live.create(), live.create()
    assert first != second
    assert live.items() == [one, two]
    assert live.call("GET", second).json() == two


def test_patched_item_keeps_what_was_not_patched(live: Live) -> None:
    path, item = live.create()
    answer = live.call("PATCH", path, live.dialect.change, media_type=live.dialect.patch_type)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {**item, **live.dialect.change}
    assert live.call("GET", path).json() == answer.json()


def test_deleted_item_reads_as_404(live: Live) -> None:
    path, _ = live.create()
    other, _ = live.create()
    assert live.call("DELETE", path).status_code == 204
    assert live.call("GET", path).status_code == 404
    assert live.call("DELETE", path).status_code == 404
    assert live.call("GET", other).status_code == 200


def test_invalid_item_is_refused_by_the_name_of_its_field(live: Live) -> None:
    for name, body in live.dialect.wrong.items():
        answer = live.call("POST", live.dialect.collection, body)
        assert answer.status_code in {400, 422}, (name, answer.text)
        assert name in answer.text
    assert live.items() == []


def test_missing_field_is_named(live: Live) -> None:
    required = next(iter(live.dialect.item))
    answer = live.call("POST", live.dialect.collection, {})
    assert answer.status_code in {400, 422}
    assert required in answer.text


# What only one version has


@contextmanager
def _live(name: str) -> Iterator[Live]:
    dialect = DIALECTS[name]
    with MockServer(_DESCRIPTIONS / dialect.description) as server:
        yield Live(dialect, server.url)


def test_swagger_form_parameters_are_a_form() -> None:
    with _live("Swagger 2.0") as live:
        path, _ = live.create()
        cover = f"{live.url}/v1{path}/cover"
        assert requests.post(cover, data={"colour": "red"}, timeout=10).status_code == 204
        refused = requests.post(cover, data={"colour": "green"}, timeout=10)
        assert refused.status_code in {400, 422}
        assert "colour" in refused.text


def test_swagger_consumes_is_what_is_taken() -> None:
    with _live("Swagger 2.0") as live:
        refused = live.call("POST", "/books", {"title": "Emma"}, media_type="text/plain")
        assert refused.status_code == 415


def test_swagger_query_parameters_follow_their_collection_format_and_bounds() -> None:
    with _live("Swagger 2.0") as live:
        assert live.call("GET", "/books?tags=old,english&limit=1").status_code == 200
        refused = live.call("GET", "/books?limit=0")
        assert (refused.status_code, "limit" in refused.text) == (400, True)


def test_query_is_a_method_with_a_body_in_openapi_3_2() -> None:
    with _live("OpenAPI 3.2") as live:
        live.create()
        found = live.call("QUERY", "/notes", {"text": "Rex"})
        assert found.status_code == 200
        assert isinstance(found.json(), list)
        refused = live.call("QUERY", "/notes", {"txt": "Rex"})
        assert refused.status_code in {400, 422}
        assert "text" in refused.text


def test_additional_operations_are_operations_in_openapi_3_2() -> None:
    with _live("OpenAPI 3.2") as live:
        path, _ = live.create()
        assert live.call("PIN", path).status_code == 204
        refused = live.call("UNPIN", path)
        assert refused.status_code == 405
        assert {"GET", "PATCH", "DELETE", "PIN"} <= set(refused.headers["Allow"].split(", "))
