"""The class of a lead, by the seed's rule table; the rules for texts are shared with the Analytics API."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from mock_server.model.call import Call
from mock_server.model.computed import computed
from mock_server.model.meaning import Meaning, Reason
from mock_server.model.outcome import Outcome
from mock_server.model.problem import Kind, Problem
from mock_server.model.world import World
from mock_server.openapi.values import Json
from mock_server.packs import run_computations

run_computations(Path(__file__).parent.parent / "cloudvelous-shared" / "sentiment.py")

_WORD = re.compile(r"[a-z0-9'-]+")
_USERS = re.compile(r"(?<!\d)(\d[\d,]{0,11})\+?\s+(?:users|seats|employees|people|licen[cs]es)")


@computed("cloudvelous-classify-lead")
def classify_lead(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The class with the most signs, the first one among equals; 404 for a lead that does not exist."""
    assert meaning.resource is not None
    lead_id = call.body["lead_id"]
    if world.entry(meaning.resource, (), lead_id) is None:
        return Problem(Kind.NOT_FOUND, f"lead {lead_id!r} does not exist")
    table = world.tables["cloudvelous"]["classification"]
    text = call.body["text_content"].lower()
    size = call.body.get("context", {}).get("company_size", "")
    signs = {row["classification"]: _signs(row, text, size) for row in table["classes"]}
    best = max(table["classes"], key=lambda row: signs[row["classification"]])
    count = signs[best["classification"]]
    row = best if count else table["otherwise"]
    rule, size_tags = table["confidence"], table["size_tags"]
    tags = [row["classification"], *([size_tags[size]] if size in size_tags else []), *row["tags"]]
    body = {
        "lead_id": lead_id,
        "classification": row["classification"],
        "confidence": round(min(rule["most"], rule["least"] + rule["step"] * count), 2),
        "priority": row["priority"],
        "recommended_action": row["recommended_action"],
        "tags": tags,
    }
    counted = ", ".join(f"{name} {number}" for name, number in signs.items())
    why = Reason("classification", f"signs: {counted}", "the seed's table cloudvelous.classification")
    return Outcome(meaning.status, body, reads=(f"{meaning.resource.qualified}/{lead_id}",), reasons=(why,))


def _signs(row: Mapping[str, Json], text: str, size: str) -> int:
    """How many signs of a class there are: its words, a number of users in its range, its company size."""
    words = set(_WORD.findall(text))
    users = [int(found.replace(",", "")) for found in _USERS.findall(text)]
    low, high = row["users"]
    in_range = any(low <= number and (high is None or number <= high) for number in users)
    named = [word for word in row["words"] if word in words]
    fitting: bool = size == row["company_size"]
    return len(named) + in_range + fitting
