"""Recording: the door to the real service. Requests go out as the test wrote them and come back judged.

The line's part is the same as before a double: the operation is found, the request is held against the description,
the exchange gets into the journal. Only who answers is another one, and the credential on the wire.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import contracts.checks.reply_headers
import contracts.checks.reply_media_type
import contracts.checks.reply_schema
import contracts.checks.undescribed_status  # noqa: F401 - registers its check, as the three above do
from contracts.exchanges import carried
from contracts.findings import Finding
from contracts.judging import Judges
from contracts.service import Recorded, Reply
from contracts.testing.recording import NotWhileRecording
from contracts.testing.recording.hiding import Hiding
from contracts.testing.recording.realservice import RealService, is_credential, real_service
from contracts.wire import WireRequest
from mock_server.dataclass import dataclass
from mock_server.errors import ApidoubleError, ConfigurationError
from mock_server.exchange.authentication import Credential
from mock_server.exchange.journal import Entry, Trace, secret_names
from mock_server.exchange.matching import Matcher
from mock_server.exchange.messages import HeaderList, RawRequest, RawResponse
from mock_server.exchange.requests import RequestReader
from mock_server.exchange.universe import Universe
from mock_server.model.problem import Kind, Problem
from mock_server.openapi.compile import Api
from mock_server.openapi.description import Operation
from mock_server.openapi.templates import Fit, PathMatch
from mock_server.sandbox import Served

__all__ = ["CHECKS", "NotWhileRecording", "RealService", "Recorder", "Taken", "real_service"]

CHECKS = frozenset({"undescribed_status", "reply_media_type", "reply_schema", "reply_headers"})
"""What every reply of the real service is judged by."""

_HOP_BY_HOP = frozenset({"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection",
                         "te", "trailer", "transfer-encoding", "upgrade"})  # fmt: skip  # RFC 9110 §7.6.1
_NOT_SENT = _HOP_BY_HOP | {"host", "content-length", "accept-encoding"}
_NOT_TOLD = _HOP_BY_HOP | {"content-length", "content-encoding"}  # the body is decoded when it is here
_PLACES = frozenset({"location", "content-location", "link"})


@dataclass(frozen=True, slots=True)
class Taken:
    """One exchange with the real service, as it is kept for the file.

    ``number`` and ``ended`` order the beginnings and ends of a test's exchanges. ``path`` is raw and below the
    description's base path; ``request`` is what the test sent, ``credential`` the name of the double's credential in
    it.
    """

    number: int
    ended: int
    operation_id: str | None
    credential: str | None
    path: str
    request: RawRequest
    reply: Reply


class Recorder:
    """The door to the real service for one API in one test.

    Raises ``NotWhileRecording`` where the test cannot be run against it, and ``Unreachable`` where there is none; since
    a server between may turn that into a 500, ``failure`` keeps the first such error. Safe to use from several threads.
    """

    def __init__(self, service: RealService, served: Served, universe: Universe) -> None:
        self.service = service
        self.served = served
        self.universe = universe
        self.failure: ApidoubleError | None = None
        self._hiding = Hiding(service.secrets)
        self._judges = Judges(served.api, judge=None, checks=CHECKS)
        self._matcher = Matcher(served.api)
        self._carried = tuple(_carried(served.api, served.credentials))
        self._secret_names = secret_names(served.api.security_schemes.values())
        self._taken: list[Taken] = []
        self._findings: list[Finding] = []
        self._ticks = 0
        self._lock = threading.Lock()

    @property
    def exchanges(self) -> tuple[Taken, ...]:
        """The exchanges so far, in the order in which they began."""
        return tuple(sorted(self._taken, key=lambda taken: taken.number))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Where replies break the description, each matter once: about the service, not about the test."""
        known: dict[str, Finding] = {}
        for finding in self._findings:
            known.setdefault(finding.fingerprint, finding)
        return tuple(known.values())

    def __call__(self, request: RawRequest) -> RawResponse:
        """The real service's response."""
        try:
            return self._exchange(request)
        except ApidoubleError as error:
            self.failure = self.failure or error
            raise

    def _exchange(self, request: RawRequest) -> RawResponse:
        api, universe = self.served.api, self.universe
        now, number, begun = universe.clock.now(), universe.journal.begin(), self._tick()
        trace = Trace(secrets=self._secret_names, fitting=api.candidates)
        trace.security = "of the real service"
        match, base = self._matcher.match(request.method, request.path)
        trace.path = path = request.path[len(base) :] or "/"
        operation = api.operation(match.target) if match.fit is Fit.FULL and match.target is not None else None
        if operation is not None:
            trace.operation_id = operation.id
            self._read(operation, request, match, trace)
        elif request.method != "OPTIONS":
            kind = Kind.NO_ROUTE if match.fit is Fit.NONE else Kind.METHOD_NOT_ALLOWED
            trace.refused = Problem(kind, f"{api.title} describes no {request.method} {path}")
        credential = self._named(request)
        trace.principal = credential.name if credential is not None else None
        sent = self._sent(request, operation, credential)
        query = f"?{sent.query}" if sent.query else ""
        reply = self.service.send(sent.method, self._place(base) + path + query, sent.headers, sent.body)
        response = RawResponse(reply.status, self._told(reply, request, base), reply.body)
        trace.media_type = dict(_lowered(response.headers)).get("content-type", "").partition(";")[0].strip().lower()
        taken = Taken(begun, self._tick(), trace.operation_id, trace.principal, path, request, reply)
        with self._lock:
            self._taken.append(taken)
        universe.journal.add(Entry(f"r{number}", now, universe.name, api.name, request, response, trace))
        self._judge(taken, sent, number)
        return response

    def _read(self, operation: Operation, request: RawRequest, match: PathMatch[str], trace: Trace) -> None:
        """Holds the request against the description, as the line does."""
        reading = RequestReader(operation).read(request, match.values)
        if isinstance(reading, Problem):
            trace.violations, trace.refused = reading.violations, reading  # which fails the test, whoever answers
        else:
            trace.notes, trace.meaning = reading.notes, self.served.model.meaning(operation.id)

    def _judge(self, taken: Taken, sent: RawRequest, number: int) -> None:
        target = taken.path + (f"?{sent.query}" if sent.query else "")
        wire = WireRequest(sent.method, target, taken.request.headers, sent.body)
        found = [
            self._told_openly(one) for one in self._judges(Recorded(number, taken.operation_id, wire, taken.reply))
        ]
        with self._lock:
            self._findings += found

    def _told_openly(self, finding: Finding) -> Finding:
        """A finding without the real credentials, should the service have repeated one."""
        shown = tuple(replace(one, got=self._hiding.hidden_in(one.got)) for one in finding.differences)
        return replace(finding, sentence=self._hiding.hidden(finding.sentence), differences=shown)

    def _tick(self) -> int:
        with self._lock:
            self._ticks += 1
            return self._ticks

    # Where it goes

    def _place(self, base: str) -> str:
        """The base path that comes behind the service's URL: the test's own, else the description's, if any."""
        return (base or self.served.api.base_paths[0]) if self.service.bare else ""

    def _told(self, reply: Reply, request: RawRequest, base: str) -> HeaderList:
        """The reply's headers, with places on the service as places on what the test believes to speak to."""
        there, here = self.service.base_url + self._place(base), request.url + base
        root = urlsplit(there).path
        told = []
        for name, value in reply.headers:
            if name.lower() in _NOT_TOLD:
                continue
            if name.lower() in _PLACES:
                value = value.replace(there, here)
                if value.startswith("/") and root != base and (value + "/").startswith(root + "/"):
                    value = base + value[len(root) :]
            told.append((name, value))
        return tuple(told)

    # Who sends it

    def _named(self, request: RawRequest) -> Credential | None:
        """The double's credential that a request carries."""
        cookies = {pair.strip() for pair in request.headers.get("cookie", "").split(";")}
        query = parse_qsl(request.query, keep_blank_values=True)
        for credential, headers, parameters in self._carried:
            here = all(value in cookies if name == "cookie" else request.headers.get(name) == value
                       for name, value in headers.items())  # fmt: skip
            if here and all(pair in query for pair in parameters.items()):
                return credential
        return None

    def _sent(self, request: RawRequest, operation: Operation | None, credential: Credential | None) -> RawRequest:
        """The request as it goes to the service: with the real credential in place of the double's."""
        service = self.service
        kept = {name: value for name, value in request.headers.items() if name.lower() not in _NOT_SENT}
        kept["accept-encoding"] = "identity"
        plain = {name: value for name, value in service.headers.items() if not is_credential(name)}
        if not service.headers and not service.named:
            return RawRequest(request.method, request.path, request.query, kept, request.body, request.url)
        given = self._given(request, operation, credential)
        if given is None:
            return RawRequest(
                request.method, request.path, request.query, _with(kept, plain), request.body, request.url
            )
        bare, query = self._without_credential(kept, request.query)
        headers = _with(_with(bare, plain), given)
        return RawRequest(request.method, request.path, query, headers, request.body, request.url)

    def _given(
        self, request: RawRequest, operation: Operation | None, credential: Credential | None
    ) -> Mapping[str, str] | None:
        """The headers that stand for what the request carries; None where it is to go out as it is.

        Without a credential, or with one that means nothing to the double, a test wants to be refused; and what the
        service has handed out before is the service's own.
        """
        service, now = self.service, self.universe.clock.now()
        if credential is not None:
            if credential.name in service.named:
                return service.named[credential.name]
            expired = credential.expires is not None and credential.expires <= now
            general = {name: value for name, value in service.headers.items() if is_credential(name)}
            if expired or not general:
                raise NotWhileRecording(
                    f"this test calls {self.served.name} as {credential.name!r}, and no real one was given",
                    hint=f"--mock-api-record-credential '{credential.name}=Authorization: Bearer ${{TOKEN}}'",
                )
            return general
        if not self.served.api.security_schemes:
            return service.headers
        if operation is None or not operation.security or self._is_its_own(request):
            return None
        found = self.served.line.authenticator.authenticate(operation, request, now, self.universe.state)
        return None if isinstance(found, Problem) or found[0] is None else service.headers

    def _is_its_own(self, request: RawRequest) -> bool:
        """Whether the request carries what an earlier reply of this test has shown."""
        names = {scheme.parameter.lower() for scheme in self.served.api.security_schemes.values()} | {"authorization"}
        texts = [value.rpartition(" ")[2].encode() for name, value in request.headers.items() if name in names]
        return any(len(text) > 7 and text in taken.reply.body for text in texts for taken in self._taken)

    def _without_credential(self, headers: Mapping[str, str], query: str) -> tuple[dict[str, str], str]:
        """Headers and query without what security schemes put there."""
        schemes = self.served.api.security_schemes.values()
        parameters = {scheme.parameter for scheme in schemes if scheme.location == "query"}
        cookies = {scheme.parameter for scheme in schemes if scheme.location == "cookie"}
        names = {scheme.parameter.lower() for scheme in schemes if scheme.location == "header"} | {"authorization"}
        kept = {name: value for name, value in headers.items() if name.lower() not in names}
        if cookies and "cookie" in kept:
            pairs = [pair.strip() for pair in kept.pop("cookie").split(";")]
            left = [pair for pair in pairs if pair.partition("=")[0] not in cookies]
            kept |= {"cookie": "; ".join(left)} if left else {}
        left = [pair for pair in query.split("&") if pair and pair.partition("=")[0] not in parameters]
        return kept, "&".join(left)


def _carried(api: Api, credentials: Sequence[Credential]) -> list[tuple[Credential, dict[str, str], dict[str, str]]]:
    """Each credential with the headers (in lower case) and query parameters that carry it."""
    found = []
    for credential in credentials:
        try:
            sent = carried(api.security_schemes[credential.scheme], credential.value)
        except ConfigurationError:
            continue  # a kind that does not travel in requests
        headers = {name.lower(): value for name, value in sent.headers.items()}
        found.append((credential, headers, dict(sent.query)))
    return found


def _with(headers: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Headers with others in place of those of the same name; cookies come together."""
    found = dict(headers)
    for name, value in given.items():
        held = found.pop(name.lower(), None)
        found[name.lower()] = f"{held}; {value}" if name.lower() == "cookie" and held else value
    return found


def _lowered(headers: HeaderList) -> list[tuple[str, str]]:
    return [(name.lower(), value) for name, value in headers]
