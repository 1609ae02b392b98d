"""What a run would do to a service, told before it does anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from contracts.bench import Task
from contracts.roster import Roster, behaviour_of

_NAMED = 6
_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})  # RFC 9110 §9.2.1
_OTHER = "does other things"
_VERBS = {
    "create": "creates",
    "create-many": "creates",
    "replace": "changes",
    "update": "changes",
    "act": "changes",
    "delete": "deletes",
    "clear": "deletes",
}


def writing(roster: Roster) -> dict[str, list[str]]:
    """The operations that write, by what they do: create, change, delete, or something that nothing is known of."""
    found: dict[str, list[str]] = {"creates": [], "changes": [], "deletes": [], _OTHER: []}
    for name in roster.operations:
        if roster.model.api.refs[name].method not in _SAFE:
            found[_VERBS.get(behaviour_of(roster.meaning(name), roster.model), _OTHER)].append(name)
    return {verb: names for verb, names in found.items() if names}


def warning(roster: Roster, url: str, *, closed: bool, clean_up: bool) -> Iterator[str]:
    """What a run does to the service, for a person to read before it begins."""
    found = writing(roster)
    if not found:
        yield f"nothing is written to {url}: the chosen operations only read"
        return
    for verb, names in found.items():
        yield f"{verb} {_some(names)}"
    if closed:
        yield "the service is reset before each attempt and at the end: whatever it holds is lost"
    elif clean_up:
        stays = lasting(roster)
        but = f", but for {_listed(stays)}, which no operation deletes" if stays else ""
        yield f"what is created is deleted at the end{but}"
        yield "what was there before may be changed or deleted"
    else:
        yield "what is created stays (--no-clean-up); what was there before may be changed or deleted"


def lasting(roster: Roster) -> list[str]:
    """The resources that a run may create items of and that no operation deletes items of."""
    model = roster.model
    removed = {
        meaning.resource.qualified
        for meaning in map(model.meaning, model.api.refs)
        if meaning.resource is not None and behaviour_of(meaning, model) == "delete"
    }
    return [roles.resource.name for name, roles in roster.resources.items() if roles.creates and name not in removed]


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"by {len(names)}: {', '.join(names[:_NAMED])}{more}"


def listed(tasks: Iterable[Task]) -> Iterator[str]:
    """Every task of a run, family by family."""
    by_family: dict[str, list[Task]] = {}
    for task in tasks:
        by_family.setdefault(str(task.family), []).append(task)
    for family, its in by_family.items():
        yield f"{family}: {len(its)}"
        for task in its:
            yield f"  {task.name}"
