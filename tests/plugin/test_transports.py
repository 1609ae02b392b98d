"""httpx in front of a door: what code under test sees is what it would see over a socket."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.testing.clients import transports
from contracts.testing.clients.transports import (
    AsyncDoorTransport,
    DoorTransport,
    RequestRefused,
    async_client,
    client,
    live_async_client,
    live_client,
)
from mock_server import MockServer
from mock_server.exchange.messages import RawRequest, RawResponse
from tests.plugin.doors import SHOP, Remembering, answering, double

BASE = "https://api.shop.example/v1"


# URLs


@pytest.mark.parametrize(
    "url", ["/products", "products", f"{BASE}/products", "HTTPS://API.shop.example:443/v1/products"]
)
def test_urls_relative_and_absolute_reach_the_same_operation(url: str) -> None:
    shop = double(str(SHOP))
    assert client(shop.door, BASE).get(url).json()["data"] == []
    assert [(each.path, each.url) for each in shop.requests()] == [("/products", BASE)]


@pytest.mark.parametrize("url", ["https://api.shop.example/v2/products", "http://api.shop.example/v1", f"{BASE}x"])
def test_a_url_that_is_not_below_the_base_is_refused(url: str) -> None:
    door = answering()
    with pytest.raises(httpx.ConnectError, match=r"this client reaches https://api\.shop\.example/v1 only") as caught:
        client(door, BASE).get(url)
    assert isinstance(caught.value, RequestRefused)
    assert str(caught.value.request.url) == url
    assert door.asked == []


def test_an_asynchronous_client_refuses_the_same() -> None:
    async def ask() -> None:
        async with async_client(answering(), BASE) as shop:
            await shop.get("https://jane:hush@other.example/?key=hush")

    with pytest.raises(RequestRefused, match=r"GET https://other\.example/ was not sent") as caught:
        asyncio.run(ask())
    assert "hush" not in str(caught.value)


def test_the_base_url_itself_is_the_root() -> None:
    door = answering()
    shop = client(door, BASE)
    for url in ("", "/", BASE, f"{BASE}?a=b"):
        shop.get(url)
    assert [each.target for each in door.asked] == ["/", "/", "/", "/?a=b"]


def test_an_encoded_slash_stays_encoded() -> None:
    door = answering()
    client(door, BASE).get("/files/a%2Fb", params={"q": "1/2"})
    assert (door.asked[0].path, door.asked[0].query) == ("/files/a%2Fb", "q=1%2F2")


def test_a_credential_goes_with_every_request() -> None:
    door = answering()
    shop = client(door, BASE, headers={"X-Key": "k"}, query={"token": "t"})
    shop.get("/a")
    shop.post("/b", params={"c": "d"})
    shop.get("/c?e=f")
    shop.get("/d", params={"token": "u"})
    assert {each.headers["x-key"] for each in door.asked} == {"k"}
    assert [each.query for each in door.asked] == ["token=t", "c=d&token=t", "e=f&token=t", "token=u"]


# What is sent


@pytest.mark.parametrize(
    ("body", "arrives"),
    [
        ({"content": b"\x00bytes"}, b"\x00bytes"),
        ({"content": "größer"}, "größer".encode()),
        ({"content": iter([b"one", b"", b"two"])}, b"onetwo"),
        ({"data": {"a": "b c"}}, b"a=b+c"),
        ({}, b""),
    ],
)
def test_every_kind_of_body_arrives_whole(body: dict[str, Any], arrives: bytes) -> None:
    door = answering()
    client(door, BASE).post("/a", **body)
    assert door.asked[0].body == arrives
    assert door.asked[0].headers.get("content-length") == (str(len(arrives)) if arrives else None)
    assert "transfer-encoding" not in door.asked[0].headers


def test_an_asynchronous_body_arrives_whole() -> None:
    door = answering()

    async def parts() -> AsyncIterator[bytes]:
        yield b"one"
        yield b"two"

    async def ask() -> None:
        async with async_client(door, BASE) as shop:
            await shop.post("/a", content=parts())

    asyncio.run(ask())
    assert door.asked[0].body == b"onetwo"


def test_repeated_headers_are_joined() -> None:
    door = answering()
    client(door, BASE).get("/a", headers=[("X-Tag", "a"), ("X-Tag", "b"), ("Cookie", "a=1"), ("Cookie", "b=2")])
    assert (door.asked[0].headers["x-tag"], door.asked[0].headers["cookie"]) == ("a, b", "a=1; b=2")


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"method": "GE T"}, "a method is a token"),
        ({"headers": {"X-A": "b\nc"}}, "a value that cannot be sent"),
        ({"headers": {"X-A": "b "}}, "a value that cannot be sent"),
        ({"headers": {"X A": "b"}}, "a header's name is a token"),
        ({"content": b"abc", "headers": {"Content-Length": "2"}}, "Content-Length says 2, but the body has 3 bytes"),
    ],
)
def test_what_httpx_would_not_write_is_not_sent(sent: dict[str, Any], said: str) -> None:
    door = answering()
    with pytest.raises(httpx.LocalProtocolError, match=said):
        client(door, BASE).request(**{"method": "POST", "url": "/a", **sent})
    assert door.asked == []


# What is answered


def test_headers_that_come_twice_stay_two() -> None:
    door = answering(headers=(("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2; Path=/")))
    shop = client(door, BASE)
    answer = shop.get("/a")
    assert answer.headers.get_list("set-cookie") == ["a=1; Path=/", "b=2; Path=/"]
    shop.get("/a")
    assert door.asked[1].headers["cookie"] == "a=1; b=2"


@pytest.mark.parametrize(("method", "status", "length"), [("HEAD", 200, "2"), ("GET", 204, None), ("GET", 304, None)])
def test_answers_without_a_body_have_none(method: str, status: int, length: str | None) -> None:
    answer = client(answering(status=status), BASE).request(method, "/a")
    assert (answer.status_code, answer.content, answer.headers.get("content-length")) == (status, b"", length)


def test_reason_elapsed_and_url_are_as_usual() -> None:
    answer = client(answering(status=404), BASE).get("/a", params={"b": "c"})
    assert (answer.reason_phrase, str(answer.url), answer.http_version) == ("Not Found", f"{BASE}/a?b=c", "HTTP/1.1")
    assert answer.elapsed.total_seconds() > 0


def test_compressed_content_is_unpacked() -> None:
    door = answering(headers=(("Content-Encoding", "gzip"),), body=gzip.compress(b'{"a": 1}'))
    assert client(door, BASE).get("/a").json() == {"a": 1}


def test_a_streamed_answer_comes_in_the_parts_that_are_asked_for() -> None:
    with client(answering(body=b"abcdefg"), BASE).stream("GET", "/a") as answer:
        assert list(answer.iter_bytes(3)) == [b"abc", b"def", b"g"]


def test_a_streamed_answer_comes_asynchronously_too() -> None:
    async def ask() -> list[bytes]:
        async with async_client(answering(body=b"abcdefg"), BASE) as shop, shop.stream("GET", "/a") as answer:
            return [part async for part in answer.aiter_bytes(3)]

    assert asyncio.run(ask()) == [b"abc", b"def", b"g"]


def test_redirects_are_followed_below_the_base_and_refused_elsewhere() -> None:
    door = Remembering([RawResponse(303, (("Location", f"{BASE}/b"),), b""), RawResponse(200, (), b"there")])
    assert client(door, BASE).post("/a", follow_redirects=True).content == b"there"
    away = Remembering([RawResponse(302, (("Location", "https://other.example/"),), b"")])
    with pytest.raises(RequestRefused, match=r"GET https://other\.example/ was not sent"):
        client(away, BASE).get("/a", follow_redirects=True)


# What goes wrong on purpose


def test_a_reset_is_a_read_error() -> None:
    shop = double(str(SHOP))
    shop.fail("listProducts", reset=True)
    there = client(shop.door, BASE)
    with pytest.raises(httpx.ReadError, match="Connection reset by peer"):
        there.get("/products")
    assert there.get("/products").status_code == 200


def test_a_delay_beyond_the_timeout_is_a_read_timeout_after_the_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(transports, "sleep", waited.append)
    shop = client(answering(delay=7), BASE)
    with pytest.raises(httpx.ReadTimeout):
        shop.get("/a", timeout=httpx.Timeout(60, read=0.25))
    with pytest.raises(httpx.ReadTimeout):
        shop.get("/a")  # five seconds are httpx' own
    assert shop.get("/a", timeout=8).content == b"ok"
    assert shop.get("/a", timeout=None).content == b"ok"
    assert waited == [0.25, 5, 7, 7]


@pytest.mark.parametrize("delay", [0.02, 30])
def test_an_asynchronous_delay_lets_other_tasks_go_on(delay: float) -> None:
    quick, slow = answering(), answering(delay=delay)
    ended: list[str] = []

    async def ask(name: str, shop: httpx.AsyncClient) -> None:
        try:
            await shop.get("/a", timeout=0.1)
        except httpx.ReadTimeout:
            name += " too late"
        ended.append(name)

    async def both() -> None:
        async with async_client(slow, BASE) as late, async_client(quick, BASE) as soon:
            await asyncio.gather(ask("slow", late), ask("quick", soon))

    begun = time.perf_counter()
    asyncio.run(both())
    assert ended == ["quick", "slow" if delay < 0.1 else "slow too late"]
    assert min(delay, 0.1) <= time.perf_counter() - begun < 10


def test_twenty_tasks_share_a_client() -> None:
    shop = double(str(SHOP))

    async def create(there: httpx.AsyncClient, number: int) -> tuple[int, int]:
        made = (await there.post("/products", json={"name": f"Cup {number}", "price": number})).json()
        read = (await there.get(f"/products/{made['id']}")).json()
        return read["id"], read["price"]

    async def all_of_them() -> list[tuple[int, int]]:
        async with async_client(shop.door, BASE) as there:
            return await asyncio.gather(*(create(there, number) for number in range(20)))

    made = asyncio.run(all_of_them())
    assert [price for _, price in made] == list(range(20))
    assert len({key for key, _ in made}) == 20


def test_the_transports_can_be_mounted_beside_others() -> None:
    door = answering()
    other = httpx.MockTransport(lambda request: httpx.Response(418))
    with httpx.Client(mounts={"https://api.shop.example": DoorTransport(door, BASE)}, transport=other) as both:
        assert (both.get(f"{BASE}/a").status_code, both.get("https://other.example").status_code) == (200, 418)

    async def ask() -> int:
        async with httpx.AsyncClient(transport=AsyncDoorTransport(door, BASE)) as there:
            return (await there.get(f"{BASE}/a")).status_code

    assert asyncio.run(ask()) == 200


# As over a socket

_HEADER = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=12).map("X-{}".format)
_VALUE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)
_BODY = st.one_of(st.none(), st.binary(max_size=40), st.text(max_size=20), st.lists(st.binary(max_size=9), max_size=4))
_URL = st.text(st.one_of(st.sampled_from("/%2Ff.~;:@!$&'()*+,=ä€ "), st.characters(codec="utf-8")), max_size=20)


@pytest.fixture(scope="module")
def live() -> Iterator[MockServer]:
    with MockServer(SHOP) as server:
        yield server


@pytest.fixture(scope="module")
def over_a_socket(live: MockServer) -> Iterator[httpx.Client]:
    with live_client(live.url) as there:
        yield there


@settings(max_examples=150)
@given(
    method=st.one_of(
        st.sampled_from(["GET", "PUT", "POST", "PATCH", "DELETE"]), st.text("AZ-! ", min_size=1, max_size=9)
    ),
    path=_URL,
    query=_URL,
    headers=st.lists(st.tuples(_HEADER, _VALUE), max_size=3),
    body=st.one_of(
        st.none(), st.binary(max_size=40), st.text(max_size=20), st.lists(st.binary(max_size=9), max_size=4)
    ),
)
def test_whatever_can_be_sent_arrives_as_over_a_socket(
    live: MockServer,
    over_a_socket: httpx.Client,
    method: str,
    path: str,
    query: str,
    headers: list[tuple[str, str]],
    body: Any,
) -> None:
    def send(there: httpx.Client, base: str) -> httpx.Response | str:
        content = iter(body) if isinstance(body, list) else body
        try:
            return there.request(method, f"{base}/x{path}?{query}", headers=headers, content=content)
        except (httpx.RequestError, httpx.InvalidURL) as error:
            return type(error).__name__

    journal = live.sandbox.universes.default.journal
    journal.clear()
    there = send(over_a_socket, live.url)
    arrived = [entry.request for entry in journal]
    shop = double(str(SHOP))
    here = send(client(shop.door, BASE), BASE)
    assert [_facts(each) for each in shop.requests()] == [_facts(each) for each in arrived]
    if isinstance(here, str) or isinstance(there, str):
        assert here == there
    else:
        assert _seen(here) == _seen(there)


def _facts(request: RawRequest) -> tuple[Any, ...]:
    headers = {name: value for name, value in request.headers.items() if name != "host"}
    return request.method, request.path, request.query, headers, request.body


def _seen(answer: httpx.Response) -> tuple[Any, ...]:
    ours = ("content-type", "content-length", "allow")
    headers = {name: answer.headers[name] for name in ours if name in answer.headers}
    return answer.status_code, answer.reason_phrase, headers, answer.content


def test_live_clients_resolve_relative_urls(live: MockServer) -> None:
    with live_client(live.url + "/", headers={"X-Key": "k"}, query={"token": "t"}) as shop:
        made = shop.post("products", json={"name": "Cup", "price": 4})
        assert made.headers["Location"] == f"{live.url}/products/{made.json()['id']}"

    async def read() -> Any:
        async with live_async_client(live.url) as later:
            return (await later.get(made.headers["Location"])).json()

    assert asyncio.run(read()) == made.json()
    first = list(live.sandbox.universes.default.journal)[-2]
    assert (first.request.query, first.request.headers["x-key"]) == ("token=t", "k")
