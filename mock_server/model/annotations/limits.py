"""What annotations say of limits, quotas and idempotency keys."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from mock_server.errors import AnnotationError
from mock_server.model.annotations.reader import AnnotationReader
from mock_server.model.annotations.sentences import sentence
from mock_server.model.idempotency import Idempotency, Mismatch
from mock_server.model.limits import Limit, Window
from mock_server.model.meaning import Quota
from mock_server.openapi import pointers
from mock_server.openapi.values import Json

LIMIT_PLACES = frozenset({"limit", "window", "seconds", "plan"})
QUOTA_PLACES = frozenset({"limit", "count", "plan"})

_CALENDAR = re.compile(r"P(?:(\d{1,4})Y)?(?:(\d{1,5})M)?\Z")


def read_limits(reader: AnnotationReader, values: Mapping[str, Json]) -> tuple[Limit, ...]:
    """The limits of ``x-mock-limits`` in the order they are written."""
    return tuple(_limit(reader, name, value) for name, value in values.items())


def _limit(reader: AnnotationReader, name: str, value: Mapping[str, Json]) -> Limit:
    pointer = pointers.join("/x-mock-limits", name)
    headers = value.get("headers", "ratelimit")
    return Limit(
        name=name,
        window=_window(reader, value["window"], pointer + "/window"),
        limit=value.get("limit"),
        plans=dict(value.get("plans") or {}),
        per=value.get("per", "caller"),
        operations=_chosen(reader, value, pointer),
        headers=headers,
        reset_at=value.get("reset", "at" if headers == "x-ratelimit" else "in") == "at",
        code=value.get("code"),
        detail=sentence(reader, value.get("detail"), LIMIT_PLACES, pointer + "/detail"),
    )


def _window(reader: AnnotationReader, text: str, pointer: str) -> Window:
    calendar = _CALENDAR.match(text)
    if calendar is not None and any(calendar.groups()):
        months = int(calendar[1] or 0) * 12 + int(calendar[2] or 0)
        if months:
            return Window(text, None, months)
    return Window(text, reader.duration(text, pointer))


def _chosen(reader: AnnotationReader, value: Mapping[str, Json], pointer: str) -> frozenset[str]:
    """The ids of the operations that a limit is for: all that fit what it names of operations, tags and methods."""
    refs = reader.api.refs
    chosen = set(refs)
    if "operations" in value:
        chosen &= operation_ids(reader, value["operations"], pointer + "/operations")
    if "tags" in value:
        tags = {ref.id: set(ref.operation.value.get("tags") or ()) for ref in refs.values()}
        known = dict.fromkeys(tag for own in tags.values() for tag in sorted(own))
        wanted = _checked(reader, value["tags"], known, pointer + "/tags", "no operation has this tag")
        chosen &= {operation_id for operation_id, own in tags.items() if own & wanted}
    if "methods" in value:
        chosen &= {ref.id for ref in refs.values() if ref.method in value["methods"]}
    if not chosen:
        raise AnnotationError(
            "this limit is for no operation at all",
            place=reader.place(pointer),
            got={name: value[name] for name in ("operations", "tags", "methods") if name in value},
            hint="operations, tags and methods narrow each other; give one of them",
        )
    return frozenset(chosen)


def operation_ids(reader: AnnotationReader, names: Sequence[str], pointer: str) -> set[str]:
    """Operation ids; an ``AnnotationError`` for one that the description does not have."""
    return _checked(reader, names, reader.api.refs, pointer, "no operation has this operationId")


def _checked(
    reader: AnnotationReader, names: Sequence[str], known: Mapping[str, object], pointer: str, problem: str
) -> set[str]:
    for index, name in enumerate(names):
        reader.known(name, known, pointers.join(pointer, index), problem)
    return set(names)


def read_quota(reader: AnnotationReader, value: Mapping[str, Json], pointer: str) -> Quota:
    """A resource's ``quota``."""
    where = reader.criterion(value["where"], pointer + "/where") if "where" in value else None
    return Quota(
        limit=value.get("limit"),
        plans=dict(value.get("plans") or {}),
        where=where,
        status=value.get("status"),
        code=value.get("code"),
        detail=sentence(reader, value.get("detail"), QUOTA_PLACES, pointer + "/detail"),
    )


def read_idempotency(reader: AnnotationReader, value: Mapping[str, Json] | None) -> Idempotency | None:
    """The idempotency keys of ``x-mock-idempotency``; None for an API that has none."""
    if value is None:
        return None
    pointer = "/x-mock-idempotency"
    named = value.get("operations")
    mismatch = value.get("mismatch") or {}
    return Idempotency(
        header=value.get("header", "Idempotency-Key"),
        operations=frozenset(operation_ids(reader, named, pointer + "/operations")) if named is not None else None,
        expires=reader.duration(value.get("expires", "PT24H"), pointer + "/expires"),
        mismatch=Mismatch(mismatch.get("status"), mismatch.get("code"), mismatch.get("detail")),
        replayed_header=value.get("replayedHeader"),
    )
