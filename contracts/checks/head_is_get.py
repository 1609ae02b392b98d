"""HEAD answers as GET does, without a body."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus

from contracts.checks.registry import Family, check
from contracts.drafting import Wishes
from contracts.findings import Difference
from contracts.relations import Subject, relation
from contracts.roster import Roster
from contracts.service import Recorded
from contracts.trial import Trial

CHECK = check(
    "head_is_get",
    Family.RELATION,
    summary="HEAD has the status and the header fields of GET, and no content.",
    source="RFC 9110 §9.3.2: HEAD is identical to GET except that no content is sent",
    example="a HEAD that answers 404 where GET answers 200",
)

_SAME = ("content-type", "etag", "content-length", "last-modified")


def subjects(roster: Roster) -> Iterator[Subject]:
    """Every GET of a resource, and every path that describes both GET and HEAD."""
    refs = {name: roster.model.api.refs[name] for name in roster.operations}
    heads = {ref.template.text: name for name, ref in refs.items() if ref.method == "HEAD"}
    for get, ref in refs.items():
        if ref.method == "GET":
            head = heads.get(ref.template.text)
            if head is not None or roster.of(get) is not None:
                yield Subject(head or get, (get, *filter(None, (head,))), roster.of(get))


@relation(CHECK, subjects, examples=4)
def says_the_same(trial: Trial, subject: Subject) -> None:
    """Sends GET, HEAD and GET again; what both GETs agree on, HEAD must say as well."""
    get, *described = subject.operations
    roles = subject.roles
    keyed = trial.roster.meaning(get).key_parameter is not None
    item = trial.item(roles) if roles is not None and keyed else None
    first, _ = trial.call(get, Wishes(item=item, lean=True))
    before = trial.conversation.recorded[-1]
    trial.unless_refused(before)
    if described:
        wishes = Wishes(values=first.values, item=item, lean=True, caller=first.caller)
        answer = trial.send(trial.draft(described[0], wishes))
    else:
        answer = replace(trial.ask(replace(first.request, method="HEAD"), first.caller), operation_id=get)
        if 400 <= answer.status < 500 or answer.status == HTTPStatus.NOT_IMPLEMENTED:
            trial.give_up(f"HEAD of {get} is not described, and refused with {answer.status}")
    after = trial.send(first)
    trial.conversation.recorded[:] = [before, after, answer]
    if before.status != after.status:
        trial.give_up(f"{get} does not answer alike twice")
    _compare(trial, get, (before, after), answer)


def _compare(trial: Trial, get: str, gets: tuple[Recorded, Recorded], answer: Recorded) -> None:
    before, after = gets
    if answer.status != before.status:
        difference = Difference("status", before.status, answer.status, "is not the status of GET")
        trial.broken(CHECK, f"HEAD answers {answer.status} where {get} answers {before.status}", difference)
        return
    if answer.reply.body:
        difference = Difference("/", "", answer.reply.body[:100].decode(errors="replace"), "is content")
        trial.broken(CHECK, f"HEAD of {get} sends content", difference)
    for name in _SAME:
        got, wanted = answer.header(name), before.header(name)
        if got is not None and wanted is not None and got != wanted and after.header(name) == wanted:
            difference = Difference(f"header {name}", wanted, got, "is not the header of GET")
            trial.broken(CHECK, f"HEAD has another {name} than {get}", difference)
