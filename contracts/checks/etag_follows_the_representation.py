"""An entity tag stays while the representation stays, changes when that changes, and saves a transfer."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.checks.registry import Family, check
from contracts.drafting import repinned
from contracts.findings import Difference
from contracts.preconditions import changed, describes
from contracts.relations import Subject, relation
from contracts.roster import Roster
from contracts.service import same_json
from contracts.trial import Trial
from mock_server.openapi.description import Operation

CHECK = check(
    "etag_follows_the_representation",
    Family.RELATION,
    summary="An ETag is the same for the same representation, another for another, and If-None-Match answers 304.",
    source="RFC 9110 §8.8.1, §8.8.3 and §13.1.2",
    example="an ETag that does not change when the item does",
)


def subjects(roster: Roster) -> Iterator[Subject]:
    """Every read that describes an ETag, or what is asked with one."""
    for roles in roster.resources.values():
        for read in roles.reads:
            operation = roster.model.api.operation(read)
            if operation.method == "GET" and (_tagged(operation) or _conditional(operation)):
                yield Subject(read, (*roles.creates, *roles.updates, *roles.replaces, read), roles)


def _tagged(operation: Operation) -> bool:
    return any(
        header.name.lower() == "etag"
        for status, response in operation.responses.items()
        if status.startswith("2")
        for header in response.headers
    )


def _conditional(operation: Operation) -> bool:
    return "304" in operation.responses or describes(operation, "If-None-Match")


@relation(CHECK, subjects, examples=8)
def tags_follow(trial: Trial, subject: Subject) -> None:
    """Reads an item twice, asks whether it has changed, changes it, and reads again."""
    roles = subject.roles
    assert roles is not None
    read = subject.operations[-1]
    item = trial.item(roles)
    draft = trial.about(item, read)
    once, again = trial.send(draft), trial.send(draft)
    trial.unless_refused(once)
    tag = once.header("etag")
    if not once.ok or tag is None:
        trial.give_up(f"{read} answers {once.status} without an ETag")
    if once.reply.body == again.reply.body and again.header("etag") != tag:
        trial.broken(CHECK, "the ETag changes though the representation does not",
                     Difference("header ETag", tag, again.header("etag"), ""))  # fmt: skip
        return
    operation = trial.drafter.api.operation(read)
    if _conditional(operation) and once.reply.body == again.reply.body:
        asked = trial.send(repinned(draft, trial.drafter, {("header", "If-None-Match"): tag}))
        if asked.status == 200 and asked.header("etag") == tag:
            trial.broken(CHECK, "If-None-Match with the current ETag is not answered 304",
                         Difference("status", 304, asked.status, ""))  # fmt: skip
            return
    changed(trial, roles, item)
    after = trial.send(draft)
    same = same_json(trial.representation(again), trial.representation(after))
    if after.ok and not same and after.header("etag") == tag and not tag.startswith("W/"):
        trial.broken(CHECK, "the ETag stays though the representation has changed",
                     Difference("header ETag", "another", tag, ""))  # fmt: skip
    elif _conditional(operation) and not same:
        asked = trial.send(repinned(draft, trial.drafter, {("header", "If-None-Match"): tag}))
        if asked.status == 304:
            trial.broken(CHECK, "If-None-Match with an ETag of before a change is answered 304",
                         Difference("status/stale", 200, asked.status, ""))  # fmt: skip
