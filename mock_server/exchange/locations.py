"""Where an answer says that an item is, and in which version: Location and ETag."""

from __future__ import annotations

from urllib.parse import quote

from mock_server.exchange.messages import HeaderList
from mock_server.model.call import Call
from mock_server.model.meaning import Meaning, Resource
from mock_server.model.outcome import Outcome, key_text


def outcome_headers(outcome: Outcome, meaning: Meaning, call: Call) -> HeaderList:
    """The headers that an outcome brings, entity tag and location included."""
    headers = outcome.headers
    if outcome.etag is not None:
        headers = (*headers, ("ETag", outcome.etag))
    if outcome.status == 201 and outcome.location_key is not None:
        location = _location(meaning.resource, call, key_text(outcome.location_key))
        if location is not None:
            headers = (*headers, ("Location", location))
    return headers


def _location(resource: Resource | None, call: Call, key: str) -> str | None:
    """The URL of a created item, where its path has no parameter that the call did not have."""
    if resource is None or resource.item_path is None or resource.key_parameter is None:
        return None
    path = resource.item_path.replace("{" + resource.key_parameter + "}", segment(key))
    for name, value in call.path.items():
        path = path.replace("{" + name + "}", segment(key_text(value)))
    return None if "{" in path else call.url + path


def template_of(meaning: Meaning) -> tuple[str, str] | None:
    """What stands before and behind the key in a created item's path; None where more than the key is to be filled."""
    resource = meaning.resource
    if resource is None or resource.item_path is None or resource.key_parameter is None:
        return None
    before, hole, after = resource.item_path.partition("{" + resource.key_parameter + "}")
    return (before, after) if hole and "{" not in before + after else None


def segment(text: str) -> str:
    """A key as a path segment; dots alone are escaped, since clients take them for steps (RFC 3986 §5.2.4)."""
    if text in {".", ".."}:
        return text.replace(".", "%2E")
    return text if text.isalnum() and text.isascii() else quote(text, safe="-._~!$&'()*+,;=:@")
