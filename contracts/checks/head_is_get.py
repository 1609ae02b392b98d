"""HEAD answers as GET does, without a body."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.checks.registry import Family, check
from contracts.drafting import Wishes
from contracts.findings import Difference
from contracts.relations import Subject, relation
from contracts.roster import Roster
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
    """Every path that describes both GET and HEAD."""
    refs = {name: roster.model.api.refs[name] for name in roster.operations}
    for head, ref in refs.items():
        for get, other in refs.items():
            if ref.method == "HEAD" and other.method == "GET" and ref.template.text == other.template.text:
                yield Subject(head, (head, get), roster.of(get))


@relation(CHECK, subjects, examples=6)
def says_the_same(trial: Trial, subject: Subject) -> None:
    """Sends GET, HEAD and GET again; what both GETs agree on, HEAD must say as well."""
    head, get = subject.operations
    roles = subject.roles
    keyed = trial.roster.meaning(get).key_parameter is not None
    item = trial.item(roles) if roles is not None and keyed else None
    first, _ = trial.call(get, Wishes(item=item, lean=True))
    before = trial.conversation.recorded[-1]
    trial.unless_refused(before)
    answer = trial.send(trial.draft(head, Wishes(values=first.values, item=item, lean=True, caller=first.caller)))
    after = trial.send(first)
    trial.conversation.recorded[:] = [before, after, answer]
    if before.status != after.status:
        trial.give_up(f"{get} does not answer alike twice")
    if answer.status != before.status:
        difference = Difference("status", before.status, answer.status, "is not the status of GET")
        trial.broken(CHECK, f"{head} answers {answer.status} where {get} answers {before.status}", difference)
        return
    if answer.reply.body:
        difference = Difference("/", "", answer.reply.body[:100].decode(errors="replace"), "is content")
        trial.broken(CHECK, f"{head} sends content", difference)
    for name in _SAME:
        got, wanted = answer.header(name), before.header(name)
        if got is not None and wanted is not None and got != wanted and after.header(name) == wanted:
            difference = Difference(f"header {name}", wanted, got, "is not the header of GET")
            trial.broken(CHECK, f"{head} has another {name} than {get}", difference)
