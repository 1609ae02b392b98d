"""Pages: a ticket and an invoice as PDF, the same bytes whenever the object is the same.

The fonts that every reader has know Latin-1 only; letters beyond it lose their marks.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from mock_server.model.behaviours.reading import existing
from mock_server.model.call import Call
from mock_server.model.computed import computed
from mock_server.model.meaning import Meaning
from mock_server.model.outcome import Outcome
from mock_server.model.problem import Problem
from mock_server.model.work import Work
from mock_server.model.world import World
from mock_server.openapi.values import Json

from .moments import moment
from .money import written

_FONT = "Helvetica"
_COLUMNS = (95, 25, 35, 35)  # millimetres: what, how many, each, together
_WITHOUT_TIME = 0


@computed("layercake-ticket-pdf")
def ticket_pdf(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A page with the event, the holder and the code, also as a bar code."""
    found = existing(world, meaning, call)
    if isinstance(found, Problem):
        return found
    ticket = found[3].value
    held = ticket["customProperties"]
    work = Work.of(world, call)
    event, product = work.get("events", held["eventId"]), work.get("products", held["productId"])
    page = _Page(f"{ticket['displayName']}", ticket)
    page.heading(event["displayName"] if event is not None else "Ticket")
    if event is not None:
        where = event["customProperties"]
        page.lines([f"{where['startDate']} - {where['endDate']}", where.get("location", "")])
    page.lines([product["displayName"] if product is not None else "", ticket["displayName"]])
    page.heading(held["attendeeName"])
    page.lines([held["attendeeEmail"], held["qrCode"]])
    page.bar_code(held["qrCode"])
    return Outcome(meaning.status, page.content(), media_type="application/pdf")


@computed("layercake-invoice-pdf")
def invoice_pdf(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A page with the items, the tax and the total."""
    found = existing(world, meaning, call)
    if isinstance(found, Problem):
        return found
    invoice = found[3].value
    held = invoice["customProperties"]
    work = Work.of(world, call)
    seller = work.get("organizations", work.tenant)
    page = _Page(invoice["displayName"], invoice)
    page.heading(seller["name"] if seller is not None else "")
    page.heading(f"Invoice {held['invoiceNumber']}")
    due = f"Due on {held['dueDate']}" if "dueDate" in held else ""
    page.lines([f"To {held['clientName']}", due, held.get("paymentTerms", ""), f"Status: {invoice['status']}"])
    page.row("", "Quantity", "Unit price", "Total")
    currency = held["currency"]
    for item in held["lineItems"]:
        amounts = (written(item["unitPrice"], currency), written(item["total"], currency))
        page.row(item["description"], f"{item['quantity']:g}", *amounts)
    page.row("Subtotal", "", "", written(held["subtotal"], currency))
    page.row(f"Tax, {held['taxRate']:g} %", "", "", written(held["tax"], currency))
    page.row("Total", "", "", written(held["total"], currency))
    page.lines([held.get("notes", "")])
    return Outcome(meaning.status, page.content(), media_type="application/pdf")


class _Page:
    """A page in the making, dated by the object that it shows; an invoice with many items runs on to the next."""

    def __init__(self, title: str, shown: dict[str, Json]) -> None:
        from fpdf import FPDF  # with its images and fonts, for those who print

        self._pdf = FPDF(format="A4")
        self._pdf.set_auto_page_break(auto=True, margin=15)
        self._pdf.set_title(_printable(title))
        self._pdf.set_creator("apidouble")
        self._pdf.set_creation_date(moment(shown.get("updatedAt", _WITHOUT_TIME)))
        self._pdf.add_page()

    def heading(self, text: str) -> None:
        """A line in large letters."""
        self._write([text], style="B", size=18, height=11)

    def lines(self, texts: Iterable[str]) -> None:
        """Lines in plain letters, empty ones left out, and room after them."""
        self._write([text for text in texts if text], style="", size=11, height=6)
        self._pdf.ln(4)

    def row(self, *cells: str) -> None:
        """One row of the table of amounts."""
        self._pdf.set_font(_FONT, size=10)
        for width, text in zip(_COLUMNS, cells, strict=True):
            self._pdf.cell(width, 7, _printable(text)[:60], border="B", align="L" if width == _COLUMNS[0] else "R")
        self._pdf.ln()

    def bar_code(self, text: str) -> None:
        """A code as Code 39, which knows capitals, digits and hyphens."""
        self._pdf.code39(f"*{text}*", x=self._pdf.get_x(), y=self._pdf.get_y() + 4, w=1, h=16)

    def content(self) -> str:
        """The finished document, a byte in each character."""
        return bytes(self._pdf.output()).decode("latin-1")

    def _write(self, texts: Iterable[str], *, style: str, size: int, height: int) -> None:
        self._pdf.set_font(_FONT, style=style, size=size)
        for text in texts:
            self._pdf.cell(0, height, _printable(text), new_x="LMARGIN", new_y="NEXT")


def _printable(text: str) -> str:
    """A text in letters of Latin-1: marks that it does not know are left off, letters become question marks."""
    letters = []
    for letter in text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"):
        plain = letter if ord(letter) < 256 else unicodedata.normalize("NFKD", letter)[0]
        letters.append(plain if ord(plain) < 256 else "?")
    return "".join(letters)
