"""Reading invoices: what comes of a document when its job is done, and how far a group has come.

What documents say stands in the seed's tables: by name for those that are there, else one of the readable ones, the
same for the same address. A document that the tables call unreadable makes its job fail.
"""

from __future__ import annotations

from collections import Counter
from typing import Any
from zlib import crc32

from mock_server.model.call import Call
from mock_server.model.computed import computed
from mock_server.model.effects import effect
from mock_server.model.meaning import Meaning
from mock_server.model.outcome import Outcome
from mock_server.model.problem import Kind, Problem
from mock_server.model.work import Work
from mock_server.model.world import World
from mock_server.model.writes import Write
from mock_server.openapi.values import Json

_LINE_HEIGHT = 24.0


def _document(world: World, name: str, url: str) -> dict[str, Any]:
    documents = world.tables["repzo"]["documents"]
    for each in documents:
        if each["name"] == name:
            return dict(each)
    readable = [each for each in documents if "unreadable" not in each]
    return dict(readable[crc32(url.encode()) % len(readable)])


@effect("repzo-read-invoice")
def read_invoice(work: Work, write: Write) -> None:
    """The results of a job that has just been completed; a document that cannot be read makes it fail."""
    job = write.after
    document = _document(work.world, job["documentName"], job["documentUrl"])
    if "unreadable" in document:
        failed = {"status": "failed", "errorLog": document["unreadable"], "completedAt": None}
        work.merge("ocr-invoice-job", write.key, failed)
        return
    fields = document["confidence"]
    pages = work.items("ocr-invoice-job-page", job=write.key)
    results = {
        "extractedData": document["data"],
        "confidence": {"overall": round(sum(fields.values()) / len(fields), 2), "fields": fields},
        "validationResults": {"isValid": True, "errors": []},
        "documentInfo": {"pages": max(1, len(pages)), "format": job.get("documentType", "pdf"), "language": "en"},
        "progress": {"percentage": 100, "currentStep": "done", "totalSteps": 3},
        "processingTime": 7.0,
        "errorLog": None,
    }
    work.merge("ocr-invoice-job", write.key, results)


@effect("repzo-read-page")
def read_page(work: Work, write: Write) -> None:
    """The text of a page that has just been completed."""
    page = write.after
    document = _document(work.world, page["pageUrl"].rpartition("/")[2], page["pageUrl"])
    if "unreadable" in document:
        work.merge("ocr-invoice-job-page", write.key, {"status": "failed", "errorLog": document["unreadable"]})
        return
    lines = list(_lines(document["data"]))
    confidence = round(sum(document["confidence"].values()) / len(document["confidence"]), 2)
    blocks = [
        {
            "text": line,
            "confidence": confidence,
            "boundingBox": {"x": 40.0, "y": 40 + row * _LINE_HEIGHT, "width": 9.0 * len(line), "height": _LINE_HEIGHT},
            "blockType": "text",
        }
        for row, line in enumerate(lines)
    ]
    results = {"text": "\n".join(lines), "confidence": confidence, "blocks": blocks}
    fields = document["data"]["invoice"]
    work.merge("ocr-invoice-job-page", write.key, {"ocrResults": results, "extractedFields": fields, "errorLog": None})


def _lines(data: Json) -> list[str]:
    """An invoice as it stands on paper."""
    invoice = data["invoice"]
    amounts = invoice["amounts"]
    return [
        invoice["supplier"]["name"],
        f"Invoice {invoice['number']}",
        f"Date {invoice['date']}",
        *(f"{line['quantity']} x {line['description']} {line['amount']}" for line in data["lineItems"]),
        f"Total {amounts['total']} {amounts['currency']}",
    ]


@effect("repzo-count-group")
def count_group(work: Work, write: Write) -> None:
    """The counts and the status of the groups that a job belongs to or has left."""
    for group in {side["group"] for side in (write.before, write.after) if side and side.get("group")}:
        if work.get("ocr-invoice-job-group", group) is None:
            continue
        jobs = work.items("ocr-invoice-job", group=group)
        states = Counter(job["status"] for job in jobs)
        work.merge("ocr-invoice-job-group", group, {
            "totalJobs": len(jobs),
            "completedJobs": states["completed"],
            "pendingJobs": states["created"] + states["queued"] + states["processing"],
            "failedJobs": states["failed"],
            "status": _status(states),
        })  # fmt: skip


def _status(states: Counter[str]) -> str:
    """``processing`` while any job is under way, ``completed`` or ``failed`` when all are at their end."""
    if states["queued"] or states["processing"] or (states["created"] and len(states) > 1):
        return "processing"
    if not states or states["created"]:
        return "created"
    return "completed" if states["completed"] else "failed" if states["failed"] else "cancelled"


@computed("repzo-jobs-of-group")
def jobs_of_group(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The jobs of a group in short."""
    work, key = Work.of(world, call), str(call.path["id"])
    if work.get("ocr-invoice-job-group", key) is None:
        return Problem(Kind.NOT_FOUND, f"ocr-invoice-job-group {key!r} does not exist")
    jobs = [
        {"jobId": job["_id"], "status": job["status"], "documentName": job["documentName"]}
        for job in work.items("ocr-invoice-job", group=key)
    ]
    return Outcome(meaning.status, {"success": True, "data": jobs}, reads=("ocr-invoice-job",))
