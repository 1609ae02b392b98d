"""A double in one line: in this process, over a socket, of a pack, of a description of one's own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx
import pytest
import requests
from werkzeug.test import Client

if TYPE_CHECKING:
    from contracts.testing import MockApi, MockApis


def test_a_pack_by_its_name(mock_api: MockApis) -> None:
    api = mock_api("kirimdev")
    made = api.session("platform").post("/customers", json={"name": "Toko Baru"})
    assert made.status_code == 200
    assert api.requests.last.operation_id == "createCustomer"


def test_a_description_by_its_path(mock_api: MockApis) -> None:
    api = mock_api("../openapi.yaml")
    made = api.session().post("/campaigns", json={"title": "Spring"}).json()
    assert api.session().get(f"/campaigns/{made['id']}").json() == made


def test_the_one_of_the_ini_file(mock_api: MockApis) -> None:
    assert mock_api().name == "kirimdev"


@pytest.mark.mock_api("../openapi.yaml", seed_number=7)
def test_the_one_that_a_marker_names(mock_api: MockApis) -> None:
    assert mock_api().session().get("/campaigns").json() == []


@pytest.mark.mock_api("../openapi.yaml", seed="../seed.yaml")
def test_with_a_seed_of_ones_own(mock_api: MockApis) -> None:
    assert [each["title"] for each in mock_api().session().get("/campaigns").json()] == ["Spring", "Summer"]


def test_over_a_socket(mock_api: MockApis) -> None:
    api = mock_api("../openapi.yaml")
    assert requests.get(api.url + "/campaigns", timeout=5).json() == []
    assert api.session(live=True).get("/campaigns").json() == []
    assert len(api.requests) == 2


def test_as_a_wsgi_application(mock_api: MockApis) -> None:
    assert Client(mock_api("../openapi.yaml").wsgi).get("/campaigns").status_code == 200


def test_with_httpx(mock_api: MockApis) -> None:
    with mock_api().client("platform") as client:
        assert client.get("/customers", params={"limit": 2}).json()["has_more"] is True


def test_with_an_asynchronous_client(mock_api: MockApis) -> None:
    api = mock_api("../openapi.yaml")

    async def create(client: httpx.AsyncClient, number: int) -> int:
        return (await client.post("/campaigns", json={"title": f"Number {number}"})).status_code

    async def create_many() -> list[int]:
        async with api.async_client() as near, api.async_client(live=True) as far:
            return await asyncio.gather(*(create(near if number % 2 else far, number) for number in range(20)))

    assert asyncio.run(create_many()) == [201] * 20
    assert len(api.state["campaigns"]) == 20


@pytest.mark.parametrize("number", range(3))
def test_each_test_has_a_world_of_its_own(mock_api: MockApis, number: int) -> None:
    session = mock_api("../openapi.yaml").session()
    assert session.get("/campaigns").json() == []
    session.post("/campaigns", json={"title": f"Number {number}"})


@pytest.fixture
def api(mock_api: MockApis) -> MockApi:
    """A fixture of one's own on top of it; tests that ask again get the same double."""
    return mock_api("kirimdev")


def test_fixtures_may_build_on_it(api: MockApi, mock_api: Callable[[str], MockApi]) -> None:
    assert mock_api("kirimdev") is api


def test_apis_that_share_their_state(mock_api: MockApis) -> None:
    crm, analytics = mock_api.together("cloudvelous-crm", "cloudvelous-analytics")
    assert crm.universe is analytics.universe
