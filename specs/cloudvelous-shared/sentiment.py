"""The mood of a text, by the rule tables of the seed: for the AI Agent's texts and for the notes of leads.

Both services answer by the same rules, so both packs run this file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from mock_server.dataclass import dataclass
from mock_server.model.call import Call
from mock_server.model.clock import rfc3339
from mock_server.model.computed import computed
from mock_server.model.meaning import Meaning, Reason
from mock_server.model.outcome import Outcome
from mock_server.model.problem import Kind, Problem
from mock_server.model.world import World
from mock_server.openapi.values import Json

_WORD = re.compile(r"[a-z0-9']+")
_NEGATION_REACH = 2
"""How many words before a telling word a negation may stand: "not happy", "never been happy"."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a text says: its mood, how sure that is, and the table's rows for what it speaks of, in order."""

    sentiment: str
    confidence: float
    entities: tuple[Mapping[str, Json], ...]


@computed("cloudvelous-analyze-text")
def analyze_text(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The verdict on the text in the body, with a sentence that sums it up."""
    table = world.tables["cloudvelous"]["sentiment"]
    verdict = judge(call.body["text"], table)
    body = {
        "sentiment": verdict.sentiment,
        "confidence": verdict.confidence,
        "entities": [
            {"text": row["text"], "type": row["type"], "confidence": row["confidence"]} for row in verdict.entities
        ],
        "summary": _summary(verdict, table),
    }
    return Outcome(meaning.status, body, reasons=(_by_table("text"),))


@computed("cloudvelous-lead-sentiment")
def lead_sentiment(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The verdict on a lead's notes; 404 for a lead that does not exist."""
    assert meaning.resource is not None
    lead_id = call.query["lead_id"]
    entry = world.entry(meaning.resource, (), lead_id)
    if entry is None:
        return Problem(Kind.NOT_FOUND, f"lead {lead_id!r} does not exist")
    verdict = judge(entry.value.get("notes", ""), world.tables["cloudvelous"]["sentiment"])
    body = {
        "lead_id": lead_id,
        "sentiment": verdict.sentiment,
        "confidence": verdict.confidence,
        "entities": [row["text"] for row in verdict.entities],
        "analysis_date": rfc3339(world.now),
    }
    read = f"{meaning.resource.qualified}/{lead_id}"
    return Outcome(meaning.status, body, reads=(read,), reasons=(_by_table("the lead's notes"),))


def _by_table(judged: str) -> Reason:
    return Reason("sentiment", f"judged from {judged}", "the seed's table cloudvelous.sentiment")


def judge(text: str, table: Mapping[str, Json]) -> Verdict:
    """The verdict on a text.

    Every telling word speaks for its mood, or for the opposite one after a negation. The mood with more words
    wins; each word that it is ahead raises the confidence by one step.
    """
    words = _WORD.findall(text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))
    balance = sum(_tendency(words, index, table) for index in range(len(words)))
    sentiment = "positive" if balance > 0 else "negative" if balance < 0 else "neutral"
    rule = table["confidence"]
    confidence = min(rule["most"], rule["least"] + rule["step"] * abs(balance))
    named = {word: row for row in table["entities"] for word in row["words"]}
    spoken_of = {named[word]["text"]: named[word] for word in words if word in named}
    return Verdict(sentiment, round(confidence, 2), tuple(spoken_of.values()))


def _tendency(words: Sequence[str], index: int, table: Mapping[str, Json]) -> int:
    """1 for a word that speaks well, -1 for one that speaks ill, 0 for the others."""
    word = words[index]
    tendency = 1 if word in table["positive"] else -1 if word in table["negative"] else 0
    before = words[max(0, index - _NEGATION_REACH) : index]
    return -tendency if any(earlier in table["negations"] for earlier in before) else tendency


def _summary(verdict: Verdict, table: Mapping[str, Json]) -> str:
    degree = next(row["word"] for row in table["degrees"] if verdict.confidence >= row["from"])
    mood = verdict.sentiment if verdict.sentiment == "neutral" else f"{degree} {verdict.sentiment}"
    names = [row["text"] for row in verdict.entities]
    about = f" about {_enumerated(names)}" if names else ""
    return f"{mood} feedback{about}".capitalize()


def _enumerated(names: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b, and c``."""
    if len(names) < 3:
        return " and ".join(names)
    return f"{', '.join(names[:-1])}, and {names[-1]}"
