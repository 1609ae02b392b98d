"""How requests, resets and memory grow with what is kept: 1,000 customers against 100,000 and 1,000,000.

Every figure but two is CPU time of whole requests, through the WSGI application in this process: validated, kept and
journalled as they would be on a server. Building and memory are measured around the seeding itself. The sizes take turns,
so that what else the machine does falls on all of them. Each round begins with a reset, so it meets as many customers as
its name says, and the indexes that the first round of questions has made.

    .venv/bin/python benchmarks/growth.py [--sizes 1000,100000,1000000] [--rounds 11] [--plot docs/figures/growth.svg]

Only the plot needs matplotlib: `pip install matplotlib`. A million customers need 3 GB while they are built.
"""

from __future__ import annotations

import argparse
import gc
import io
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import orjson

from mock_server import __version__, create_app
from mock_server.errors import Place
from mock_server.model.seeding import seeded
from mock_server.sandbox import Sandbox

CUSTOMERS = Path(__file__).with_name("growth.yaml")
STATUSES = ("lead", "active", "suspended", "closed")
CITIES = (("London", "GB"), ("Lagos", "NG"), ("Lyon", "FR"), ("Osaka", "JP"))
PAGE = 50


def customer(number: int) -> dict[str, Any]:
    """A customer like any other; all sizes have the same mix."""
    city, country = CITIES[number % len(CITIES)]
    return {
        "id": number,
        "name": f"Customer {number * 7919 % 1_000_003}",
        "email": f"customer.{number}@shop.example",
        "phone": f"+4420{number:08}",
        "status": STATUSES[number % 7 % len(STATUSES)],
        "credit_limit": number * 31 % 5000,
        "birth_date": f"{1940 + number % 60}-{1 + number % 12:02}-{1 + number % 28:02}",
        "tags": ["math", "engines"][: number % 3],
        "address": {"street": f"{number % 900} High Street", "city": city, "postal_code": "SW1Y4", "country": country},
    }


def memory() -> int:
    """The bytes that this process holds in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@dataclass(slots=True)
class Shop:
    """A double with so many customers; ``fresh`` numbers what the rounds create."""

    size: int
    application: Callable[..., Any]
    sandbox: Sandbox
    built: float
    per_item: float
    json_size: float
    fresh: int = 0
    figures: dict[str, list[float]] = field(default_factory=dict)

    def request(self, method: str, target: str, body: Any = None, *, session: str = "") -> tuple[int, bytes]:
        """The status and the body of an answer."""
        path, _, query = target.partition("?")
        data = b"" if body is None else orjson.dumps(body)
        environ = {
            "REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "127.0.0.1",
            "HTTP_ACCEPT": "*/*", "CONTENT_TYPE": "application/json" if data else "",
            "CONTENT_LENGTH": str(len(data)), "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(data),
            "wsgi.errors": sys.stderr, "wsgi.version": (1, 0), "wsgi.multithread": True, "wsgi.multiprocess": False,
            "wsgi.run_once": False, **({"HTTP_MOCK_SESSION": session} if session else {}),
        }  # fmt: skip
        told: list[str] = []
        answer = b"".join(self.application(environ, lambda status, headers, info=None: told.append(status)))
        return int(told[0][:3]), answer

    def expect(self, status: int, method: str, target: str, body: Any = None, *, session: str = "") -> Any:
        """The JSON of an answer that has this status."""
        found, answer = self.request(method, target, body, session=session)
        if found != status:
            raise SystemExit(f"{method} {target} answered {found}, not {status}: {answer[:300].decode()}")
        return json.loads(answer) if answer else None

    def spread(self, count: int) -> Iterator[int]:
        """The numbers of some customers from all over the shop."""
        return (1 + at * (self.size - 1) // max(count - 1, 1) for at in range(count))


def opened(size: int) -> Shop:
    """A shop with so many customers; building it is measured."""
    application = create_app(CUSTOMERS)
    sandbox = application.extensions["apidouble"]
    models = [served.model for served in sandbox.apis.values()]
    gc.collect()
    before = memory()
    customers = [customer(number) for number in range(1, size + 1)]
    json_size = sum(len(orjson.dumps(each)) for each in customers) / size
    started = time.process_time()
    state = seeded(sandbox.universes.default.state, models, {"customers": customers}, lambda _: Place("seed", ""))
    built = time.process_time() - started
    del customers
    gc.collect()
    per_item = (memory() - before) / size
    sandbox.universes.reseed(state, {})
    sandbox.universes.default.reset()
    return Shop(size, application.wsgi_app, sandbox, built, per_item, json_size)


# What is measured: each takes a shop and how often, and yields as many requests that are still to be made


Work = Callable[[], object]
Measured = Callable[[Shop, int], Iterator[Work]]


def listed(query: str, offset: Callable[[int], int] | None = None) -> Measured:
    """Pages of a list; ``offset`` gives where a page begins in a shop of a size."""

    def pages(shop: Shop, count: int) -> Iterator[Work]:
        target = f"/customers?limit={PAGE}{query}" + (f"&offset={offset(shop.size)}" if offset is not None else "")
        return (lambda: shop.expect(200, "GET", target) for _ in range(count))

    return pages


def walked(query: str) -> Measured:
    """The pages of a walk by cursors, from the middle of the shop on."""

    def pages(shop: Shop, count: int) -> Iterator[Work]:
        first = shop.expect(200, "GET", f"/customers?limit={PAGE}{query}&offset={shop.size // 4}")
        cursor = first["next_cursor"]

        def page() -> None:
            nonlocal cursor
            cursor = shop.expect(200, "GET", f"/customers?limit={PAGE}{query}&after={cursor}")["next_cursor"] or cursor

        return (page for _ in range(count))

    return pages


def one_by_email(shop: Shop, count: int) -> Iterator[Work]:
    targets = [f"/customers?email=customer.{number}@shop.example" for number in shop.spread(count)]
    return (lambda target=target: shop.expect(200, "GET", target) for target in targets)  # type: ignore[misc]


def read(shop: Shop, count: int) -> Iterator[Work]:
    return (lambda at=at: shop.expect(200, "GET", f"/customers/{at}") for at in shop.spread(count))  # type: ignore[misc]


def create(shop: Shop, count: int) -> Iterator[Work]:
    def one() -> None:
        shop.fresh += 1
        body = customer(shop.fresh) | {"email": f"fresh.{shop.fresh}@shop.example"}
        shop.expect(201, "POST", "/customers", {name: member for name, member in body.items() if name != "id"})

    return (one for _ in range(count))


def create_again(shop: Shop, count: int) -> Iterator[Work]:
    bodies = [{name: member for name, member in customer(at).items() if name != "id"} for at in shop.spread(count)]
    return (lambda body=body: shop.expect(409, "POST", "/customers", body) for body in bodies)  # type: ignore[misc]


def update(shop: Shop, count: int) -> Iterator[Work]:
    return (
        lambda at=at: shop.expect(200, "PATCH", f"/customers/{at}", {"credit_limit": 5001})  # type: ignore[misc]
        for at in shop.spread(count)
    )


def delete(shop: Shop, count: int) -> Iterator[Work]:
    return (lambda at=at: shop.expect(204, "DELETE", f"/customers/{at}") for at in shop.spread(count))  # type: ignore[misc]


def reset(shop: Shop, count: int) -> Iterator[Work]:
    return (lambda: shop.expect(204, "POST", "/__mock__/reset") for _ in range(count))


def fork(shop: Shop, count: int) -> Iterator[Work]:
    """The first request of a session, which makes its universe."""
    shop.fresh += count
    return (
        lambda at=at: shop.expect(200, "GET", "/customers/1", session=f"fork-{at}")  # type: ignore[misc]
        for at in range(shop.fresh, shop.fresh + count)
    )


def snapshot(shop: Shop, count: int) -> Iterator[Work]:
    return (lambda: shop.expect(204, "PUT", "/__mock__/snapshots/here") for _ in range(count))


def restore(shop: Shop, count: int) -> Iterator[Work]:
    shop.expect(204, "PUT", "/__mock__/snapshots/here")
    return (lambda: shop.expect(204, "POST", "/__mock__/snapshots/here/restore") for _ in range(count))


MEASURED: Mapping[str, Measured] = {
    "read one": read,
    "list, first page of 50": listed(""),
    "list, middle page": listed("", lambda size: size // 2),
    "list, last page": listed("", lambda size: size - PAGE),
    "cursor walk, a page": walked(""),
    "filter, one of all (email)": one_by_email,
    "filter, a quarter of all (status)": listed("&status=active"),
    "the same, middle page": listed("&status=active", lambda size: size // 8),
    "sort by name, first page": listed("&sort=name"),
    "sort by name, middle page": listed("&sort=-name", lambda size: size // 2),
    "sort and cursor walk, a page": walked("&sort=-name"),
    "filter and sort, first page": listed("&status=active&sort=-name"),
    "create, email unique": create,
    "create, email in use (409)": create_again,
    "update": update,
    "delete, cascade": delete,
    "reset": reset,
    "fork": fork,
    "snapshot": snapshot,
    "restore": restore,
}


def measure(shop: Shop, name: str, count: int) -> None:
    """One round of one figure: CPU microseconds a request, beside the rounds before."""
    shop.sandbox.universes.default.reset()
    work = list(MEASURED[name](shop, count))
    started = time.process_time()
    for each in work:
        each()
    shop.figures.setdefault(name, []).append((time.process_time() - started) / count * 1e6)


def table(shops: Sequence[Shop]) -> str:
    """One line for each figure: minimum, median and maximum of each size, and how the medians stand to the first."""
    head = f"{'CPU µs a request':<36}" + "".join(f"{f'{shop.size:,}':>25}" for shop in shops)
    lines = [head + "".join(f"{f'x {shop.size:,}':>12}" for shop in shops[1:]), ""]
    for name in MEASURED:
        cells = [shop.figures[name] for shop in shops]
        shown = "".join(f"{f'{min(cell):.0f} / {median(cell):.0f} / {max(cell):.0f}':>25}" for cell in cells)
        ratios = "".join(f"{median(cell) / median(cells[0]):>12.2f}" for cell in cells[1:])
        lines.append(f"{name:<36}{shown}{ratios}")
    lines += ["", row("index made by the first to ask, s", shops, lambda shop: shop.figures["first"][0], digits=3)]
    lines.append(row("built and validated, s", shops, lambda shop: shop.built, digits=3))
    lines.append(row("built and validated, µs an item", shops, lambda shop: shop.built / shop.size * 1e6, digits=1))
    lines.append(row("JSON of an item, bytes", shops, lambda shop: shop.json_size))
    lines.append(row("memory for an item, bytes", shops, lambda shop: shop.per_item))
    lines.append(row("memory / JSON", shops, lambda shop: shop.per_item / shop.json_size, digits=2))
    return "\n".join(lines)


def row(name: str, shops: Sequence[Shop], of: Callable[[Shop], float], *, digits: int = 0) -> str:
    """A line with one number for each size."""
    return f"{name:<36}" + "".join(f"{of(shop):>25.{digits}f}" for shop in shops)


# The plot


PANELS: Mapping[str, Mapping[str, str]] = {
    "Pages of 50": {
        "list, first page of 50": "first",
        "list, last page": "last",
        "cursor walk, a page": "by cursor",
        "filter, a quarter of all (status)": "filtered",
        "sort by name, middle page": "sorted, middle",
    },
    "One customer": {
        "create, email unique": "create, email unique",
        "update": "update",
        "delete, cascade": "delete",
        "filter, one of all (email)": "find by email",
        "read one": "read",
    },
    "The whole state": {"reset": "reset", "snapshot": "snapshot", "restore": "restore", "fork": "fork"},
}
"""What is drawn: figures by their names in the table, with what they are called in the plot."""

COLOURS = ("#0b6e99", "#c2571a", "#3f7d20", "#7a3e9d", "#8a6d00")


def plot(shops: Sequence[Shop], path: Path) -> None:
    """Draws the medians by size, with a line from the least to the most of each."""
    from matplotlib import rcParams
    from matplotlib.figure import Figure
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    rcParams.update({"font.size": 9, "svg.hashsalt": "growth", "axes.spines.right": False,
                     "axes.spines.top": False, "axes.titlelocation": "left", "axes.titleweight": "bold"})  # fmt: skip
    figure = Figure(figsize=(11, 3.8), layout="constrained")
    sizes = [shop.size for shop in shops]
    for axes, (title, drawn) in zip(figure.subplots(1, len(PANELS)), PANELS.items(), strict=True):
        most = 1.2 * max(median(shop.figures[name]) for shop in shops for name in drawn)
        labels = []
        for colour, (name, label) in zip(COLOURS, drawn.items(), strict=False):
            medians = [median(shop.figures[name]) for shop in shops]
            axes.plot(sizes, medians, color=colour, marker="o", markersize=4, linewidth=1.6)
            for shop in shops:
                found = shop.figures[name]
                axes.plot([shop.size] * 2, [min(found), min(max(found), most)], color=colour, linewidth=0.8, alpha=0.5)
            labels.append((medians[-1], f"{label}: x {medians[-1] / medians[0]:.1f}", colour))
        for place, (_, text, colour) in zip(apart([at for at, _, _ in sorted(labels)], most / 13), sorted(labels),
                                            strict=True):  # fmt: skip
            axes.text(sizes[-1] * 1.35, place, text, color=colour, va="center")
        axes.set(title=title, xscale="log", xlim=(sizes[0] * 0.7, sizes[-1] * 1.2), ylim=(0, most))
        axes.xaxis.set_major_locator(FixedLocator(sizes))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _: short(size)))
        axes.grid(axis="y", linewidth=0.4, alpha=0.6)
    figure.axes[0].set_ylabel("CPU µs a request")
    figure.supxlabel(f"customers kept; medians, thin lines from the least to the most; x is"
                     f" {short(sizes[-1])} against {short(sizes[0])}", fontsize=9)  # fmt: skip
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None, dpi=110)


def short(size: float) -> str:
    """A round number as 1k or 1M."""
    for unit, name in ((1e6, "M"), (1e3, "k")):
        if size >= unit:
            return f"{size / unit:g}{name}"
    return f"{size:g}"


def apart(places: Sequence[float], gap: float) -> list[float]:
    """Rising places moved so far up that no two are closer than a gap, and the whole back down by half of that."""
    moved: list[float] = []
    for place in places:
        moved.append(max(place, moved[-1] + gap) if moved else place)
    back = sum(new - old for new, old in zip(moved, places, strict=True)) / len(places) / 2
    return [place - back for place in moved]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1000,100000,1000000", help="how many customers, by commas")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--requests", type=int, default=30, help="of each kind in a round")
    parser.add_argument("--plot", type=Path, help="where to draw the medians (SVG or PNG)")
    chosen = parser.parse_args()
    shops = [opened(int(size)) for size in chosen.sizes.split(",")]
    for shop in shops:
        shop.expect(200, "GET", "/customers")  # compiles the operation
        started = time.process_time()
        shop.expect(200, "GET", "/customers?status=active")
        shop.figures["first"] = [time.process_time() - started]
        for name in MEASURED:
            measure(shop, name, 1)
            del shop.figures[name]
    gc.collect()
    for _ in range(chosen.rounds):
        for name in MEASURED:
            for shop in shops:
                measure(shop, name, chosen.requests)
    version = ".".join(map(str, sys.version_info[:3]))
    print(f"apidouble {__version__}, Python {version}, {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores;"
          f" {chosen.rounds} rounds of {chosen.requests} requests: minimum / median / maximum\n")  # fmt: skip
    print(table(shops))
    if chosen.plot is not None:
        plot(shops, chosen.plot)


if __name__ == "__main__":
    main()
