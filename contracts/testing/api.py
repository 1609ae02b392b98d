"""``MockApi``: one API's double as one test sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from contracts.testing.clients.door import wsgi_of
from contracts.testing.clock import Clock
from contracts.testing.credentials import Credentials
from contracts.testing.hooks.webhooks import Webhooks
from contracts.testing.keeping.state import State
from contracts.testing.traffic.calls import Calls
from contracts.testing.traffic.expecting import Expectation
from contracts.testing.traffic.verdict import verdict
from contracts.testing.worker import Worker
from mock_server.errors import ConfigurationError, did_you_mean
from mock_server.exchange.faults import Fault
from mock_server.exchange.messages import RawRequest, RawResponse
from mock_server.exchange.universe import Universe
from mock_server.sandbox import Sandbox, Served
from mock_server.web.entry import SESSION

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx
    import requests
    from _typeshed.wsgi import WSGIApplication

    from contracts.testing.recording.recorder import Recorder

_DEFAULT = "default"


class MockApi:
    """The double of one API, in a universe that belongs to one test.

    Nothing is started by making one: the clients of ``session`` and ``client`` speak to the double in this process,
    and a server is there once ``url`` is asked for. While recording, a ``recorder`` answers in the double's place.
    """

    def __init__(
        self, worker: Worker, sandbox: Sandbox, served: Served, universe: Universe, *, recorder: Recorder | None = None
    ) -> None:
        self._worker = worker
        self.recorder = recorder
        self.sandbox = sandbox
        self.served = served
        self.universe = universe
        self.expectations: list[Expectation] = []
        self.refused: list[str] = []
        self.allow_invalid = False
        self.used_powers = False
        self._told: list[str] = []

    def __repr__(self) -> str:
        return f"<MockApi {self.name}: {len(self.requests)} requests>"

    @property
    def name(self) -> str:
        """The API's name: that of its pack, or made of its file's."""
        return self.served.name

    # Ways in

    def door(self, request: RawRequest) -> RawResponse:
        """Answers one request in this process; while recording, as the real service does."""
        if self.recorder is not None:
            return self.recorder(request)
        return self.served.line.answer(request, self.universe)

    @cached_property
    def url(self) -> str:
        """The base URL of the double on a loopback port, for clients of any kind; paths go behind it.

        Paths may have the base path of the described servers in front, or not.
        """
        if self.recorder is not None:
            name = f"{self.universe.name}.{self.name}"
            application = wsgi_of(self.door, max_body=self.served.line.max_body, mount=SESSION + name)
            return self._worker.url(name, application)
        base = self._worker.url(self.universe.name, self._worker.application(self.sandbox))
        return base if len(self.sandbox.apis) == 1 else f"{base}/{self.name}"

    @property
    def base_url(self) -> str:
        """What clients in this process send to: the host of the first described server, else ``http://<name>.test``."""
        origins = self.served.api.origins
        return origins[0] if origins else f"http://{self.name.replace('@', '-')}.test"

    @cached_property
    def wsgi(self) -> WSGIApplication:
        """The double as a WSGI application, for Flask's or werkzeug's test client and the like."""
        return wsgi_of(self.door, max_body=self.served.line.max_body)

    def session(self, credential: str | None = None, *, live: bool = False) -> requests.Session:
        """A ``requests`` session for the double; URLs may be paths. In this process, unless it is to be ``live``.

        With a ``credential``, by its name in ``credentials``, every request carries it.
        """
        from contracts.testing.clients import adapters

        headers, query = self._presented(credential)
        if live:
            return adapters.live_session(self.url, headers=headers, query=query)
        return adapters.session(self.door, self.base_url, headers=headers, query=query)

    def client(self, credential: str | None = None, *, live: bool = False) -> httpx.Client:
        """The same as an ``httpx`` client."""
        _need_httpx()
        from contracts.testing.clients import transports

        headers, query = self._presented(credential)
        if live:
            return transports.live_client(self.url, headers=headers, query=query)
        return transports.client(self.door, self.base_url, headers=headers, query=query)

    def async_client(self, credential: str | None = None, *, live: bool = False) -> httpx.AsyncClient:
        """The same as an asynchronous ``httpx`` client."""
        _need_httpx()
        from contracts.testing.clients import transports

        headers, query = self._presented(credential)
        if live:
            return transports.live_async_client(self.url, headers=headers, query=query)
        return transports.async_client(self.door, self.base_url, headers=headers, query=query)

    @contextmanager
    def intercept(self, *urls: str, allow: Sequence[str] = ()) -> Iterator[MockApi]:
        """While it lasts, code that uses requests or httpx reaches the double at the real service's URLs.

        Without ``urls``, at the servers that the description names. Any other URL is refused, unless it begins with one
        of ``allow``; the double's own live server is reachable.
        """
        from contracts.testing.clients.intercepting import intercepting

        wanted = urls or self.served.api.origins
        if not wanted:
            raise ConfigurationError(f"{self.name} describes no server with a host, so there is no URL to intercept",
                                     hint='say which: api.intercept("https://api.example.com")')  # fmt: skip
        with intercepting(dict.fromkeys(wanted, self.door), allow=allow) as interception:
            try:
                with self._worker.letting_through(interception):
                    yield self
            finally:
                self.refused += [str(refusal) for refusal in interception.refused]

    # What it knows

    @cached_property
    def requests(self) -> Calls:
        """The requests that were made, oldest first, with what they were answered."""
        return Calls(self.served, self.universe, secrets=lambda: self.sandbox.secrets(self.universe))

    @cached_property
    def credentials(self) -> Credentials:
        """The credentials that the double accepts, by name."""
        return Credentials(self.sandbox, self.served, self.universe)

    @property
    def state(self) -> State:
        """What the double keeps, by resource; to be read and, checked by its schemas, written."""
        self._only_double("api.state")
        return self._state

    @cached_property
    def _state(self) -> State:
        return State(self.sandbox, self.served, self.universe)

    @property
    def clock(self) -> Clock:
        """The double's clock."""
        self._only_double("api.clock")
        return self._clock

    @cached_property
    def _clock(self) -> Clock:
        return Clock(self.sandbox, self.universe)

    @property
    def webhooks(self) -> Webhooks:
        """The webhooks that the double has sent: captured, nothing goes to the network."""
        self._only_double("api.webhooks")
        return self._webhooks

    @cached_property
    def _webhooks(self) -> Webhooks:
        return Webhooks(self.sandbox, self.served, self.universe)

    # What it is told

    def fail(
        self,
        operation_id: str,
        *,
        status: int | None = None,
        times: int | None = 1,
        delay: float = 0.0,
        reset: bool = False,
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
    ) -> None:
        """The next ``times`` calls of an operation (``*``: of any) go wrong; None is for ever.

        They are answered with ``status`` in the description's own error schema and further ``headers``, or with a
        ``body`` as it is, which no description need know; ``delay`` seconds late; or not at all (``reset``: the
        connection breaks). A fault that nothing met fails the test.
        """
        self._only_double("api.fail")
        known = self.served.api.refs
        if operation_id not in {"*", *known}:
            raise ConfigurationError(f"{self.name} has no operation {operation_id!r}",
                                     hint=did_you_mean(operation_id, known),
                                     allowed=f"* or one of {len(known)} operations, see `apidouble list`")  # fmt: skip
        if status is None and not delay and not reset:
            raise ConfigurationError("a fault does something", got="neither status nor delay nor reset",
                                     hint=f'api.fail("{operation_id}", status=503)')  # fmt: skip
        if status is None and (headers or body is not None):
            raise ConfigurationError("headers and a body go with a status", got=f"headers={headers}, body={body!r}",
                                     hint=f'api.fail("{operation_id}", status=502, …)')  # fmt: skip
        if status is not None and not 100 <= status <= 599:
            raise ConfigurationError("this is no status code", got=str(status), allowed="100 to 599")
        if (times is not None and times < 1) or delay < 0:
            raise ConfigurationError("a fault cannot strike like that", got=f"times={times}, delay={delay}",
                                     allowed="times from 1 (or None), delay from 0 seconds")  # fmt: skip
        fault = Fault(operation_id, self.name, status=status, delay=delay, reset=reset, count=times,
                      headers=tuple((headers or {}).items()), body=body)  # fmt: skip
        with self.universe.lock:
            self.universe.faults.append(fault)

    def expect(self, operation_id: str, *, times: int | None = None, **expected: Any) -> None:
        """When the test ends, an operation must have been called as expected: ``times``, or at least once.

        What may be expected is what ``requests.assert_called`` takes.
        """
        self.expectations.append(self.requests.expectation(operation_id, times=times, **expected))

    def snapshot(self, name: str = _DEFAULT) -> None:
        """Keeps the state as it is, under a name."""
        self._only_double("api.snapshot")
        self.universe.snapshot(name)

    def restore(self, name: str = _DEFAULT) -> None:
        """Goes back to a snapshot."""
        self._only_double("api.restore")
        self.universe.restore(name)

    def reset(self) -> None:
        """Back to the seed, with an empty journal, no faults and the clock as it began."""
        self._only_double("api.reset")
        self._told += verdict(self.requests, allow_invalid=self.allow_invalid)
        with self.universe.lock:
            self.universe.clock = self.sandbox.clock  # which may have been let run
            self.universe.reset()

    def verdict(self) -> tuple[str, ...]:
        """What fails the test although its own assertions passed, one text for each matter."""
        with self.universe.lock:
            faults = [fault for fault in self.universe.faults if fault.api == self.name]
        now = verdict(self.requests, faults=faults, expectations=self.expectations, allow_invalid=self.allow_invalid)
        unused = self._webhooks.missed() if "_webhooks" in vars(self) else ()
        return tuple(dict.fromkeys((*self._told, *now, *unused)))

    def _presented(self, name: str | None) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """The headers and query parameters of a credential; none without one."""
        if name is None:
            return {}, {}
        credential = self.credentials[name]
        return credential.headers, credential.query

    def _only_double(self, what: str) -> None:
        self.used_powers = True
        if self.recorder is not None:
            from contracts.testing.recording import NotWhileRecording

            raise NotWhileRecording(f"{what} is something that only a double has")


def _need_httpx() -> None:
    if find_spec("httpx") is None:
        raise ConfigurationError("httpx is not installed", hint="pip install httpx, or use api.session()")
