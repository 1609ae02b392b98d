"""Times as this API has them: milliseconds since 1970."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def milliseconds(moment: datetime) -> int:
    """A moment in milliseconds since 1970."""
    return (moment - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)


def moment(milliseconds: int) -> datetime:
    """The moment that is so many milliseconds after 1970 began."""
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)


def day(milliseconds: int) -> str:
    """The day, in UTC, of a moment."""
    return moment(milliseconds).date().isoformat()
