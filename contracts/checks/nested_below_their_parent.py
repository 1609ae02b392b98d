"""What was created below one parent is not shown below another."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.checks.registry import Family, check
from contracts.drafting import Wishes
from contracts.findings import Difference
from contracts.likeness import changed, touched
from contracts.pool import Item
from contracts.relations import Subject, relation
from contracts.roster import Roles, Roster
from contracts.trial import Trial
from mock_server.openapi.values import Json

CHECK = check(
    "nested_below_their_parent",
    Family.RELATION,
    summary="An item of one parent is neither read nor listed below another parent.",
    source="RFC 3986 §3.3: a path is hierarchical; RFC 9110 §3.1: a URI identifies one resource",
    example="a read that looks for the item by its own key alone",
)


def subjects(roster: Roster) -> Iterator[Subject]:
    """Every resource with a parent that is a resource itself, and that is read or listed below it."""
    for roles in roster.resources.values():
        above = _parent(roster, roles)
        if above is not None and roles.creates and roles.resource.key is not None:
            for shows in (*roles.reads, *roles.lists):
                if len(roster.model.facts(roster.meaning(shows)).scope) == len(roles.resource.parents):
                    operations = (shows, *roles.creates, *above.creates)
                    yield Subject(f"{roles.resource.name} {shows}", operations, roles)


def _parent(roster: Roster, roles: Roles) -> Roles | None:
    """The operations on the resource that is directly above."""
    parents = roles.resource.parents
    if not parents or parents[-1].resource is None:
        return None
    found = roster.model.resource(parents[-1].resource)
    return roster.resources.get(found.qualified) if found is not None else None


@relation(CHECK, subjects, examples=6)
def stays_below(trial: Trial, subject: Subject) -> None:
    """Creates an item below one parent and looks for it below another one."""
    roles = subject.roles
    assert roles is not None
    above = _parent(trial.roster, roles)
    assert above is not None
    item = trial.make(roles)
    other = _another(trial, item, above)
    shows = subject.operations[0]
    meaning = trial.roster.meaning(shows)
    facts = trial.roster.model.facts(meaning)
    moved = Item(item.resource, (*item.scope[: len(item.scope) - 1], other.key), item.key, item.value)
    if shows in roles.lists:
        listed = trial.walk(trial.beside(moved, shows), until=trial.is_of(item))
        entry = next((shown for shown in listed.items if trial.is_of(item)(shown)), None)
        if entry is not None and _is_same(item, entry):
            difference = Difference("/", None, item.key, f"was created below {item.parents[-1]}")
            trial.broken(CHECK, f"{shows} shows an item of another parent", difference)
        return
    path: dict[tuple[str, str], Json] = {
        ("path", name): key for name, key in zip(facts.scope, moved.parents, strict=True)
    }
    shown = trial.send(trial.about(item, shows, Wishes(values=path, lean=True)))
    if shown.ok and _is_same(item, trial.representation(shown)):
        difference = Difference("status", 404, shown.status, f"the item was created below {item.parents[-1]}")
        trial.broken(CHECK, f"{shows} shows an item below another parent", difference)


def _another(trial: Trial, item: Item, above: Roles) -> Item:
    """Another parent below the same grandparents."""
    known = [other for other in trial.pool.items(above.resource)
             if other.key != item.parents[-1] and other.parents == item.parents[:-1]]  # fmt: skip
    owned = [other for other in known if other.tenant in {"", item.tenant}]
    if owned and not (above.creates and trial.flag()):
        return trial.choice(owned)
    if not above.creates:
        trial.give_up(f"there is no other of {above.resource.name}")
    path = {("path", name): key for name, key in zip(_names(trial, above), item.parents[:-1], strict=False)}
    other = trial.make(above, Wishes(values=path))
    if other.key == item.parents[-1] or other.parents != item.parents[:-1]:
        trial.give_up("the other parent is the same one, or lies elsewhere")
    return other


def _names(trial: Trial, above: Roles) -> tuple[str, ...]:
    return trial.roster.model.facts(trial.roster.meaning(above.creates[0])).scope


def _is_same(item: Item, shown: Json) -> bool:
    """Whether a representation is that of the item: another one may go by the same number below another parent."""
    if not isinstance(shown, dict) or not isinstance(item.value, dict):
        return False
    passed_over = touched(item.resource) | {parent.property or "" for parent in item.resource.parents}
    common = set(shown) & set(item.value)
    return not any(changed({n: item.value[n] for n in common}, {n: shown[n] for n in common}, passed_over=passed_over))
