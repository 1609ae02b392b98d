"""A live double over HTTP: MockServer in this process, and ``apidouble serve`` in another."""

from __future__ import annotations

import http.client
import json
import os
import re
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from mock_server import ConfigurationError, MockServer, Options
from mock_server.openapi.values import Json

PETS = Path(__file__).parent / "descriptions" / "pets.yaml"
_SOON = 10.0  # seconds that a slow machine may take; what is waited for is mostly there at once


@pytest.fixture(scope="module")
def shared() -> Iterator[MockServer]:
    with MockServer(PETS, options=Options(max_body=10_000)) as server:
        yield server


@pytest.fixture
def server(shared: MockServer) -> MockServer:
    requests.post(f"{shared.url}/__mock__/reset", timeout=_SOON)
    return shared


def _send(
    server: MockServer,
    method: str,
    path: str,
    *,
    body: bytes | Iterator[bytes] | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[http.client.HTTPResponse, bytes]:
    """A request as it stands, by a client that changes nothing in it."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=_SOON)
    chunked = body is not None and not isinstance(body, bytes)
    connection.request(method, path, body=body, headers=headers or {}, encode_chunked=chunked)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response, content


# MockServer


def test_created_pet_is_at_its_location(server: MockServer) -> None:
    created = requests.post(f"{server.url}/v2/pets", json={"name": "Rex"}, timeout=_SOON)
    assert created.status_code == 201
    assert created.headers["Location"].startswith(f"{server.url}/v2/pets/")
    assert requests.get(created.headers["Location"], timeout=_SOON).json() == created.json()


def test_head_has_the_headers_of_get_and_no_body(server: MockServer) -> None:
    requests.post(f"{server.url}/pets", json={"name": "Rex"}, timeout=_SOON)
    got, body = _send(server, "GET", "/pets")
    head, nothing = _send(server, "HEAD", "/pets")
    assert (head.status, nothing) == (200, b"")
    assert head.headers["Content-Length"] == str(len(body))
    assert head.headers["Content-Type"] == got.headers["Content-Type"]


def test_options_names_the_methods(server: MockServer) -> None:
    response, body = _send(server, "OPTIONS", "/pets")
    assert (response.status, body) == (204, b"")
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS, POST"


def test_browser_may_send_what_it_asks_for(server: MockServer) -> None:
    asked = {
        "Origin": "https://app.test",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type, x-key",
    }
    response, _ = _send(server, "OPTIONS", "/pets", headers=asked)
    assert response.status == 204
    assert response.headers["Access-Control-Allow-Origin"] == "https://app.test"
    assert "POST" in response.headers["Access-Control-Allow-Methods"]
    assert "x-key" in response.headers["Access-Control-Allow-Headers"]


def test_refusals_can_be_read_by_a_browser_too(server: MockServer) -> None:
    response, _ = _send(server, "GET", "/nowhere", headers={"Origin": "https://app.test"})
    assert (response.status, response.headers["Access-Control-Allow-Origin"]) == (404, "https://app.test")


def test_chunked_body_is_read(server: MockServer) -> None:
    pieces = iter([b'{"na', b'me": "R', b'ex"}'])
    response, body = _send(server, "POST", "/pets", body=pieces, headers={"Content-Type": "application/json"})
    assert (response.status, json.loads(body)["name"]) == (201, "Rex")


@pytest.mark.parametrize("chunked", [False, True])
def test_body_over_the_limit_is_a_413(server: MockServer, chunked: bool) -> None:
    long = b'{"name": "' + b"x" * 20_000 + b'"}'
    for path in ("/pets", "/__mock__/seed"):
        sent = iter([long]) if chunked else long
        response, _ = _send(server, "POST", path, body=sent, headers={"Content-Type": "application/json"})
        assert response.status == 413


@pytest.mark.parametrize("key", ["a%2Fb", "a%20b", "%C3%A9", "100%25", "a%3Fb"])
def test_percent_encoded_key_is_one_key(server: MockServer, key: str) -> None:
    content = {"Content-Type": "application/json"}
    put, body = _send(server, "PUT", f"/pets/{key}", body=b'{"name": "Rex"}', headers=content)
    assert put.status == 201
    got, same = _send(server, "GET", f"/pets/{key}")
    assert (got.status, json.loads(same)) == (200, json.loads(body))


def test_pets_created_at_the_same_time_are_all_kept(server: MockServer) -> None:
    def create(number: int) -> Json:
        answer = requests.post(f"{server.url}/pets", json={"name": f"pet {number}"}, timeout=_SOON)
        assert answer.status_code == 201
        return answer.json()

    with ThreadPoolExecutor(8) as threads:
        created = list(threads.map(create, range(80)))
    assert len({pet["id"] for pet in created}) == 80
    listed = requests.get(f"{server.url}/pets", timeout=_SOON).json()
    assert sorted(pet["name"] for pet in created) == sorted(pet["name"] for pet in listed)


def test_sessions_do_not_see_each_other(server: MockServer) -> None:
    first, second = f"{server.url}/__session__/first", f"{server.url}/__session__/second"
    requests.post(f"{first}/pets", json={"name": "Rex"}, timeout=_SOON)
    assert len(requests.get(f"{first}/pets", timeout=_SOON).json()) == 1
    assert requests.get(f"{second}/pets", timeout=_SOON).json() == []
    assert requests.get(f"{server.url}/pets", timeout=_SOON).json() == []
    named = requests.get(f"{server.url}/pets", headers={"Mock-Session": "first"}, timeout=_SOON)
    assert len(named.json()) == 1


def test_reset_fault_is_a_broken_connection(server: MockServer) -> None:
    fault = {"operation_id": "listPets", "reset": True, "count": 1}
    assert requests.post(f"{server.url}/__mock__/faults", json=fault, timeout=_SOON).status_code == 201
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        requests.get(f"{server.url}/pets", timeout=_SOON)
    assert requests.get(f"{server.url}/pets", timeout=_SOON).status_code == 200


def test_delayed_answers_do_not_hold_up_others(server: MockServer) -> None:
    fault = {"operation_id": "listPets", "delay": 1.0}
    requests.post(f"{server.url}/__mock__/faults", json=fault, timeout=_SOON)
    late = [threading.Thread(target=_send, args=(server, "GET", "/pets")) for _ in range(12)]
    for thread in late:
        thread.start()
    before = time.monotonic()
    requests.get(f"{server.url}/pets/1", timeout=_SOON)
    elapsed = time.monotonic() - before
    for thread in late:
        thread.join()
    assert elapsed < 0.8


def test_explained_answer_says_why(server: MockServer) -> None:
    told = requests.get(f"{server.url}/pets", headers={"Prefer": "explain"}, timeout=_SOON).json()
    assert told["response"] == {**told["response"], "status": 200, "body": []}
    assert told["explanation"]["behavior"] == "list"


def test_clock_is_what_created_items_are_stamped_with(server: MockServer) -> None:
    requests.post(f"{server.url}/__mock__/clock", json={"freeze": "2031-05-06T07:08:09Z"}, timeout=_SOON)
    requests.get(f"{server.url}/pets", timeout=_SOON)
    (entry,) = requests.get(f"{server.url}/__mock__/requests", timeout=_SOON).json()["requests"]
    assert entry["time"] == "2031-05-06T07:08:09Z"


def test_several_apis_are_below_their_names(tmp_path: Path) -> None:
    other = tmp_path / "zoo.yaml"
    other.write_text(PETS.read_text())
    with MockServer(PETS, other) as server:
        index = requests.get(server.url, timeout=_SOON).json()
        assert list(index["apis"]) == ["pets", "zoo"]
        requests.post(f"{index['apis']['zoo']}/pets", json={"name": "Rex"}, timeout=_SOON)
        assert requests.get(f"{server.url}/zoo/v2/pets", timeout=_SOON).json()[0]["name"] == "Rex"
        assert requests.get(f"{server.url}/pets/pets", timeout=_SOON).json() == []


def test_server_starts_and_stops_many_times() -> None:
    threads = threading.active_count()
    for _ in range(10):
        with MockServer(PETS) as server:
            assert requests.get(f"{server.url}/pets", timeout=_SOON).json() == []
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{server.url}/pets", timeout=_SOON)
    _until(lambda: threading.active_count() <= threads)


def test_stopped_server_can_be_started_again_with_its_state() -> None:
    server = MockServer(PETS)
    with server:
        requests.post(f"{server.url}/pets", json={"name": "Rex"}, timeout=_SOON)
    with server:
        assert requests.get(f"{server.url}/pets", timeout=_SOON).json()[0]["name"] == "Rex"
    server.stop()  # no harm in stopping twice


def test_running_server_is_not_started_twice(server: MockServer) -> None:
    with pytest.raises(ConfigurationError, match="running already"):
        server.start()


def test_port_in_use_is_a_clear_error(server: MockServer) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot listen on 127\.0\.0\.1") as caught:
        MockServer(PETS, port=server.port).start()
    assert caught.value.hint == "choose another port, or 0 for any that is free"


# apidouble serve


class Serve:
    """``apidouble serve`` under way: its banner, its URL, and what it says afterwards."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._said = ""
        self.banner = self.wait_for("control API: ")
        found = re.search(r"control API: (http://\S+)/__mock__", self.banner)
        assert found is not None
        self.url = found[1]
        _until(lambda: _answers(self.url))

    def wait_for(self, text: str) -> str:
        """What was printed so far, once it has ``text`` in it and a whole line."""
        assert self.process.stdout is not None
        descriptor = self.process.stdout.fileno()
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            deadline = time.monotonic() + _SOON
            while text not in self._said or not self._said.endswith("\n"):
                assert selector.select(deadline - time.monotonic()), f"never said {text!r}: {self._said}"
                piece = os.read(descriptor, 65536)
                assert piece, f"ended without saying {text!r}: {self._said}"
                self._said += piece.decode()
        return self._said

    def stop(self, how: signal.Signals) -> tuple[int, str, float]:
        """Exit code, everything that was said, and how many seconds the end took."""
        before = time.monotonic()
        self.process.send_signal(how)
        rest, _ = self.process.communicate(timeout=_SOON)
        return self.process.returncode, self._said + rest, time.monotonic() - before


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/__mock__/clock", timeout=_SOON).status_code in {200, 401}
    except requests.ConnectionError:
        return False


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _SOON
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)  # asks again; nothing depends on how long this is


@contextmanager
def serving(*arguments: str) -> Iterator[Serve]:
    """``apidouble serve`` on a free port, gone at the end whatever happened."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mock_server", "serve", "--port", "0", "--no-cache", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield Serve(process)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_serve_prints_a_banner_answers_and_stops_quietly(how: signal.Signals) -> None:
    with serving(str(PETS)) as served:
        assert "apidouble serves 1 API with 4 operations; stop it with Ctrl-C" in served.banner
        assert f"  {served.url}   4 operations" in served.banner
        created = requests.post(f"{served.url}/pets", json={"name": "Rex"}, timeout=_SOON)
        assert requests.get(created.headers["Location"], timeout=_SOON).json() == created.json()
        code, said, seconds = served.stop(how)
    assert code == 0
    assert said == served.banner
    assert seconds < 2


def test_curl_line_of_the_banner_works() -> None:
    with serving(str(PETS)) as served:
        found = re.search(r"  try: (curl .*)", served.banner)
        assert found is not None
        done = subprocess.run(f"{found[1]} --silent --include", shell=True, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("HTTP/1.1 201")


def test_serve_answers_a_connection_that_breaks_and_goes_on() -> None:
    with serving(str(PETS)) as served:
        requests.post(f"{served.url}/__mock__/faults", json={"reset": True, "count": 1}, timeout=_SOON)
        with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            requests.get(f"{served.url}/pets", timeout=_SOON)
        assert requests.get(f"{served.url}/pets", timeout=_SOON).status_code == 200
        code, said, _ = served.stop(signal.SIGINT)
    assert (code, "Traceback" in said) == (0, False)


def test_watched_description_is_reloaded_and_a_broken_edit_is_not(tmp_path: Path) -> None:
    description = tmp_path / "pets.yaml"
    text = PETS.read_text()
    description.write_text(text)
    with serving(str(description), "--watch") as served:
        requests.post(f"{served.url}/pets", json={"name": "Rex"}, timeout=_SOON)
        description.write_text(text.replace("title: Pets", "title: More pets"))
        served.wait_for("reloaded; the state is kept")
        (api,) = requests.get(f"{served.url}/__mock__/apis", timeout=_SOON).json()["apis"]
        assert api["title"] == "More pets"
        description.write_text("openapi: [")
        said = served.wait_for("not reloaded, still serving what was read before")
        assert "pets.yaml" in said
        assert len(requests.get(f"{served.url}/pets", timeout=_SOON).json()) == 1
        code, said, _ = served.stop(signal.SIGINT)
    assert (code, "Traceback" in said) == (0, False)


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mock_server", *arguments], capture_output=True, text=True, timeout=30, check=False
    )


def test_serve_refuses_a_port_that_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = _run("serve", str(PETS), "--port", str(taken.getsockname()[1]))
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Address already in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_serve_refuses_a_broken_description_before_it_listens(tmp_path: Path) -> None:
    broken = tmp_path / "pets.yaml"
    broken.write_text(PETS.read_text().replace("#/components/schemas/Pet", "#/components/schemas/Pett", 1))
    done = _run("serve", str(broken), "--port", "0")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "pets.yaml:15" in done.stderr
    assert "did you mean 'Pet'?" in done.stderr
