"""Blaming: what a failed check of Schemathesis says about whom, once its request has been verified."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from contracts.checks.schemathesis import PREFIX
from contracts.conformance.verification import Verified
from contracts.findings import Difference, Finding, Side
from contracts.judge import Verdict
from contracts.judging import place_of
from contracts.service import Recorded
from mock_server.dataclass import dataclass
from mock_server.openapi.compile import Api
from mock_server.openapi.description import Operation

OURS = {
    "not_a_server_error": "server_error",
    "status_code_conformance": "undescribed_status",
    "content_type_conformance": "reply_media_type",
    "response_schema_conformance": "reply_schema",
    "response_headers_conformance": "reply_headers",
}
"""Our reply check that judges what a check of theirs judges."""

AGREEING = {**OURS, "unsupported_method": "allow_header"}
"""Our reply check whose finding at an operation makes one of theirs a repetition."""

_NOT_FOR_A_VALID_REQUEST = frozenset({405, 406, 415})
"""Refusals by which a service denies what is described of it: the method, the media types."""

_ALWAYS = frozenset({"HEAD", "OPTIONS", "TRACE"})
"""Methods that a server may know of every resource, whatever is described (RFC 9110 §9.1, §9.3.7, §9.3.8)."""


@dataclass(frozen=True, slots=True)
class Failed:
    """One failure as Schemathesis tells it.

    ``check`` is its name there, ``sequence`` are the exchanges that show it, the telling one last.
    """

    check: str
    title: str
    message: str
    operation: Operation
    sequence: tuple[Recorded, ...]
    differences: tuple[Difference, ...] = ()

    @property
    def last(self) -> Recorded:
        return self.sequence[-1]

    @property
    def sentence(self) -> str:
        """Title and message in one line, without the statuses that we set ourselves, and without guesses."""
        told = " ".join(line for line in self.message.splitlines() if not line.startswith(("Expected:", "Hint:")))
        return " ".join(f"{self.title}: {told}".split()) if told else self.title


class Blame:
    """Turns failures into findings.

    ``verify`` reads a request as our reader does, ``judged`` as openapi-core does (None where it cannot). ``silent``
    says whether a reply check of ours was made on an exchange and found nothing; ``opaque`` whether a valid request
    holds a value that only the service can give out; ``expected`` whether the double refuses a request, too. ``closed``
    is the kind of world.
    """

    def __init__(
        self,
        api: Api,
        *,
        verify: Callable[[Recorded], Verified],
        judged: Callable[[Recorded], Verdict | None],
        silent: Callable[[Recorded, str], bool],
        opaque: Callable[[Recorded], bool],
        expected: Callable[[Recorded], bool],
        closed: bool,
        seed: int,
    ) -> None:
        self._api = api
        self._verify = verify
        self._judged = judged
        self._silent = silent
        self._opaque = opaque
        self._expected = expected
        self._closed = closed
        self._seed = seed
        self._weigh: dict[str, Callable[[Finding, Failed], Finding | None]] = {
            "negative_data_rejection": self._accepted,
            "missing_required_header": self._accepted,
            "positive_data_acceptance": self._refused,
            "unsupported_method": self._method,
            "allow_header_conformance": self._allow,
            "use_after_free": self._over_time,
            "ensure_resource_availability": self._over_time,
            "ignored_auth": self._credentials,
        }

    def __call__(self, failed: Failed) -> Finding | None:
        """The finding that a failure makes, None where nobody is to blame."""
        found = Finding(
            PREFIX + failed.check,
            Side.SERVICE,
            failed.sentence,
            failed.operation.id,
            failed.sequence,
            failed.differences,
            place_of(self._api, failed.operation.located),
            seed=self._seed,
        )
        return self._weigh.get(failed.check, self._reply)(found, failed)

    def _reply(self, found: Finding, failed: Failed) -> Finding | None:
        """What is about a reply: ours was made on the same exchange, so its silence is a disagreement."""
        if failed.check in OURS and failed.last.operation_id != failed.operation.id:
            return None  # the request led elsewhere, and so did its reply
        if failed.check == "not_a_server_error" and failed.operation.describes(failed.last.status):
            return None  # 502 and 503 may be part of what is described
        if failed.check == "content_type_conformance" and failed.operation.response_for(failed.last.status) is None:
            return None  # of a reply that is not described nobody can say what it should be like
        ours = OURS.get(failed.check)
        if ours is not None and self._silent(failed.last, ours):
            return _asked(found, f"the check {ours}, made on the same reply, finds nothing")
        return found

    def _accepted(self, found: Finding, failed: Failed) -> Finding | None:
        """Something invalid was accepted, if it is still invalid on the wire."""
        wire = self._verify(failed.last)
        if not wire.violates(failed.operation.id) or not failed.last.status < 400:
            return None
        violated = found.noting(f"the request is invalid: {wire.violation}")
        judged = self._judged(failed.last)
        if judged is not None and judged.valid:
            return _asked(violated, "openapi-core takes the request for a valid one; the description reads in two ways")
        status = Difference("status", "4xx", failed.last.status, "an invalid request was accepted")
        return replace(violated, differences=(status,))

    def _refused(self, found: Finding, failed: Failed) -> Finding | None:
        """Something valid was refused, if it is valid on the wire. Most refusals are rules that no schema can say."""
        if not self._verify(failed.last).is_valid_for(failed.operation.id) or self._opaque(failed.last):
            return None
        status = failed.last.status
        weighed = replace(found, differences=(Difference("status", "2xx", status, "a valid request was refused"),))
        judged = self._judged(failed.last)
        if judged is not None and not judged.valid:
            return _asked(weighed, f"openapi-core takes the request for an invalid one: {'; '.join(judged.reasons)}")
        if status in _NOT_FOR_A_VALID_REQUEST or failed.operation.response_for(status) is None:
            return weighed
        if self._expected(failed.last):
            return None  # a rule that is known
        return _asked(weighed, f"{status} is described: it may be a rule that the schemas do not say")

    def _method(self, found: Finding, failed: Failed) -> Finding | None:
        """A method that is not described: a question, unless it is a described path after all."""
        if self._verify(failed.last).operation_id is not None:
            return None  # the same address is described by another path
        if failed.last.status == 405:
            return found  # RFC 9110 §15.5.6: 405 carries Allow
        return _asked(found, f"{failed.last.request.method} is not described here, and nothing demands a 405 for it")

    def _allow(self, found: Finding, failed: Failed) -> Finding | None:
        if "Missing documented methods" in failed.message:
            return found
        told = {method.strip().upper() for method in (failed.last.header("allow") or "").split(",")}
        template = self._api.refs[failed.operation.id].template.text
        described = {ref.method for ref in self._api.refs.values() if ref.template.text == template}
        if told <= described | _ALWAYS:
            return None  # methods for which Schemathesis has no eyes, such as those of OAS 3.2
        return _asked(found, "the service knows methods that are not described")

    def _over_time(self, found: Finding, failed: Failed) -> Finding | None:
        """Between two requests others may write, where the service is not ours alone."""
        if self._closed:
            return found
        return _asked(found, "others may have written to the service meanwhile")

    def _credentials(self, found: Finding, failed: Failed) -> Finding | None:
        if failed.last.ok:
            status = Difference("status", 401, failed.last.status, "a request without a valid credential was accepted")
            return replace(found, differences=(status,))
        return _asked(found, "the request was refused, but for another reason than its credential")


def _asked(found: Finding, why: str) -> Finding:
    """The finding as a question to the description."""
    return replace(found, side=Side.DESCRIPTION).noting(why)
