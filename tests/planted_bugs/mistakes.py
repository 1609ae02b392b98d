"""The mistakes that are made to packs; each knows only what operations mean, not whose they are."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from contracts.service import Reply
from mock_server.model.state import Put, Remove, commit
from tests.planted_bugs.tampering import (
    Mistake,
    Scene,
    Sent,
    keys_of,
    lacking,
    media_typed,
    on_items,
    on_list,
    on_stored,
    optional_members,
    rekeyed,
    succeeded,
    with_json,
    without_headers,
)

_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T[0-9:.]+(Z|[+-]\d{2}:\d{2})\Z")
_PROBLEM = b'{"error": {"code": "not_found", "message": "not found"}}'


MISTAKES: dict[str, Mistake] = {}


def mistake(made: Mistake) -> Mistake:
    """Registers a mistake under the name of its function."""
    MISTAKES[made.__name__] = made
    return made


# Behind the answers: in the state


@mistake
def delete_does_nothing(scene: Scene, sent: Sent) -> Reply:
    before = scene.universe.state
    reply = scene.answer(sent)
    if sent.behaviour == "delete":
        scene.universe.state = before
    return reply


@mistake
def action_does_nothing(scene: Scene, sent: Sent) -> Reply:
    before = scene.universe.state
    reply = scene.answer(sent)
    if sent.behaviour == "act":
        scene.universe.state = before
    return reply


@mistake
def update_is_lost(scene: Scene, sent: Sent) -> Reply:
    before = scene.universe.state
    reply = scene.answer(sent)
    if sent.behaviour in {"update", "replace"}:
        scene.universe.state = before
    return reply


@mistake
def create_loses_member(scene: Scene, sent: Sent) -> Reply:
    before = scene.universe.state
    reply = scene.answer(sent)
    if sent.behaviour == "create" and succeeded(reply) and isinstance(sent.json, dict):
        told = {name for name, value in sent.json.items() if value not in (None, "", [], {}, False)}
        lost = set(sorted(scene.optional(sent.operation_id) & told)[:1])
        on_stored(scene, sent, before, lambda value: lacking(value, lost))
    return reply


@mistake
def patch_replaces(scene: Scene, sent: Sent) -> Reply:
    before = scene.universe.state
    reply = scene.answer(sent)
    if sent.behaviour == "update" and succeeded(reply) and isinstance(sent.json, dict):
        gone = optional_members(sent) - set(sent.json)
        on_stored(scene, sent, before, lambda value: {n: v for n, v in value.items() if n not in gone})
        assert sent.meaning is not None
        return on_items(reply, sent.meaning, lambda item: {n: v for n, v in item.items() if n not in gone})
    return reply


@mistake
def id_is_reused(scene: Scene, sent: Sent) -> Reply:
    before = scene.universe.state
    reply = scene.answer(sent)
    if sent.meaning is None or sent.meaning.resource is None or not succeeded(reply):
        return reply
    name = sent.meaning.resource.qualified
    if sent.behaviour == "delete":
        gone = keys_of(before, name) - keys_of(scene.universe.state, name)
        scene.memory[name] = next((key for _, key in gone), None)
    elif sent.behaviour == "create" and scene.memory.get(name):
        old = scene.memory.pop(name)
        given = rekeyed(scene, sent, before, old)
        if given is not None:
            return replace(reply, body=reply.body.replace(given.encode(), old.encode()))
    return reply


@mistake
def refused_update_is_stored(scene: Scene, sent: Sent) -> Reply:
    """Every member is stored before the wrong one is met."""
    reply = scene.answer(sent)
    given = sent.json
    if sent.behaviour in {"update", "replace"} and reply.status in {400, 422} and isinstance(given, dict):
        meaning = sent.meaning
        assert meaning is not None
        assert meaning.resource is not None
        known = {name: value for name, value in given.items() if name in meaning.resource.anatomy.members}
        key = sent.target.partition("?")[0].rpartition("/")[2]
        for partition, collection in scene.universe.state.partitions(meaning.resource.qualified):
            entry = collection.get(key)
            if entry is not None and isinstance(entry.value, dict):
                put = Put(partition, key, {**entry.value, **known})
                scene.universe.state = commit(scene.universe.state, [put])
    return reply


@mistake
def read_deletes(scene: Scene, sent: Sent) -> Reply:
    """What is read a second time is gone: a GET with consequences."""
    reply = scene.answer(sent)
    meaning = sent.meaning
    if sent.behaviour == "read" and succeeded(reply) and meaning is not None and meaning.resource is not None:
        key = sent.target.partition("?")[0].rpartition("/")[2]
        for partition, collection in scene.universe.state.partitions(meaning.resource.qualified):
            if key in collection:
                scene.universe.state = commit(scene.universe.state, [Remove(partition, key)])
    return reply


# In front: what is asked


@mistake
def filters_are_ignored(scene: Scene, sent: Sent) -> Reply:
    if sent.behaviour == "list" and sent.meaning is not None:
        tenancy = {"organizationId"}  # without it the list is another one, not an unfiltered one
        return scene.answer(sent.without({one.parameter for one in sent.meaning.listing.filters} - tenancy))
    return scene.answer(sent)


@mistake
def cursor_repeats(scene: Scene, sent: Sent) -> Reply:
    if sent.behaviour == "list" and sent.meaning is not None:
        listing = sent.meaning.listing
        return scene.answer(sent.without({name for name in (listing.after, listing.page, listing.offset) if name}))
    return scene.answer(sent)


@mistake
def limit_is_ignored(scene: Scene, sent: Sent) -> Reply:
    if sent.behaviour == "list" and sent.meaning is not None and sent.meaning.listing.limit:
        return scene.answer(sent.without({sent.meaning.listing.limit}))
    return scene.answer(sent)


@mistake
def idempotency_is_ignored(scene: Scene, sent: Sent) -> Reply:
    headers = {name: value for name, value in sent.headers.items() if name.lower() != "idempotency-key"}
    return scene.answer(replace(sent, headers=headers))


@mistake
def any_credential_is_good(scene: Scene, sent: Sent) -> Reply:
    reply = scene.answer(sent)
    return _as_others(scene, sent, reply) if reply.status == 401 else reply


@mistake
def no_permission_is_needed(scene: Scene, sent: Sent) -> Reply:
    reply = scene.answer(sent)
    return _as_others(scene, sent, reply) if reply.status == 403 else reply


@mistake
def others_data_is_shown(scene: Scene, sent: Sent) -> Reply:
    reply = scene.answer(sent)
    if reply.status in {403, 404} and sent.behaviour in {"read", "update", "delete"}:
        return _as_others(scene, sent, reply)
    return reply


def _as_others(scene: Scene, sent: Sent, reply: Reply) -> Reply:
    for caller in scene.callers:
        if caller.valid:
            tried = scene.answer(replace(sent, headers={**sent.headers, **caller.headers}))
            if succeeded(tried):
                return tried
    return reply


@mistake
def events_are_not_sent(scene: Scene, sent: Sent) -> Reply:
    reply = scene.answer(sent)
    scene.universe.outbox.clear()
    return reply


# Behind: what is answered


@mistake
def list_is_stale(scene: Scene, sent: Sent) -> Reply:
    if sent.behaviour != "list":
        return scene.answer(sent)
    place = f"{sent.target} {sorted(sent.headers.items())}"
    kept: Reply = scene.memory.setdefault(place, scene.answer(sent))
    return kept


@mistake
def list_loses_last(scene: Scene, sent: Sent) -> Reply:
    return _relisted(scene, sent, lambda items: items[:-1])


@mistake
def list_shows_twice(scene: Scene, sent: Sent) -> Reply:
    return _relisted(scene, sent, lambda items: items[:1] + items)


@mistake
def list_is_backwards(scene: Scene, sent: Sent) -> Reply:
    return _relisted(scene, sent, lambda items: items[::-1])


def _relisted(scene: Scene, sent: Sent, change: Callable[[list[Any]], list[Any]]) -> Reply:
    reply = scene.answer(sent)
    return on_list(reply, sent.meaning, change) if sent.behaviour == "list" and sent.meaning is not None else reply


@mistake
def empty_list_is_404(scene: Scene, sent: Sent) -> Reply:
    reply = scene.answer(sent)
    if sent.behaviour != "list" or sent.meaning is None or not succeeded(reply):
        return reply
    empty = on_list(reply, sent.meaning, lambda _: []).body == on_list(reply, sent.meaning, list).body
    return replace(reply, status=404, body=_PROBLEM) if empty else reply


@mistake
def texts_are_cut(scene: Scene, sent: Sent) -> Reply:
    return _stored_texts(scene, sent, lambda text: text[:8])


@mistake
def texts_are_lower_case(scene: Scene, sent: Sent) -> Reply:
    return _stored_texts(scene, sent, str.lower)


def _stored_texts(scene: Scene, sent: Sent, change: Any) -> Reply:
    """Texts that were given are stored, and shown, as something else."""
    before = scene.universe.state
    reply = scene.answer(sent)
    given = sent.json
    if sent.behaviour in {"create", "update"} and succeeded(reply) and isinstance(given, dict):
        # Only what may be any text: neither keys, nor what has a format.
        texts = {given.get(name) for name in ("name", "title", "description")} - {None}

        def changed(item: Any) -> Any:
            if isinstance(item, dict):
                return {name: changed(value) for name, value in item.items()}
            return change(item) if isinstance(item, str) and item in texts else item

        on_stored(scene, sent, before, changed)
        assert sent.meaning is not None
        return on_items(reply, sent.meaning, changed)
    return reply


@mistake
def zones_are_dropped(scene: Scene, sent: Sent) -> Reply:
    def local(item: Any) -> Any:
        if not isinstance(item, dict):
            return item
        return {n: v[:19] if isinstance(v, str) and _MOMENT.match(v) else v for n, v in item.items()}

    reply = scene.answer(sent)
    return on_items(reply, sent.meaning, local) if sent.meaning is not None and sent.meaning.resource else reply


@mistake
def required_member_is_null(scene: Scene, sent: Sent) -> Reply:
    return _required(scene, sent, lambda item, name: {**item, name: None})


@mistake
def required_member_is_missing(scene: Scene, sent: Sent) -> Reply:
    return _required(scene, sent, lambda item, name: {n: v for n, v in item.items() if n != name})


@mistake
def required_member_is_a_list(scene: Scene, sent: Sent) -> Reply:
    return _required(scene, sent, lambda item, name: {**item, name: [item[name]]})


def _required(scene: Scene, sent: Sent, change: Any) -> Reply:
    reply = scene.answer(sent)
    meaning = sent.meaning
    if meaning is None or meaning.resource is None:
        return reply
    required = set(meaning.resource.anatomy.required) - {meaning.resource.key}

    def changed(item: Any) -> Any:
        names = sorted(required & set(item)) if isinstance(item, dict) else []
        return change(item, names[0]) if names else item

    return on_items(reply, meaning, changed)


@mistake
def media_type_is_text(scene: Scene, sent: Sent) -> Reply:
    reply = scene.answer(sent)
    return media_typed(reply, "text/plain") if succeeded(reply) and reply.body else reply


@mistake
def challenge_is_missing(scene: Scene, sent: Sent) -> Reply:
    return without_headers(scene.answer(sent), "www-authenticate")


@mistake
def allow_is_missing(scene: Scene, sent: Sent) -> Reply:
    return without_headers(scene.answer(sent), "allow")


@mistake
def error_is_200(scene: Scene, sent: Sent) -> Reply:
    reply = scene.answer(sent)
    return replace(reply, status=200) if reply.status in {400, 404, 409, 422} else reply


@mistake
def created_is_202(scene: Scene, sent: Sent) -> Reply:
    reply = scene.answer(sent)
    return replace(reply, status=202) if sent.behaviour == "create" and succeeded(reply) else reply


@mistake
def odd_input_is_500(scene: Scene, sent: Sent) -> Reply:
    if any(byte > 127 for byte in sent.body) or b"\\u" in sent.body:
        return Reply(500, (("Content-Type", "application/json"),), b'{"error": {"message": "encoding"}}')
    return scene.answer(sent)


@mistake
def failure_shows_stack_trace(scene: Scene, sent: Sent) -> Reply:
    trace = 'Traceback (most recent call last):\n  File "/srv/app/views.py", line 71, in view\nKeyError: 7'
    reply = scene.answer(sent)
    if reply.status not in {400, 404, 422}:
        return reply

    def told(value: Any) -> Any:
        if isinstance(value, dict):
            return {n: trace if n in {"message", "detail", "error"} and isinstance(v, str) else told(v)
                    for n, v in value.items()}  # fmt: skip
        return value

    return with_json(reply, told)


@mistake
def wrong_input_is_accepted(scene: Scene, sent: Sent) -> Reply:
    reply = scene.answer(sent)
    known = scene.memory.get(sent.operation_id)
    if succeeded(reply):
        scene.memory[sent.operation_id] = reply
    return known if known is not None and reply.status in {400, 422} else reply


@mistake
def head_differs(scene: Scene, sent: Sent) -> Reply:
    reply = scene.answer(sent)
    return media_typed(reply, "text/html") if sent.method == "HEAD" else reply
