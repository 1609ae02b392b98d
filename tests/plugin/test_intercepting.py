"""Interception: code that uses requests or httpx with a real URL reaches the double, and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3.util.retry import Retry

from contracts.testing.clients import adapters, transports
from contracts.testing.clients.intercepting import Refusal, intercepting
from mock_server import MockServer
from mock_server.errors import ApidoubleError, ConfigurationError
from mock_server.exchange.messages import RawResponse
from tests.plugin.doors import SHOP, Remembering, answering, double

BASE = "https://api.shop.example/v1"
KIRIMDEV = "https://api.kirimdev.com"
KEY = {"Authorization": "Bearer kdev_live_warungtech_4f1c9a"}
PATIENT = Retry(total=3, status_forcelist=[503], allowed_methods=None, backoff_factor=0)

Ask = Callable[[str], Any]
"""Sends a GET the way that some code under test does; its answer has ``status_code``."""


def _by_session(url: str) -> Any:
    with requests.Session() as session:
        return session.get(url)


def _by_client(url: str) -> Any:
    with httpx.Client(verify=False) as client:
        return client.get(url)


def _by_async_client(url: str) -> Any:
    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(verify=False) as client:
            return await client.get(url)

    return asyncio.run(ask())


WAYS: list[Ask] = [requests.get, _by_session, httpx.get, _by_client, _by_async_client]
every_way = pytest.mark.parametrize("ask", WAYS, ids=["requests", "session", "httpx", "client", "async client"])


@pytest.fixture(autouse=True)
def _nothing_is_left_behind() -> Iterator[None]:
    before = _places()
    yield
    assert _places() == before


def _places() -> tuple[Any, ...]:
    return (
        HTTPAdapter.__dict__["get_connection_with_tls_context"],
        httpx.HTTPTransport.__dict__["handle_request"],
        httpx.AsyncHTTPTransport.__dict__["handle_async_request"],
    )


@pytest.fixture(scope="module")
def live() -> Iterator[MockServer]:
    with MockServer(SHOP) as server:
        yield server


# What is intercepted


@every_way
def test_the_real_url_reaches_the_door(ask: Ask) -> None:
    door = answering()
    with intercepting({BASE: door}) as interception:
        assert ask(f"{BASE}/products?limit=1").status_code == 200
    (request,) = door.asked
    assert (request.method, request.path, request.query, request.url) == ("GET", "/products", "limit=1", BASE)
    assert request.headers["host"] == "api.shop.example"
    assert interception.refused == ()


def test_sessions_and_clients_that_were_made_before_are_intercepted() -> None:
    door = answering()
    session, client = requests.Session(), httpx.Client(verify=False)
    later = httpx.AsyncClient(verify=False)

    async def ask() -> int:
        async with later:
            return (await later.get(BASE)).status_code

    with intercepting({BASE: door}):
        assert (session.get(BASE).status_code, client.get(BASE).status_code, asyncio.run(ask())) == (200, 200, 200)
    assert len(door.asked) == 3


def test_the_retries_of_a_mounted_adapter_keep_working() -> None:
    shop = double(str(SHOP))
    shop.fail("createProduct", status=503, times=2)
    session = requests.Session()
    session.mount("https://", HTTPAdapter(max_retries=PATIENT))
    with intercepting({BASE: shop.door}):
        made = session.post(f"{BASE}/products", json={"name": "Cup", "price": 4})
    assert made.status_code == 201
    assert len(shop.requests()) == 3


def test_an_adapter_that_calls_what_it_overrides_is_intercepted() -> None:
    class Impatient(HTTPAdapter):
        def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
            return super().send(request, *args, **{**options, "timeout": 0.01})

    session = requests.Session()
    session.mount("https://", Impatient())
    with intercepting({BASE: answering(delay=30)}), pytest.raises(requests.ReadTimeout):
        session.get(BASE)


def test_a_route_has_one_pool_of_connections_for_every_session() -> None:
    def pool() -> Any:
        return HTTPAdapter().get_connection_with_tls_context(requests.Request("GET", BASE).prepare(), verify=True)

    with intercepting({BASE: answering()}):
        assert pool() is pool()


def test_transports_of_the_users_own_are_left_alone() -> None:
    class Canned(BaseAdapter):
        def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
            answer = requests.Response()
            answer.status_code = 418
            return answer

        def close(self) -> None: ...

    session = requests.Session()
    session.mount("https://", Canned())
    client = httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(418)))
    with intercepting({BASE: answering()}) as interception:
        assert (session.get(BASE).status_code, client.get("https://other.example").status_code) == (418, 418)
    assert interception.refused == ()


@pytest.mark.parametrize(
    ("route", "url"),
    [
        ("https://api.shop.example", "https://API.Shop.Example:443/v1/products"),
        ("HTTPS://API.shop.example:443/", "https://api.shop.example/v1/products"),
        ("http://api.shop.example:80/v1/", "http://api.shop.example/v1/products"),
        ("https://api.shop.example:8443", "https://api.shop.example:8443/v1/products"),
        ("http://[::1]:8080", "http://[::1]:8080/v1/products"),
        ("https://bücher.example", "https://xn--bcher-kva.example/v1/products"),
        ("https://xn--bcher-kva.example", "https://bücher.example/v1/products"),
        ("https://api.shop.example/ä/v1", "https://api.shop.example/%C3%A4/v1/products"),
        ("https://api.shop.example", "https://jane:hush@api.shop.example/v1/products"),
    ],
)
def test_hosts_ports_and_paths_are_compared_as_urls_are(route: str, url: str) -> None:
    shop = double(str(SHOP))
    with intercepting({route: shop.door}):
        assert requests.get(url).json()["data"] == []
        assert httpx.get(url).json()["data"] == []


def test_the_longest_route_counts_and_of_equal_ones_the_latest() -> None:
    whole, first, second = answering(body=b"whole"), answering(body=b"1"), answering(body=b"2")
    with intercepting({"https://api.shop.example": whole, BASE: first}):
        assert requests.get(f"{BASE}/a").content == b"1"
        assert requests.get("https://api.shop.example/v10").content == b"whole"
        with intercepting({BASE: second}):
            assert requests.get(f"{BASE}/a").content == b"2"
            assert requests.get("https://api.shop.example/").content == b"whole"
        assert requests.get(f"{BASE}/a").content == b"1"


@pytest.mark.parametrize("url", ["http://api.shop.example/v1", "https://api.shop.example/v1"])
@every_way
def test_proxies_of_the_environment_do_not_matter(ask: Ask, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.setenv(name.lower(), "http://127.0.0.1:9")
    door = answering()
    with intercepting({url: door}):
        assert ask(f"{url}/a%2Fb?c=d").status_code == 200
    assert [(each.path, each.query) for each in door.asked] == [("/a%2Fb", "c=d")]


# What is refused


@pytest.mark.parametrize(
    "url",
    ["https://api.shop.exmaple/v1/products", "https://api.shop.example/v2", f"{BASE}x", "http://api.shop.example/v1"],
)
@every_way
def test_any_other_url_is_refused_with_the_error_that_callers_know(ask: Ask, url: str) -> None:
    door = answering()
    with (
        intercepting({BASE: door}) as interception,
        pytest.raises((requests.ConnectionError, httpx.ConnectError), match="no double is behind this URL") as caught,
    ):
        ask(url)
    refused: Any = caught.value
    assert isinstance(refused, ApidoubleError)
    assert str(refused.request.url) == url  # type: ignore[attr-defined]  # as both libraries have it
    assert interception.refused == (Refusal("GET", url),)
    assert door.asked == []


def test_a_refusal_says_what_is_intercepted_what_was_meant_and_how_to_let_it_through() -> None:
    with intercepting({BASE: answering()}, allow=["http://127.0.0.1:8080"]), pytest.raises(ApidoubleError) as caught:
        requests.post("https://api.shop.exmaple/v1/products?key=hush")
    assert str(caught.value).split("\n") == [
        "POST https://api.shop.exmaple/v1/products was not sent: no double is behind this URL",
        "  allowed: https://api.shop.example/v1, http://127.0.0.1:8080 (the network)",
        "  hint:    did you mean 'https://api.shop.example/v1'? If not, allow=['https://api.shop.exmaple'] lets it "
        "through to the network",
    ]


def test_a_refusal_that_the_code_swallows_is_remembered() -> None:
    def careless() -> None:
        with contextlib.suppress(requests.RequestException):
            requests.get("https://jane:hush@other.example/a?key=hush", timeout=1)

    with intercepting({BASE: answering()}) as interception:
        careless()
        assert [str(each) for each in interception.refused] == ["GET https://other.example/a"]


@every_way
def test_a_refused_request_opens_no_connection(ask: Ask, live: MockServer) -> None:
    journal = live.sandbox.universes.default.journal
    journal.clear()
    with intercepting({BASE: answering()}), pytest.raises(ApidoubleError):
        ask(f"{live.url}/products")
    assert len(journal) == 0
    assert ask(f"{live.url}/products").status_code == 200
    assert len(journal) == 1


NO_SOCKETS = """\
import asyncio, sys
import httpx, requests
from contracts.testing.clients import adapters
from contracts.testing.clients import transports
from contracts.testing.clients.intercepting import intercepting
from mock_server.exchange.messages import RawResponse

seen = []
sys.addaudithook(lambda event, args: seen.append(event) if event in {"socket.connect", "socket.getaddrinfo"} else None)

def door(request):
    return RawResponse(200, (), b"ok")

async def later(client):
    async with client:
        await client.get("https://api.shop.example/a")

adapters.session(door, "https://api.shop.example").get("/a")
transports.client(door, "https://api.shop.example").get("/a")
asyncio.run(later(transports.async_client(door, "https://api.shop.example")))
with intercepting({"https://api.shop.example": door}):
    requests.get("https://api.shop.example/a")
    httpx.get("https://api.shop.example/a")
    asyncio.run(later(httpx.AsyncClient()))
    for get in (requests.get, httpx.get):
        try:
            get("http://127.0.0.1:9/")
        except (requests.ConnectionError, httpx.ConnectError):
            pass
print(seen)
try:
    requests.get("http://127.0.0.1:9/")
except requests.ConnectionError:
    print(sorted(set(seen)))
"""


def test_no_host_is_looked_up_and_no_socket_connected() -> None:
    ran = subprocess.run([sys.executable, "-c", NO_SOCKETS], capture_output=True, text=True, timeout=120, check=True)
    before, after = ran.stdout.split("\n")[:2]
    assert before == "[]"
    assert "socket.connect" in after  # so the look at it is not blind


def test_a_redirect_to_elsewhere_is_refused() -> None:
    door = Remembering([RawResponse(302, (("Location", "https://other.example/"),), b"")])
    with intercepting({BASE: door}) as interception:
        with pytest.raises(requests.ConnectionError):
            requests.get(BASE)
        with pytest.raises(httpx.ConnectError):
            httpx.get(BASE, follow_redirects=True)
    assert interception.refused == (Refusal("GET", "https://other.example/"),) * 2


# What is let through


@every_way
def test_what_is_allowed_goes_to_the_network(ask: Ask, live: MockServer) -> None:
    with intercepting({BASE: answering()}, allow=[live.url]) as interception:
        assert ask(f"{live.url}/products").json()["data"] == []
    assert interception.refused == ()


def test_an_allowed_url_below_a_route_goes_to_the_network(live: MockServer) -> None:
    door = answering(body=b"door")
    with intercepting({live.url: door}, allow=[f"{live.url}/products", live.url]):
        assert requests.get(f"{live.url}/products").json()["data"] == []
        assert requests.get(f"{live.url}/other").content == b"door"


def test_more_can_be_let_through_while_it_is_active(live: MockServer) -> None:
    with intercepting({BASE: answering()}) as interception:
        with pytest.raises(ApidoubleError):
            requests.get(f"{live.url}/products")
        interception.let_through(live.url)
        assert requests.get(f"{live.url}/products").status_code == 200


def test_clients_of_a_door_work_beside_an_interception() -> None:
    here = answering(body=b"here")
    with intercepting({BASE: answering(body=b"there")}):
        assert adapters.session(here, "https://other.example").get("/a").content == b"here"
        assert transports.client(here, "https://other.example").get("/a").content == b"here"


# Coming and going


def test_interceptions_that_overlap_add_up_and_end_in_any_order() -> None:
    before = _places()
    one = intercepting({"https://one.example": answering(body=b"1")})
    two = intercepting({"https://two.example": answering(body=b"2")}, allow=["http://127.0.0.1:9"])
    one.__enter__()
    two.__enter__()
    assert [requests.get(f"https://{name}.example").content for name in ("one", "two")] == [b"1", b"2"]
    with pytest.raises(ApidoubleError, match=r"allowed: https://one\.example, https://two\.example, http://127"):
        httpx.get("https://three.example")
    one.__exit__(None, None, None)
    assert _places() != before
    assert httpx.get("https://two.example").content == b"2"
    with pytest.raises(ApidoubleError):
        requests.get("https://one.example")
    two.__exit__(None, None, None)
    assert _places() == before
    assert [len(each.refused) for each in (one, two)] == [1, 2]


def test_an_exception_ends_an_interception() -> None:
    before = _places()
    with pytest.raises(RuntimeError), intercepting({BASE: answering()}):
        raise RuntimeError
    assert _places() == before


def test_an_interception_may_be_used_again_but_not_twice_at_once() -> None:
    interception = intercepting({BASE: answering()})
    for _ in range(2):
        with interception:
            assert requests.get(BASE).status_code == 200
            with pytest.raises(ConfigurationError, match="active already"):
                interception.__enter__()


def test_a_patch_that_somebody_laid_over_it_stays_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    door = answering()
    interception = intercepting({BASE: door})
    before = HTTPAdapter.get_connection_with_tls_context
    interception.__enter__()
    ours = HTTPAdapter.get_connection_with_tls_context

    def spy(adapter: HTTPAdapter, request: requests.PreparedRequest, *args: Any, **options: Any) -> Any:
        seen.append(str(request.url))
        return ours(adapter, request, *args, **options)

    monkeypatch.setattr(HTTPAdapter, "get_connection_with_tls_context", spy)
    interception.__exit__(None, None, None)
    assert HTTPAdapter.get_connection_with_tls_context is spy
    with intercepting({BASE: door}):
        assert requests.get(f"{BASE}/a").status_code == 200
    assert HTTPAdapter.get_connection_with_tls_context is spy
    monkeypatch.undo()
    HTTPAdapter.get_connection_with_tls_context = before  # type: ignore[method-assign]  # as whoever patched would
    assert seen == []
    assert len(door.asked) == 1


@pytest.mark.parametrize("route", ["api.shop.example", "https://api.shop.example?a=b", "ftp://x", "https://x:port"])
def test_a_route_that_is_no_url_is_a_configuration_error(route: str) -> None:
    with pytest.raises(ConfigurationError, match="not a URL that requests can be below"):
        intercepting({route: answering()})
    with pytest.raises(ConfigurationError, match="not a URL that requests can be below"):
        intercepting({BASE: answering()}, allow=[route])


def test_importing_it_imports_neither_library() -> None:
    loaded = "print([n for n in ('requests', 'httpx') if n in sys.modules])"
    code = f"import sys, contracts.testing.clients.intercepting; {loaded}"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout.strip() == "[]"


def test_without_httpx_requests_is_intercepted(monkeypatch: pytest.MonkeyPatch) -> None:
    untouched = httpx.HTTPTransport.__dict__["handle_request"]
    monkeypatch.setitem(sys.modules, "httpx", None)
    with intercepting({BASE: answering()}):
        assert requests.get(BASE).status_code == 200
        assert httpx.HTTPTransport.__dict__["handle_request"] is untouched


def test_a_library_that_cannot_be_imported_leaves_the_other_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    before = _places()
    monkeypatch.setattr(transports, "intercept_transports", lambda find: 1 / 0)
    with pytest.raises(ZeroDivisionError), intercepting({BASE: answering()}):
        pass
    assert _places() == before


def test_without_either_library_there_is_nothing_to_intercept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx", None)
    monkeypatch.setitem(sys.modules, "requests", None)
    with pytest.raises(ConfigurationError, match="neither requests nor httpx is installed"):
        intercepting({BASE: answering()}).__enter__()


# Threads and tasks


def test_every_thread_is_intercepted() -> None:
    shop = double(str(SHOP))

    def create(number: int) -> int:
        return int(requests.post(f"{BASE}/products", json={"name": f"Cup {number}", "price": 1}).json()["id"])

    with intercepting({BASE: shop.door}), ThreadPoolExecutor(6) as threads:
        assert len(set(threads.map(create, range(30)))) == 30


def test_interceptions_come_and_go_in_threads_at_once() -> None:
    before, interval = _places(), sys.getswitchinterval()
    start = threading.Barrier(4)

    def work(number: int) -> set[bytes]:
        start.wait(10)
        seen = set()
        for _ in range(25):
            with intercepting({f"https://n{number}.example": answering(body=b"%d" % number)}):
                seen.add(requests.get(f"https://n{number}.example").content)
        return seen

    sys.setswitchinterval(1e-6)  # threads take turns as often as they can
    try:
        with ThreadPoolExecutor(4) as threads:
            assert list(threads.map(work, range(4))) == [{b"0"}, {b"1"}, {b"2"}, {b"3"}]
    finally:
        sys.setswitchinterval(interval)
    assert _places() == before


def test_threads_that_begin_at_once_take_the_transports_place_once(monkeypatch: pytest.MonkeyPatch) -> None:
    began, again, inside = threading.Event(), threading.Event(), threading.Barrier(2)
    installed: list[Any] = []
    install = adapters.intercept_adapters

    def slow(find: Any) -> Any:
        installed.append(find)
        (began if len(installed) == 1 else again).set()
        again.wait(0.2)  # as long as a second thread would need to come here too
        return install(find)

    def work(number: int) -> None:
        assert number == 0 or began.wait(10)
        with intercepting({f"https://n{number}.example": answering()}):
            inside.wait(10)

    monkeypatch.setattr(adapters, "intercept_adapters", slow)
    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(work, range(2))) == [None, None]
    assert len(installed) == 1


def test_twenty_tasks_at_once_reach_the_double() -> None:
    kirimdev = double("kirimdev")

    async def rename(client: httpx.AsyncClient, number: int) -> str:
        made = await client.post("/v1/customers", json={"name": f"Toko {number}"})
        read = await client.get(f"/v1/customers/{made.json()['data']['id']}")
        return str(read.json()["data"]["name"])

    async def all_of_them() -> list[str]:
        async with httpx.AsyncClient(base_url=KIRIMDEV, headers=KEY, verify=False) as client:
            return await asyncio.gather(*(rename(client, number) for number in range(20)))

    with intercepting({KIRIMDEV: kirimdev.door}):
        assert asyncio.run(all_of_them()) == [f"Toko {number}" for number in range(20)]


# Code under test as people write it


def test_code_that_retries_by_itself_gets_over_a_503() -> None:
    def create(name: str) -> dict[str, Any]:
        for _attempt in range(3):
            answer = httpx.post(f"{KIRIMDEV}/v1/customers", json={"name": name}, headers=KEY)
            if answer.status_code != 503:
                return dict(answer.raise_for_status().json()["data"])
        raise TimeoutError(name)

    kirimdev = double("kirimdev")
    kirimdev.fail("createCustomer", status=503, times=2)
    with intercepting({KIRIMDEV: kirimdev.door}):
        assert create("Toko Melati")["name"] == "Toko Melati"
    assert len(kirimdev.requests()) == 3


@pytest.mark.parametrize("route", ["https://api.shop.example", BASE])
def test_a_location_leads_back_to_the_double(route: str) -> None:
    with intercepting({route: double(str(SHOP)).door}):
        made = requests.post(f"{BASE}/products", json={"name": "Cup", "price": 4})
        assert made.headers["Location"] == f"{BASE}/products/{made.json()['id']}"
        assert httpx.get(made.headers["Location"]).json() == made.json()


def test_code_that_pages_by_cursor_sees_every_item() -> None:
    def names() -> Iterator[str]:
        session, cursor = requests.Session(), None
        session.headers.update(KEY)
        while True:
            params = {"limit": "2", **({"cursor": cursor} if cursor else {})}
            page = session.get(f"{KIRIMDEV}/v1/customers", params=params).json()
            yield from (each["name"] for each in page["data"])
            cursor = page["next_cursor"]
            if cursor is None:
                return

    with intercepting({KIRIMDEV: double("kirimdev").door}):
        found = list(names())
        whole = httpx.get(f"{KIRIMDEV}/v1/customers", params={"limit": 100}, headers=KEY).json()["data"]
    assert found == [each["name"] for each in whole]
    assert len(found) > 2


LINKED = """\
openapi: 3.1.0
info: {title: Notes, version: 1.0.0}
servers: [{url: https://notes.example/api}]
paths:
  /notes:
    get:
      operationId: listNotes
      parameters:
        - {name: page, in: query, schema: {type: integer, minimum: 1, default: 1}}
        - {name: per_page, in: query, schema: {type: integer, minimum: 1, maximum: 100, default: 3}}
      responses:
        '200':
          description: A page.
          headers: {Link: {schema: {type: string}}}
          content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Note'}}}}
    post:
      operationId: createNote
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: '#/components/schemas/Note'}}}
      responses:
        '201':
          description: The note.
          content: {application/json: {schema: {$ref: '#/components/schemas/Note'}}}
  /notes/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
    get:
      operationId: getNote
      responses:
        '200':
          description: The note.
          content: {application/json: {schema: {$ref: '#/components/schemas/Note'}}}
components:
  schemas:
    Note:
      type: object
      required: [text]
      properties: {id: {type: integer, readOnly: true}, text: {type: string}}
"""


def test_code_that_pages_by_link_sees_every_item(tmp_path: Path) -> None:
    description = tmp_path / "notes.yaml"
    description.write_text(LINKED)
    base = "https://notes.example/api"

    def texts() -> Iterator[str]:
        url: str | None = f"{base}/notes"
        while url is not None:
            page = requests.get(url)
            yield from (each["text"] for each in page.json())
            url = page.links.get("next", {}).get("url")

    notes = double(str(description))
    with intercepting({base: notes.door}):
        for number in range(7):
            httpx.post(f"{base}/notes", json={"text": f"note {number}"}).raise_for_status()
        assert list(texts()) == [f"note {number}" for number in range(7)]
    assert len([each for each in notes.requests() if each.method == "GET"]) == 3


def test_a_multipart_upload_is_understood(tmp_path: Path) -> None:
    contacts = tmp_path / "contacts.csv"
    contacts.write_text("email,firstName,lastName\nada@example.com,Ada,Lovelace\n")
    url, layercake = "https://app.l4yercak3.com/api/v1/bulk/import", double("layercake")
    fields = {"type": "contacts", "organizationId": "org_sundlof"}
    key = {"Authorization": "Bearer l4yer_Kq7vZ2mXc9LrT4wBn8HsYd3Jf6Gp1Ae5"}
    with intercepting({"https://app.l4yercak3.com": layercake.door}):
        with contacts.open("rb") as file:
            one = requests.post(url, data=fields, files={"file": ("a.csv", file, "text/csv")}, headers=key)
        with contacts.open("rb") as file:
            two = httpx.post(url, data=fields, files={"file": ("a.csv", file, "text/csv")}, headers=key)
    assert (one.status_code, two.status_code) == (202, 202), (one.text, two.text)


def test_an_answer_streams() -> None:
    door = answering(body=b"line 1\nline 2\n")
    with intercepting({BASE: door}):
        with requests.get(BASE, stream=True) as answer:
            assert list(answer.iter_lines()) == [b"line 1", b"line 2"]
        with httpx.stream("GET", BASE) as streamed:
            assert list(streamed.iter_lines()) == ["line 1", "line 2"]


def test_faults_are_what_a_network_would_do() -> None:
    shop = double(str(SHOP))
    with intercepting({BASE: shop.door}):
        shop.fail("listProducts", reset=True, times=2)
        with pytest.raises(requests.ConnectionError, match="Connection reset by peer"):
            requests.get(f"{BASE}/products")
        with pytest.raises(httpx.ReadError):
            httpx.get(f"{BASE}/products")
        shop.fail("listProducts", delay=30, times=2)
        with pytest.raises(requests.ReadTimeout):
            requests.get(f"{BASE}/products", timeout=0.01)
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{BASE}/products", timeout=0.01)
