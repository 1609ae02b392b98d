"""A small library of shelves and books, kept in dicts, with bugs that can be planted by name."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from contracts.checks.registry import chosen
from contracts.running import Plan, Report, run
from contracts.service import Service, Watch
from contracts.transports import into_wsgi
from mock_server.packs import source_of

_HERE = Path(__file__).parent
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_WRITABLE = {"title": str, "pages": int, "isbn": str, "note": str, "tags": list, "published_at": str}

Item = dict[str, Any]


class Library:
    """A WSGI application. ``bugs`` are the names of those that are planted; see where each is asked for."""

    def __init__(self, *bugs: str) -> None:
        self.bugs = frozenset(bugs)
        self.routes = Map([
            Rule("/shelves", endpoint=self.shelves),
            Rule("/shelves/<shelf>", endpoint=self.shelf),
            Rule("/shelves/<shelf>/books", endpoint=self.books),
            Rule("/shelves/<shelf>/books/<book>", endpoint=self.book),
        ])  # fmt: skip
        self.reset()

    def reset(self) -> None:
        self.numbers = count(1)
        self.moments = (_EPOCH + timedelta(seconds=n) for n in count())
        self.kept: dict[str, Item] = {}
        self.held: dict[str, Item] = {}
        self.cached: dict[str, list[Item]] = {}

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        try:
            endpoint, values = self.routes.bind_to_environ(environ).match()
            answer: Response = endpoint(request, **values)
        except HTTPException as error:
            answer = said({"message": error.description}, error.code or 500)
        return answer(environ, start_response)

    # Shelves

    def shelves(self, request: Request) -> Response:
        if request.method == "POST":
            name = members(request).get("name")
            if not isinstance(name, str):
                return said({"message": "name is wanted"}, 422)
            shelf = {"id": f"s{next(self.numbers)}", "name": name}
            self.kept[shelf["id"]] = shelf
            return said(shelf, 201)
        return said(list(self.kept.values()))

    def shelf(self, request: Request, shelf: str) -> Response:
        if shelf not in self.kept:
            raise NotFound(f"there is no shelf {shelf}")
        return said(self.kept[shelf])

    # Books

    def books(self, request: Request, shelf: str) -> Response:
        if shelf not in self.kept:
            raise NotFound(f"there is no shelf {shelf}")
        return self.create(request, shelf) if request.method == "POST" else self.listed(request, shelf)

    def listed(self, request: Request, shelf: str) -> Response:
        found = [shown(book) for book in self.held.values()
                 if (book["shelf_id"] == shelf or "any-parent" in self.bugs) and not book.get("gone")]  # fmt: skip
        if "stale-list" in self.bugs:
            found = self.cached.setdefault(shelf, found)
        at = int(request.args.get("offset", 0))
        return said(found[at : at + int(request.args.get("limit", 3))])

    def create(self, request: Request, shelf: str) -> Response:
        given = members(request)
        if "stores-first" in self.bugs and isinstance(given, dict):
            self.store(shelf, {name: given[name] for name in given if name in _WRITABLE})
        refusal = refused(given, whole=True)
        if refusal is None and "double-isbn" not in self.bugs:
            taken = [b for b in self.held.values() if given.get("isbn") is not None and b.get("isbn") == given["isbn"]
                     and b["shelf_id"] == shelf and not b.get("gone")]  # fmt: skip
            if taken:
                return said({"message": "isbn is in use"}, 409)
        if refusal is not None:
            return said({"message": refusal}, 422)
        taken_over = {"created_at"} if "takes-over" in self.bugs else set()
        book = self.store(shelf, {n: v for n, v in given.items() if n in _WRITABLE or n in taken_over})
        answer = shown(book)
        if "loses-note" in self.bugs:
            book.pop("note", None)
        return said(answer, 201)

    def store(self, shelf: str, given: Item) -> Item:
        number = len(self.held) + 1 if "counts" in self.bugs else next(self.numbers)
        moment = next(self.moments).isoformat()
        book = {"created_at": moment, **given, "id": number, "shelf_id": shelf, "updated_at": moment}
        self.held[f"{number}"] = book
        return book

    def book(self, request: Request, shelf: str, book: str) -> Response:
        found = self.held.get(book)
        if found is None or (found["shelf_id"] != shelf and "any-parent" not in self.bugs):
            if request.method == "DELETE" and "fragile-delete" in self.bugs:
                return said({"message": "KeyError"}, 500)
            raise NotFound(f"there is no book {book}")
        acts: dict[str, Callable[[Request, Item], Response]] = {
            "GET": self.read, "HEAD": self.head, "PUT": self.replace, "PATCH": self.update, "DELETE": self.delete,
        }  # fmt: skip
        return acts[request.method](request, found)

    def read(self, _: Request, book: Item) -> Response:
        if "touches" in self.bugs:
            book["updated_at"] = next(self.moments).isoformat()
        return said(shown(book))

    def head(self, request: Request, book: Item) -> Response:
        return said({}, 405) if "no-head" in self.bugs else self.read(request, book)

    def replace(self, request: Request, book: Item) -> Response:
        given = members(request)
        refusal = refused(given, whole=True)
        if refusal is not None:
            return said({"message": refusal}, 422)
        for name in _WRITABLE if "merging-put" not in self.bugs else ():
            book.pop(name, None)
        before = book.get("tags", [])
        book |= {name: given[name] for name in given if name in _WRITABLE}
        if "appending-put" in self.bugs:
            book["tags"] = [*before, *self.cached.setdefault("tags", []), f"t{len(before)}"]
            self.cached["tags"] = book["tags"]
        book["updated_at"] = next(self.moments).isoformat()
        return said(shown(book))

    def update(self, request: Request, book: Item) -> Response:
        given = members(request)
        refusal = refused(given, whole=False)
        if refusal is not None and "half-done" not in self.bugs:
            return said({"message": refusal}, 422)
        for name in _WRITABLE if "replacing-patch" in self.bugs else ():
            if name != "title":
                book.pop(name, None)
        for name, value in given.items() if isinstance(given, dict) else ():
            if name in _WRITABLE and value is None and "keeps-null" not in self.bugs:
                book.pop(name, None)
            elif name in _WRITABLE and isinstance(value, _WRITABLE[name]) and "lost-update" not in self.bugs:
                book[name] = value
        if refusal is not None:
            book["pages"] = 99
            return said({"message": refusal}, 422)
        book["updated_at"] = next(self.moments).isoformat()
        return said(shown(book))

    def delete(self, _: Request, book: Item) -> Response:
        if "undead" in self.bugs:
            book["gone"] = True
        elif "undead-in-list" not in self.bugs:
            del self.held[str(book["id"])]
        return Response(status=204)


def members(request: Request) -> Any:
    """The body as JSON."""
    return json.loads(request.get_data() or b"null")


def refused(given: Any, *, whole: bool) -> str | None:
    """Why members are refused."""
    if not isinstance(given, dict):
        return "an object is wanted"
    if whole and "title" not in given:
        return "title is wanted"
    for name, value in given.items():
        optional = value is None and name != "title" and not whole
        kind = _WRITABLE.get(name)
        if kind is not None and not optional and (not isinstance(value, kind) or isinstance(value, bool)):
            return f"{name} is wrong"
    if isinstance(given.get("pages"), int) and given["pages"] < 0:
        return "pages is below 0"
    if not all(isinstance(tag, str) for tag in given.get("tags") or ()):
        return "tags are texts"
    return None


def shown(book: Item) -> Item:
    """A book as it is shown; a moment is spelled in UTC, however it was sent."""
    found = {name: value for name, value in book.items() if name != "gone"}
    if isinstance(found.get("published_at"), str):
        found["published_at"] = datetime.fromisoformat(found["published_at"]).astimezone(UTC).isoformat()
    return found


def said(value: Any, status: int = 200) -> Response:
    """A reply in JSON."""
    return Response(json.dumps(value), status, content_type="application/json")


def checked(checks: tuple[str, ...], *bugs: str, closed: bool = True) -> Report:
    """A run of some checks on a library with some bugs."""
    library = Library(*bugs)

    def make(_: int, watch: Watch) -> Service:
        send = into_wsgi(library, base_url="http://library.test")
        return Service(send, base_url="http://library.test", reset=library.reset if closed else None, watch=watch)

    source = source_of(str(_HERE / "library.yaml"))
    plan = Plan(source, chosen(checks, ()), closed=closed, seconds=60, first_only=bool(bugs))
    return run(plan, make, ())
