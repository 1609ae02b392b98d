"""requests in front of a door: what code under test sees is what it would see over a socket."""

from __future__ import annotations

import gzip
import io
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from contracts.testing.clients import adapters
from contracts.testing.clients.adapters import DoorAdapter, RequestRefused, live_session, session
from mock_server import MockServer
from mock_server.errors import ConfigurationError
from mock_server.exchange.messages import RawRequest, RawResponse
from tests.plugin.doors import SHOP, Remembering, answering, double

BASE = "https://api.shop.example/v1"
WHATEVER = Retry(total=3, status_forcelist=[503], allowed_methods=None, backoff_factor=0)


# URLs


@pytest.mark.parametrize(
    "url", ["/products", "products", f"{BASE}/products", "HTTPS://API.shop.example:443/v1/products"]
)
def test_urls_relative_and_absolute_reach_the_same_operation(url: str) -> None:
    shop = double(str(SHOP))
    assert session(shop.door, BASE).get(url).json()["data"] == []
    assert [(each.path, each.url) for each in shop.requests()] == [("/products", BASE)]


@pytest.mark.parametrize(
    "url", ["https://api.shop.example/v2/products", "http://api.shop.example/v1", "https://other.example", f"{BASE}x"]
)
def test_a_url_that_is_not_below_the_base_is_refused(url: str) -> None:
    door = answering()
    with pytest.raises(
        requests.ConnectionError, match=r"this session reaches https://api\.shop\.example/v1 only"
    ) as caught:
        session(door, BASE).get(url)
    assert isinstance(caught.value, RequestRefused)
    assert isinstance(caught.value.request, requests.PreparedRequest)
    assert door.asked == []


def test_a_refusal_hides_credentials_of_the_url() -> None:
    with pytest.raises(RequestRefused) as caught:
        session(answering(), BASE).get("https://jane:hush@other.example/x?api_key=hush")
    assert "GET https://other.example/x was not sent" in str(caught.value)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("url", ["api.shop.example", "/v1", "ftp://api.shop.example", "https://", f"{BASE}?a=b"])
def test_a_base_url_that_is_none_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigurationError, match="not a URL that requests can be below"):
        session(answering(), url)


def test_the_base_url_itself_is_the_root() -> None:
    door = answering()
    client = session(door, BASE)
    for url in ("", "/", "?a=b", BASE, f"{BASE}?a=b"):
        client.get(url)
    assert [each.target for each in door.asked] == ["/", "/", "/?a=b", "/", "/?a=b"]


def test_a_path_may_have_a_url_in_it() -> None:
    door = answering()
    session(door, BASE).get("/proxy/https://other.example/a")
    assert door.asked[0].path == "/proxy/https://other.example/a"


def test_an_encoded_slash_stays_encoded() -> None:
    door = answering()
    session(door, BASE).get("/files/a%2Fb", params={"q": "1/2 & 3"})
    assert (door.asked[0].path, door.asked[0].query) == ("/files/a%2Fb", "q=1%2F2+%26+3")


def test_a_credential_goes_with_every_request() -> None:
    door = answering()
    client = session(door, BASE, headers={"X-Key": "k"}, query={"token": "t"})
    client.get("/a")
    client.post("/b", params={"c": "d"}, headers={"X-Other": "o"})
    assert [(each.headers["x-key"], each.query) for each in door.asked] == [("k", "token=t"), ("k", "token=t&c=d")]


def test_the_environment_does_not_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine api.shop.example login jane password hush\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    door = answering()
    assert session(door, BASE).get("/a").status_code == 200
    assert "authorization" not in door.asked[0].headers


# What is sent


def _parts() -> Iterator[bytes]:
    yield b"one\r\n"
    yield b""
    yield b"0\r\n\r\ntwo"


@pytest.mark.parametrize(
    ("data", "arrives"),
    [
        (b"\x00bytes", b"\x00bytes"),
        ("größer", "größer".encode()),
        (io.BytesIO(b"of a file"), b"of a file"),
        (_parts(), b"one\r\n0\r\n\r\ntwo"),
        ({"a": "b c"}, b"a=b+c"),
        (b"", b""),
        (None, b""),
    ],
)
def test_every_kind_of_body_arrives_whole(data: Any, arrives: bytes) -> None:
    door = answering()
    session(door, BASE).post("/a", data=data)
    assert door.asked[0].body == arrives
    assert door.asked[0].headers.get("content-length") == (str(len(arrives)) if arrives else None)
    assert "transfer-encoding" not in door.asked[0].headers


def test_a_file_is_sent_again_from_its_beginning_when_a_request_is_repeated() -> None:
    door = Remembering([RawResponse(503, (), b""), RawResponse(200, (), b"")])
    session(door, BASE, retries=WHATEVER).put("/a", data=io.BytesIO(b"content"))
    assert [each.body for each in door.asked] == [b"content", b"content"]


def test_the_host_is_that_of_the_url() -> None:
    for base, host in [
        (BASE, "api.shop.example"),
        ("http://api.shop.example", "api.shop.example"),
        ("https://api.shop.example:8443", "api.shop.example:8443"),
        ("http://[::1]:80", "[::1]"),
    ]:
        door = answering()
        session(door, base).get("/a")
        assert door.asked[0].headers["host"] == host


def test_what_urllib3_would_not_write_is_not_sent() -> None:
    door = answering()
    with pytest.raises(ValueError, match="Method cannot contain non-token characters"):
        session(door, BASE).request("GE T", "/a")
    assert door.asked == []


# What is answered


def test_headers_that_come_twice_stay_two() -> None:
    door = answering(headers=(("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2; Path=/"), ("Link", "<x>; rel=next")))
    client = session(door, BASE)
    answer = client.get("/a")
    assert answer.raw.headers.getlist("set-cookie") == ["a=1; Path=/", "b=2; Path=/"]
    assert answer.cookies.get_dict() == {"a": "1", "b": "2"}
    assert answer.links["next"]["url"] == "x"
    client.get("/a")
    assert door.asked[1].headers["cookie"] == "a=1; b=2"


@pytest.mark.parametrize(("method", "status", "length"), [("HEAD", 200, "2"), ("GET", 204, None), ("GET", 304, None)])
def test_answers_without_a_body_have_none(method: str, status: int, length: str | None) -> None:
    answer = session(answering(status=status), BASE).request(method, "/a")
    assert (answer.status_code, answer.content, answer.headers.get("content-length")) == (status, b"", length)


def test_reason_elapsed_and_url_are_as_usual() -> None:
    answer = session(answering(status=404), BASE).get("/a", params={"b": "c"})
    assert (answer.reason, answer.url, answer.ok) == ("Not Found", f"{BASE}/a?b=c", False)
    assert answer.elapsed.total_seconds() > 0
    assert answer.raw.version == 11


def test_compressed_content_is_unpacked() -> None:
    packed = gzip.compress(b'{"a": 1}')
    door = answering(headers=(("Content-Encoding", "gzip"), ("Content-Type", "application/json")), body=packed)
    assert session(door, BASE).get("/a").json() == {"a": 1}


def test_a_streamed_answer_comes_in_the_parts_that_are_asked_for() -> None:
    with session(answering(body=b"abcdefg"), BASE).get("/a", stream=True) as answer:
        assert list(answer.iter_content(3)) == [b"abc", b"def", b"g"]


def test_a_streamed_answer_may_be_left_unread() -> None:
    client = session(answering(body=b"x" * 100), BASE)
    with client.get("/a", stream=True) as answer:
        assert answer.raw.read(10) == b"x" * 10
    assert client.get("/a").content == b"x" * 100


def test_a_text_beyond_latin_1_in_a_header_does_not_break_the_answer() -> None:
    answer = session(answering(headers=(("X-Name", "Zoë Łuk"),)), BASE).get("/a")
    assert answer.headers["x-name"] == "Zoë ?uk"


def test_redirects_are_followed_below_the_base_and_refused_elsewhere() -> None:
    moved = RawResponse(303, (("Location", f"{BASE}/b"), ("Set-Cookie", "a=1; Path=/")), b"")
    door = Remembering([moved, RawResponse(200, (), b"there")])
    answer = session(door, BASE).post("/a", data=b"x")
    assert (answer.content, len(answer.history), door.asked[1].method) == (b"there", 1, "GET")
    assert door.asked[1].headers["cookie"] == "a=1"
    away = Remembering([RawResponse(302, (("Location", "https://other.example/"),), b"")])
    with pytest.raises(RequestRefused, match=r"GET https://other\.example/ was not sent"):
        session(away, BASE).get("/a")


# What goes wrong on purpose


def test_a_client_that_retries_gets_over_a_503() -> None:
    shop = double(str(SHOP))
    shop.fail("createProduct", status=503, times=2)
    made = session(shop.door, BASE, retries=WHATEVER).post("/products", json={"name": "Cup", "price": 4})
    assert made.status_code == 201
    assert len(shop.requests()) == 3


def test_a_client_that_gives_up_gets_the_error_of_requests() -> None:
    shop = double(str(SHOP))
    shop.fail("listProducts", status=503, times=9)
    with pytest.raises(requests.exceptions.RetryError):
        session(shop.door, BASE, retries=WHATEVER).get("/products")
    assert len(shop.requests()) == 4


def test_a_reset_is_a_connection_error() -> None:
    shop = double(str(SHOP))
    shop.fail("listProducts", reset=True)
    client = session(shop.door, BASE)
    with pytest.raises(requests.ConnectionError, match="Connection reset by peer") as caught:
        client.get("/products")
    assert not isinstance(caught.value, RequestRefused)
    assert client.get("/products").status_code == 200


def test_a_reset_is_retried_where_the_client_retries_reads() -> None:
    shop = double(str(SHOP))
    shop.fail("listProducts", reset=True, times=2)
    assert session(shop.door, BASE, retries=WHATEVER).get("/products").status_code == 200


def test_a_delay_beyond_the_timeout_is_a_read_timeout_after_the_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(adapters, "sleep", waited.append)
    client = session(answering(delay=5), BASE)
    with pytest.raises(requests.ReadTimeout, match=r"read timeout=0\.25"):
        client.get("/a", timeout=(3, 0.25))
    assert client.get("/a", timeout=6).content == b"ok"
    assert client.get("/a").content == b"ok"
    assert waited == [0.25, 5, 5]


def test_a_delay_really_waits() -> None:
    begun = time.perf_counter()
    answer = session(answering(delay=0.03), BASE).get("/a", timeout=5)
    assert time.perf_counter() - begun >= 0.03
    assert answer.elapsed.total_seconds() >= 0.03


# Reuse


def test_connections_go_back_to_the_pool_whatever_the_answer() -> None:
    client = session(answering(), BASE)
    for method in ["GET", "HEAD", "POST"] * 50:
        client.request(method, "/a")
    pool = _pool(client)
    assert (pool.num_connections, pool.num_requests) == (1, 150)


def test_an_answer_without_body_gives_its_connection_back() -> None:
    client = session(answering(status=204), BASE)
    for _ in range(5):
        client.delete("/a")
    assert _pool(client).num_connections == 1


def test_retries_and_raw_reads_give_the_connection_back() -> None:
    client = session(
        Remembering([RawResponse(503, (), b"busy")] * 3 + [RawResponse(200, (), b"ok")]), BASE, retries=WHATEVER
    )
    for _ in range(3):
        assert client.get("/a", stream=True).raw.read() == b"ok"
    assert _pool(client).num_connections == 1


def test_a_reused_connection_is_not_told_to_be_broken(caplog: pytest.LogCaptureFixture) -> None:
    client = session(answering(), BASE)
    with caplog.at_level("DEBUG", "urllib3"):
        client.get("/a")
        client.get("/a")
    assert "Starting new HTTP connection (1): api.shop.example:443" in caplog.text
    assert "dropped" not in caplog.text


def _pool(client: requests.Session) -> Any:
    adapter = client.get_adapter(BASE)
    assert isinstance(adapter, DoorAdapter)
    return adapter.get_connection_with_tls_context(requests.Request("GET", BASE).prepare(), verify=True)


def test_threads_share_a_session() -> None:
    shop = double(str(SHOP))
    client = session(shop.door, BASE)

    def create(number: int) -> int:
        answer = client.post("/products", json={"name": f"Cup {number}", "price": number})
        assert answer.json()["price"] == number
        return int(answer.json()["id"])

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(create, range(40)))) == 40


def test_a_session_goes_on_after_it_was_closed() -> None:
    client = session(answering(), BASE)
    client.close()
    assert client.get("/a").content == b"ok"


def test_the_adapter_can_be_mounted_beside_others() -> None:
    door = answering()
    client = requests.Session()
    client.mount(BASE, DoorAdapter(door, BASE, retries=WHATEVER))
    assert client.get(f"{BASE}/a").content == b"ok"
    assert type(client.get_adapter("https://other.example")) is HTTPAdapter


# As over a socket

_HEADER = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=12).map("X-{}".format)
_VALUE = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=12).map(str.strip)
_URL = st.text(st.one_of(st.sampled_from("/%2Ff.~;:@!$&'()*+,=ä€ "), st.characters(codec="utf-8")), max_size=20)


@pytest.fixture(scope="module")
def live() -> Iterator[MockServer]:
    with MockServer(SHOP) as server:
        yield server


@settings(max_examples=150)
@given(
    method=st.one_of(
        st.sampled_from(["GET", "PUT", "POST", "PATCH", "DELETE"]), st.text("AZ-!", min_size=1, max_size=9)
    ),
    path=_URL,
    query=_URL,
    headers=st.dictionaries(_HEADER, _VALUE, max_size=3),
    body=st.one_of(
        st.none(), st.binary(max_size=40), st.text(max_size=20), st.lists(st.binary(max_size=9), max_size=4)
    ),
)
def test_whatever_can_be_sent_arrives_as_over_a_socket(
    live: MockServer, method: str, path: str, query: str, headers: dict[str, str], body: Any
) -> None:
    def send(client: requests.Session, base: str) -> requests.Response | str:
        data = iter(body) if isinstance(body, list) else body
        try:
            return client.request(method, f"{base}/x{path}?{query}", headers=headers, data=data)
        except (requests.RequestException, ValueError) as error:
            return type(error).__name__

    journal = live.sandbox.universes.default.journal
    journal.clear()
    over_a_socket = send(live_session(live.url), live.url)
    arrived = [entry.request for entry in journal]
    shop = double(str(SHOP))
    in_process = send(session(shop.door, BASE), BASE)
    assert [_facts(each) for each in shop.requests()] == [_facts(each) for each in arrived]
    if isinstance(over_a_socket, str) or isinstance(in_process, str):
        assert in_process == over_a_socket
    else:
        assert _seen(in_process) == _seen(over_a_socket)


def _facts(request: RawRequest) -> tuple[Any, ...]:
    headers = {name: value for name, value in request.headers.items() if name != "host"}
    return request.method, request.path, request.query, headers, request.body


def _seen(answer: requests.Response) -> tuple[Any, ...]:
    ours = {"content-type", "content-length", "allow"}
    headers = {name.lower(): value for name, value in answer.headers.items() if name.lower() in ours}
    return answer.status_code, answer.reason, headers, answer.content


def test_the_answers_of_a_real_double_are_those_of_its_server(live: MockServer) -> None:
    live.sandbox.universes.default.reset()
    over_a_socket = live_session(live.url)
    in_process = session(double(str(SHOP)).door, "https://api.shop.example")
    for method, url, body in [
        ("POST", "v1/products", {"name": "Cup", "price": 4}),
        ("POST", "/v1/products", {"name": ""}),
        ("GET", "v1/products/1", None),
        ("HEAD", "v1/products/1", None),
        ("DELETE", "v1/products/1", None),
        ("GET", "v1/products/1", None),
        ("OPTIONS", "v1/products", None),
        ("PUT", "v1/products", None),
    ]:
        there = over_a_socket.request(method, url, json=body)
        here = in_process.request(method, url, json=body)
        assert (here.status_code, here.reason) == (there.status_code, there.reason)
        assert set(_names(here)) == set(_names(there)), (method, url)
        assert len(here.content) == len(there.content)


def _names(answer: requests.Response) -> Iterator[str]:
    return (name.lower() for name in answer.headers if name.lower() not in {"date", "server"})


def test_a_live_session_resolves_relative_urls(live: MockServer) -> None:
    client = live_session(live.url + "/", headers={"X-Key": "k"})
    made = client.post("products", json={"name": "Cup", "price": 4})
    assert client.get(made.headers["Location"]).json() == made.json()
    newest = list(live.sandbox.universes.default.journal)[-1]
    assert (newest.request.path, newest.request.headers["x-key"]) == (f"/products/{made.json()['id']}", "k")
