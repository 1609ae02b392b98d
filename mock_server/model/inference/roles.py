"""The names by which APIs call the same things, as tables: pagination, sorting, search, envelopes,
timestamps.

A name is compared by its words, so that ``per_page``, ``perPage`` and ``PerPage`` are one entry.
"""

from __future__ import annotations

from collections.abc import Iterator

from mock_server.model.anatomy import Member, singular, words


def _spellings(*names: str) -> frozenset[tuple[str, ...]]:
    return frozenset(words(name) for name in names)


EXCHANGE_IDS = _spellings("request_id", "trace_id", "correlation_id", "tracking_id", "log_id")
"""What the id of one exchange is called, in a success as in an error."""


QUERY_ROLES: dict[str, frozenset[tuple[str, ...]]] = {
    "limit": _spellings(
        "limit", "per_page", "page_size", "size", "count", "max_results", "max_items", "top", "$top", "take",
        "first", "results_per_page", "items_per_page", "page_limit", "pagesize", "rows", "num_results",
        "perpage", "maxresults", "last",
    ),
    "offset": _spellings("offset", "skip", "$skip", "start", "start_index", "page_offset", "startindex"),
    "page": _spellings("page", "page_number", "page_no", "p", "page_index", "current_page", "pagenumber"),
    "after": _spellings(
        "cursor", "after", "starting_after", "page_token", "next_token", "next_cursor", "continuation",
        "after_id",
        "continuation_token", "marker", "since_id", "start_cursor", "pagetoken", "start_after", "bookmark",
        "page_cursor", "page_after",
    ),
    "before": _spellings("before", "ending_before", "previous_cursor", "prev_cursor", "end_cursor",
    "before_id", "page_before"),
    "sort": _spellings("sort", "sort_by", "order_by", "orderby", "$orderby", "sortby", "sort_field",
    "ordering"),
    "order": _spellings(
        "order", "direction", "sort_order", "sort_direction", "sort_dir", "dir", "order_direction",
        "sortorder",
    ),
    "search": _spellings("q", "query", "search", "term", "keyword", "keywords", "search_term", "text", "s",
    "filter_text"),
}  # fmt: skip

PAGING_STYLE = {"offset": "offset", "page": "page", "after": "cursor", "before": "cursor"}

ENVELOPE_ROLES: dict[str, frozenset[tuple[str, ...]]] = {
    "total": _spellings(
        "total", "total_count", "total_results", "total_items", "total_elements", "total_records",
        "total_size",
        "totalcount", "total_result", "record_count", "total_rows", "total_hits", "num_results",
    ),
    "count": _spellings("count", "current_count", "page_count_items", "num_items", "number_of_elements",
    "returned"),
    "has_more": _spellings("has_more", "has_next", "more", "has_next_page", "is_truncated", "hasmore",
    "incomplete_results"),
    "next_cursor": _spellings(
        "next_cursor", "next_page_token", "next_token", "end_cursor", "cursor", "next_page_cursor",
        "continuation_token",
        "next_marker", "after", "bookmark",
    ),
    "previous_cursor": _spellings("previous_cursor", "prev_cursor", "start_cursor", "before",
    "previous_page_token"),
    "limit": _spellings("limit", "per_page", "page_size", "size", "items_per_page", "pagesize", "perpage"),
    "offset": _spellings("offset", "skip", "start", "start_index"),
    "page": _spellings("page", "page_number", "current_page", "number", "page_no", "page_index",
    "pagenumber"),
    "pages": _spellings("pages", "total_pages", "total_page", "page_count", "last_page", "totalpages", "num_pages"),
    "next_url": _spellings("next", "next_page_url", "next_url", "next_page", "next_link", "next_href"),
    "previous_url": _spellings("previous", "prev", "previous_page_url", "prev_page_url", "prev_url",
    "previous_url"),
    "first_url": _spellings("first", "first_page_url", "first_url"),
    "last_url": _spellings("last", "last_page_url", "last_url"),
    "next_page": _spellings("next_page", "next", "next_page_number"),
    "previous_page": _spellings("previous_page", "prev_page", "pre_page", "previous", "prev", "prev_page_number"),
    "self_url": _spellings("path", "self", "self_url", "current_page_url", "href"),
    "true": _spellings("success", "ok"),
}  # fmt: skip

_COUNTS = frozenset({"count", "total", "num", "number", "of"})

ENVELOPE_PARTS = _spellings(
    "meta", "metadata", "pagination", "paging", "page_info", "page", "links", "_links", "result", "info"
)
"""Objects beside a list that hold the fields above."""

LIST_NAMES = (
    "data", "items", "results", "records", "list", "value", "values", "entries", "content", "rows", "hits",
    "docs", "elements", "objects", "result", "nodes",
)  # fmt: skip
"""What a list is called inside its envelope, most telling first."""

ITEM_NAMES = (
    "data",
    "result",
    "item",
    "payload",
    "response",
    "record",
    "object",
    "body",
    "value",
    "attributes",
)
"""What a single resource is called inside its envelope."""

SEARCHED = ("attributes", "fields", "properties")
"""Members that hold what is told of an item, where the item itself only says which one it is."""

CREATED = _spellings(
    "created_at", "created", "created_on", "creation_date", "date_created", "creation_time", "create_time",
    "created_time", "created_date", "inserted_at", "createdat", "creation_timestamp", "registered_at",
    "timestamp",
    "added_at", "date_added",
)  # fmt: skip
UPDATED = _spellings(
    "updated_at", "updated", "updated_on", "modified_at", "modified", "last_modified", "date_updated",
    "update_time",
    "last_updated", "updated_time", "date_modified", "modified_on", "modification_date", "updated_date",
    "updatedat",
    "last_updated_at", "last_modified_at", "changed_at", "last_update",
)  # fmt: skip
REVISION = _spellings(
    "version",
    "revision",
    "__v",
    "lock_version",
    "_version",
    "etag_version",
    "resource_version",
    "row_version",
)
STATE = _spellings("status", "state", "phase", "lifecycle_state", "stage")

RANGE_SUFFIXES: dict[str, str] = {
    "gte": "gte", "gt": "gt", "lte": "lte", "lt": "lt", "ne": "ne", "not": "ne", "in": "in", "min": "gte",
    "max": "lte",
    "from": "gte", "to": "lte", "after": "gte", "before": "lte", "since": "gte", "until": "lte", "start":
    "gte",
    "end": "lte", "contains": "contains", "like": "contains", "eq": "eq", "equals": "eq",
}  # fmt: skip
RANGE_PREFIXES: dict[str, str] = {
    "min": "gte", "max": "lte", "from": "gte", "to": "lte", "after": "gte", "before": "lte", "since": "gte",
    "until": "lte", "start": "gte", "end": "lte", "not": "ne", "minimum": "gte", "maximum": "lte", "exclude":
    "ne",
}  # fmt: skip
DATE_WORDS = frozenset({"date", "time", "at", "on", "datetime", "timestamp"})

OPPOSITES: dict[str, str] = {
    "unarchive": "archive", "unlock": "lock", "unpublish": "publish", "unpin": "pin", "unstar": "star",
    "unfollow": "follow", "unblock": "block", "undelete": "delete", "unmute": "mute", "unhide": "hide",
    "deactivate": "activate", "disable": "enable", "restore": "archive", "unsuspend": "suspend", "unfreeze":
    "freeze",
}  # fmt: skip

STATE_WORDS: dict[str, tuple[str, ...]] = {
    "resume": ("active", "running", "enabled"), "start": ("running", "started", "active", "in_progress"),
    "stop": ("stopped", "inactive"), "enable": ("enabled", "active"), "disable": ("disabled", "inactive"),
    "close": ("closed",), "open": ("open",), "reopen": ("open", "reopened"), "send": ("sent",), "pay":
    ("paid",),
    "submit": ("submitted", "pending"), "reject": ("rejected", "declined"), "deny": ("denied", "rejected"),
    "hold": ("on_hold", "held"), "ship": ("shipped",), "finish": ("finished", "completed", "done"),
    "withdraw": ("withdrawn",), "begin": ("in_progress", "started"), "suspend": ("suspended",), "void":
    ("void", "voided"),
    "restore": ("active", "restored"), "deactivate": ("inactive", "deactivated"), "activate": ("active",
    "activated"),
    "revoke": ("revoked",), "retry": ("pending", "queued"), "win": ("won",), "lose": ("lost",),
}  # fmt: skip
"""Verbs whose resulting state is not simply their participle."""


def query_role(name: str) -> str | None:
    """The role a query parameter plays in a list operation, or None for a filter or something else."""
    spelled = words(name)
    return next((role for role, names in QUERY_ROLES.items() if spelled in names), None)


def envelope_roles(name: str, *, of: str = "") -> Iterator[str]:
    """The roles a field beside a list may play, likeliest first. ``of`` is the list's name: ``articlesCount`` counts
    articles."""
    spelled = words(name)
    known = [role for role, names in ENVELOPE_ROLES.items() if spelled in names]
    yield from known
    if not known and of and set(spelled) & _COUNTS:
        rest = [singular(word) for word in spelled if word not in _COUNTS]
        if rest == [singular(word) for word in words(of)]:
            yield "total"


def is_moment(member: Member) -> bool:
    """Whether a property holds a point in time."""
    if member.format in {"date-time", "date", "time", "unix-time", "timestamp"}:
        return True
    return bool(DATE_WORDS & set(words(member.name)[-1:])) and bool(member.types & {"string", "integer", "number"})
