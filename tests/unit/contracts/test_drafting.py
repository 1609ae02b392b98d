"""Drafts are valid, repeatable, and about things that exist."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from contracts.callers import seeded_callers
from contracts.drafting import Drafter, Wishes
from contracts.pool import Pool
from contracts.roster import Roster
from contracts.service import presented
from mock_server.exchange.messages import RawRequest
from mock_server.model.problem import Kind, Problem
from mock_server.packs import pack, source_of
from mock_server.sandbox import Sandbox, Served

SHOP = Path(__file__).parents[2] / "acceptance" / "descriptions" / "shop.yaml"


@cache
def sandbox(name: str) -> Sandbox:
    return Sandbox([pack(name) if name != "shop" else source_of(str(SHOP))])


def served(name: str) -> Served:
    return next(iter(sandbox(name).apis.values()))


@cache
def drafter(name: str) -> Drafter:
    api = served(name)
    return Drafter(Roster(api.model), seeded_callers(api, now=api.model.epoch))


@cache
def pool(name: str) -> Pool:
    return Pool(served(name).model, state=sandbox(name).universes.default.state)


@given(
    st.sampled_from(["kirimdev", "layercake", "shop"]), st.data(), st.integers(0, 4095), st.booleans(), st.booleans()
)
def test_every_draft_is_a_valid_request(name: str, data: st.DataObject, number: int, lean: bool, odd: bool) -> None:
    operation_id = data.draw(st.sampled_from(sorted(served(name).api.refs)))
    draft = drafter(name).draft(operation_id, pool(name), number, Wishes(lean=lean, odd=odd))
    if draft is None:
        return
    request = presented(draft.request, draft.caller) if draft.caller is not None else draft.request
    path, _, query = request.target.partition("?")
    headers = {key.lower(): value for key, value in request.headers.items()}
    raw = RawRequest(request.method, path, query, headers, request.body, "http://localhost")
    found = served(name).line.predict(raw, sandbox(name).universes.default)
    unread = {Kind.INVALID, Kind.MISSING, Kind.MALFORMED, Kind.NO_ROUTE, Kind.UNSUPPORTED_MEDIA_TYPE}
    refused = isinstance(found.result, Problem) and found.call is None and found.result.kind in unread
    assert not refused, found.result


@given(st.integers(0, 4095))
def test_a_number_says_which_draft(number: int) -> None:
    first, again = (drafter("kirimdev").draft("createContact", pool("kirimdev"), number) for _ in range(2))
    assert first is not None
    assert again is not None
    assert first.request == again.request


def test_paths_name_what_exists() -> None:
    drafts = [drafter("kirimdev").draft("getContact", pool("kirimdev"), number) for number in range(20)]
    known = {item.key for item in pool("kirimdev").items(served("kirimdev").model.named_resource("contacts"))}
    assert {draft.path["id"] for draft in drafts if draft is not None} <= known


def test_nothing_is_drafted_about_what_is_not_there() -> None:
    assert drafter("shop").draft("getProduct", Pool(served("shop").model), 0) is None
