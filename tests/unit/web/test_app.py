"""The application: what it takes, where it mounts APIs, how it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from mock_server import ApiSource, ConfigurationError, compile_api, create_app
from mock_server.web.app import sandbox_of
from tests.unit.web.controlled import PET, described, double, items, pets


def test_single_api_is_at_the_root() -> None:
    assert double().call("GET", "/pets").json == []


def test_single_api_is_also_below_the_path_of_its_server() -> None:
    document = described(items("pets", "petId", PET, kind="integer"), servers=[{"url": "https://pets.test/v1"}])
    served = double(compile_api(document, name="pets"))
    created = served.call("POST", "/v1/pets", json={"name": "Rex"})
    assert created.headers["Location"] == f"http://localhost/v1/pets/{created.json['id']}"
    assert served.call("GET", "/v1/pets").json == served.call("GET", "/pets").json == [created.json]


def test_several_apis_are_below_their_names_and_the_index_lists_them() -> None:
    both = double(pets("north"), pets("south"))
    both.call("POST", "/north/pets", json={"name": "Rex"})
    assert [pet["name"] for pet in both.call("GET", "/north/pets").json] == ["Rex"]
    assert both.call("GET", "/south/pets").json == []
    assert both.call("GET", "/").json == {
        "apis": {"north": "http://localhost/north", "south": "http://localhost/south"},
        "control": "http://localhost/__mock__/openapi.json",
    }


def test_listed_base_urls_are_where_the_apis_answer() -> None:
    both = double(pets("north"), pets("south"))
    shown = both.control("GET", "/apis").json["apis"]
    assert [(api["name"], api["title"], api["version"], api["operations"]) for api in shown] == [
        ("north", "Pets", "1", 4),
        ("south", "Pets", "1", 4),
    ]
    assert [both.call("GET", api["base_url"] + "/pets").status_code for api in shown] == [200, 200]


def test_path_of_no_api_names_the_nearest_one() -> None:
    response = double(pets("north"), pets("south")).call("GET", "/nroth/pets")
    assert (response.status_code, response.content_type) == (404, "application/problem+json")
    assert response.json["detail"] == (
        "nothing is served at /nroth/pets; the APIs are /north, /south; did you mean 'north'?"
    )


def test_control_api_wants_its_token_when_there_is_one() -> None:
    guarded = double(token="s3cret")
    assert guarded.control("GET", "/clock").status_code == 200
    for sent in ("", "Bearer wrong", "Basic s3cret", "s3cret"):
        refused = guarded.control("GET", "/clock", headers={"Authorization": sent})
        assert refused.status_code == 401
        assert refused.headers["WWW-Authenticate"] == 'Bearer realm="apidouble control"'
        assert "s3cret" not in refused.text
    assert guarded.call("GET", "/pets").status_code == 200


def test_body_over_the_limit_is_a_413() -> None:
    small = double(max_body=100)
    long = b'{"name": "' + b"x" * 200 + b'"}'
    refused = small.call("POST", "/pets", data=long, content_type="application/json")
    assert refused.status_code == 413
    assert small.control("POST", "/seed", data=long).status_code == 413
    assert small.names() == []


def test_failure_that_nobody_foresaw_is_a_problem_without_details(monkeypatch: pytest.MonkeyPatch) -> None:
    served = double()

    def fail(_: str) -> None:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr(sandbox_of(served.app).universes, "get", fail)
    response = served.call("GET", "/__mock__/clock")
    assert (response.status_code, response.content_type) == (500, "application/problem+json")
    assert "secret" not in response.text


def test_names_that_stand_for_nothing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such description file"):
        create_app(tmp_path / "pets.yaml")


def test_overlays_go_with_one_description() -> None:
    with pytest.raises(ConfigurationError, match="go with one description"):
        create_app("a.yaml", "b.yaml", overlays=[Path("o.yaml")])


def test_overlays_do_not_go_with_what_is_read_already() -> None:
    for source in (pets(), ApiSource("pets", Path("pets.yaml"))):
        with pytest.raises(ConfigurationError, match="a pack's name or a path"):
            create_app(source, overlays=[Path("o.yaml")])


def test_two_apis_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="by one name"):
        create_app(pets(), pets())
