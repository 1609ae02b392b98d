"""Answers: JSON with its headers, pages of lists, and merge patches."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import Response

from tests.planted_bugs.bakery.shop import Item, planted


def answer(
    value: Any, *, status: int = 200, location: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """A success; ``value`` None has no body."""
    sent = dict(headers or {})
    if location is not None and not planted("location_missing"):
        sent["Location"] = location
    if status == 201 and planted("created_says_200"):
        status = 200
    if value is None:
        return Response(status=status, headers=sent)
    media_type = "text/plain" if planted("wrong_media_type") and status == 201 else "application/json"
    return Response(json.dumps(value), status, sent, mimetype=media_type)


def page(items: list[Item], asked: Item, *, counted: str) -> Response:
    """A page by limit and offset, with how many there are on all."""
    offset, limit = asked["offset"], asked["limit"]
    if planted("page_off_by_one") and offset:
        offset += 1
    if planted("page_overlaps") and offset:
        offset -= 1
    if planted("limit_off_by_one"):
        limit += 1
    shown = items[offset : offset + limit]
    total = len(items)
    if planted("total_off_by_one") and counted == "products":
        total += 1
    if planted("total_counts_page"):
        total = len(shown)
    return answer({"items": shown, "total": total})


def merged(target: Any, patch: Any) -> Any:
    """What a target becomes by a merge patch (RFC 7396 §2)."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result
