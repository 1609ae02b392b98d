"""Whatever is asked of the control API, it answers as its description says, and never by failing."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.web.control.blueprint import description
from tests.unit.web.controlled import Double, double

_ZOO: Double = double()
_NAMES = st.sampled_from(["pets", "1", "2", "default", "one", "r1", "x", "..", "a/b", "é", "%", "\x00", "~"])
_INSTANTS = st.sampled_from(["2030-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "24:00"])
_DURATIONS = st.sampled_from(["PT1H", "-P1Y", "P8999Y", "P1W", "PT0.5S", "P", "PT1e9S", "P9999999999999D"])
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    _NAMES,
    _INSTANTS,
    _DURATIONS,
)
_MEMBERS = st.sampled_from(
    ["pets", "id", "name", "status", "freeze", "advance", "operation_id", "api", "delay", "reset", "probability",
     "count", "scheme", "subject", "scopes", "lifetime", "claims", "scope", "items", "$key"]
)  # fmt: skip
_BODIES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_MEMBERS, inner, max_size=3),
    max_leaves=8,
)
_QUERIES = st.dictionaries(
    st.sampled_from(["session", "status", "limit", "method", "violations", "secrets", "path", "x"]),
    st.text(max_size=4),
    max_size=2,
)


@st.composite
def _requests(draw: st.DrawFn) -> tuple[str, str, dict[str, Any]]:
    """Method, path below ``/__mock__``, and what is sent with it, for some operation."""
    ref = draw(st.sampled_from(sorted(description().refs.values(), key=lambda ref: ref.id)))
    path = ref.template.text
    for name in ref.template.parameters:
        path = path.replace(f"{{{name}}}", quote(draw(_NAMES), safe=""))
    sent: dict[str, Any] = {"query_string": draw(_QUERIES)}
    if ref.method in {"POST", "PUT", "PATCH"}:
        sent["json"] = draw(_BODIES)
    return ref.method, path, sent


@given(asked=_requests())
@settings(max_examples=300)
def test_nothing_that_is_asked_makes_the_control_api_fail(asked: tuple[str, str, dict[str, Any]]) -> None:
    method, path, sent = asked
    _ZOO.control(method, path, **sent)  # judges the answer, and refuses a 5xx
    assert _ZOO.call("GET", "/__session__/untouched/pets").status_code == 200


def test_described_bodies_with_every_member_wrong_are_refused() -> None:
    for operation_id, ref in description().refs.items():
        body = description().operation(operation_id).request_body
        if body is not None:
            path = ref.template.text.replace("{api}", "pets").replace("{resource}", "pets").replace("{key}", "1")
            answer = _ZOO.control(ref.method, path, json="a text is never a body")
            assert answer.status_code == 422, operation_id
