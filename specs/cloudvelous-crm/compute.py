"""Leads for testers, made up by the hundred."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mock_server.dataclass import dataclass
from mock_server.model.behaviours.creating import build
from mock_server.model.call import Call
from mock_server.model.computed import computed
from mock_server.model.meaning import Meaning
from mock_server.model.outcome import Outcome
from mock_server.model.problem import Problem
from mock_server.model.state import Change
from mock_server.model.world import World
from mock_server.openapi.values import Json


@computed("cloudvelous-generate-leads")
def generate_leads(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """As many stored leads as were asked for, all or none."""
    assert meaning.resource is not None
    count, source = int(call.body["count"]), call.body["source"]
    people = People.of(world.tables["cloudvelous"]["people"])
    first = world.state.counter(f"{meaning.resource.qualified}#key")
    ids: list[Any] = []
    changes: list[Change] = []
    for ordinal in range(first, first + count):
        built = build(world, meaning, call, {**people.person(ordinal), "source": source}, ())
        if isinstance(built, Problem):
            return built
        ids.append(built.key)
        changes += built.changes
    plural = "lead" if count == 1 else "leads"
    answer = {"count": count, "lead_ids": ids, "message": f"{count} {plural} generated"}
    return Outcome(meaning.status, answer, changes=tuple(changes), has_holes=True)


@dataclass(frozen=True, slots=True)
class People:
    """The lists that people are made up from; each ordinal gives another combination."""

    first_names: Sequence[str]
    last_names: Sequence[str]
    companies: Sequence[str]
    notes: Sequence[str]

    @classmethod
    def of(cls, table: Mapping[str, Json]) -> People:
        """The lists of a seed's table."""
        return cls(table["first_names"], table["last_names"], table["companies"], table["notes"])

    def person(self, ordinal: int) -> dict[str, Json]:
        """What a lead says of a person: no pair of names comes twice before all have come."""
        round_, place = divmod(ordinal, len(self.first_names))
        first = self.first_names[place]
        # The last names move on by one each round, so that a run of leads is not a run of relatives.
        last = self.last_names[(place * 7 + round_) % len(self.last_names)]
        company = self.companies[(ordinal * 5) % len(self.companies)]
        repeated = ordinal // (len(self.first_names) * len(self.last_names))
        suffix = str(repeated + 1) if repeated else ""
        domain = "".join(letter for letter in company.lower() if letter.isalnum())
        return {
            "name": f"{first} {last}",
            "email": f"{first}.{last}{suffix}@{domain}.example".lower(),
            "phone": f"+1{200 + ordinal * 37 % 800}55501{ordinal % 100:02}",
            "company": company,
            "notes": self.notes[(ordinal * 3) % len(self.notes)],
        }
