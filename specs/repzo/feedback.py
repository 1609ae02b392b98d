"""Figures about the feedback that there is, previews of what is asked, and recommendations for a visit."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from html import escape
from statistics import fmean
from typing import Any

from mock_server.model.call import Call
from mock_server.model.computed import computed
from mock_server.model.meaning import Meaning, Reason
from mock_server.model.outcome import Outcome
from mock_server.model.problem import Kind, Problem
from mock_server.model.work import Work
from mock_server.model.world import World
from mock_server.openapi.values import Json, Violation

_NARROWING = ("activity_type", "rep", "template_id")
_SECONDS = {"text": 60, "multiple_choice": 20}
"""How long a question takes; 15 seconds where it is of another type."""


@computed("repzo-feedback-analytics")
def analytics(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """Count, mean and spread of the ratings of the days that were asked for, both ends included."""
    found = _asked(world, call, "activity-feedback")
    if isinstance(found, Problem):
        return found
    ratings = Counter(item["rating"] for item in found)
    by_type: dict[str, list[int]] = defaultdict(list)
    for item in found:
        by_type[item["activity_type"]].append(item["rating"])
    data = {
        "total_feedback": len(found),
        "average_rating": _mean(item["rating"] for item in found),
        "rating_distribution": {str(stars): ratings[stars] for stars in range(1, 6)},
        "by_activity_type": {
            name: {"count": len(given), "average_rating": _mean(given)} for name, given in sorted(by_type.items())
        },
    }
    return _figures(meaning, "activity-feedback", found, data)


@computed("repzo-feedback-analytics-v2")
def detailed_analytics(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """Totals, satisfaction day by day, and question by question."""
    found = _asked(world, call, "activity-feedback-v2")
    if isinstance(found, Problem):
        return found
    days: dict[str, list[int]] = defaultdict(list)
    for item in found:
        days[item["createdAt"][:10]].append(item["overall_satisfaction"])
    answered = [item for item in found if item.get("responses")]
    data = {
        "summary": {
            "total_feedback": len(found),
            "average_satisfaction": _mean(item["overall_satisfaction"] for item in found),
            "response_rate": round(100 * len(answered) / len(found), 2) if found else 0,
        },
        "satisfaction_trends": [
            {"date": day, "average_satisfaction": _mean(days[day]), "count": len(days[day])} for day in sorted(days)
        ],
        "question_analysis": list(_questions(answered)),
    }
    return _figures(meaning, "activity-feedback-v2", found, data)


def _asked(world: World, call: Call, resource: str) -> list[dict[str, Any]] | Problem:
    """The feedback that the query selects, or why it selects nothing that makes sense."""
    first, last = call.query.get("date_from"), call.query.get("date_to")
    if first is not None and last is not None and first > last:
        message = "is after date_to"
        violation = Violation("query", "", "range", first, f"at most {last}", message, "date_from")
        return Problem(Kind.INVALID, f"date_from {message}", (violation,))
    wanted = {name: call.query[name] for name in _NARROWING if name in call.query}
    return [
        item
        for item in Work.of(world, call).items(resource, **wanted)
        if (first is None or first <= item["createdAt"][:10]) and (last is None or item["createdAt"][:10] <= last)
    ]


def _figures(meaning: Meaning, resource: str, found: list[dict[str, Any]], data: Json) -> Outcome:
    counted = Reason("counted", f"{len(found)} of {resource}", "what the query selects of the state")
    return Outcome(meaning.status, {"success": True, "data": data}, reads=(resource,), reasons=(counted,))


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return round(fmean(listed), 2) if listed else 0


def _questions(answered: list[dict[str, Any]]) -> Iterator[dict[str, Json]]:
    """Every question that was answered, in the order in which it first was; scores are those of numbers."""
    responses: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for item in answered:
        for response in item["responses"]:
            responses[response.get("question_id", "")].append(response)
    for question, given in responses.items():
        values = [one.get("response_value") for one in given]
        numbers = [value for value in values if isinstance(value, int) and not isinstance(value, bool)]
        yield {
            "question_id": question,
            "question_text": next((one["question_text"] for one in given if "question_text" in one), ""),
            "average_score": _mean(numbers),
            "response_count": len(given),
        }


@computed("repzo-feedback-preview")
def preview(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The questions of a set as a plain form, and how long they take."""
    options = Work.of(world, call).get("feedback-options", str(call.path["id"]))
    if options is None:
        return Problem(Kind.NOT_FOUND, f"feedback-options {call.path['id']!r} does not exist")
    questions = options["questions"]
    rows = "".join(
        f"<li>{escape(each['question_text'])}{' *' if each.get('is_required') else ''}</li>" for each in questions
    )
    data = {
        "template_html": f"<form><h1>{escape(options['name'])}</h1><ol>{rows}</ol></form>",
        "estimated_completion_time": sum(_SECONDS.get(each["question_type"], 15) for each in questions),
        "question_count": len(questions),
    }
    return Outcome(meaning.status, {"success": True, "data": data}, reads=("feedback-options",))


@computed("repzo-feedback-templates")
def templates(world: World, meaning: Meaning, call: Call) -> Outcome:
    """The ready-made sets of questions, narrowed by category and type."""
    found = [
        each
        for each in world.tables["repzo"]["feedback_templates"]
        if all(each[name] == call.query[name] for name in ("category", "template_type") if name in call.query)
    ]
    return Outcome(meaning.status, {"success": True, "data": found})


@computed("repzo-recommend")
def recommend(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """What the client has ordered before, most often first, else what is sold at all; kept with the activity."""
    work, key = Work.of(world, call), str(call.path["id"])
    activity = work.get("activity-ai-sales-order", key)
    if activity is None:
        return Problem(Kind.NOT_FOUND, f"activity-ai-sales-order {key!r} does not exist")
    if activity.get("status") == "cancelled":
        return Problem(Kind.WRONG_STATE, "the activity is cancelled")
    ordered: Counter[str] = Counter()
    for order in (activity.get("inputData") or {}).get("historicalOrders") or []:
        for line in order.get("items") or []:
            ordered[line["product"]] += line.get("quantity", 1)
    times = len((activity.get("inputData") or {}).get("historicalOrders") or []) or 1
    made = [
        {
            "product": product,
            "quantity": max(1, round(quantity / times)),
            "confidence": round(min(0.95, 0.5 + quantity / sum(ordered.values()) / 2), 2),
            "reason": f"ordered {quantity} times in {times} orders",
        }
        for product, quantity in ordered.most_common(5)
    ] or [
        {"product": each["_id"], "quantity": 1, "confidence": 0.5, "reason": "sold to other clients"}
        for each in work.items("product")[:5]
        if each.get("active", True) and not each.get("disabled", False)
    ]
    work.merge("activity-ai-sales-order", key, {"recommendations": made, "status": "completed"})
    return work.outcome(meaning.status, {"success": True, "data": {"recommendations": made}})
