"""HAR 1.2: the failing sequences as a browser's network panel, or a proxy, shows them. Written by ``harfile``."""

from __future__ import annotations

import io
from base64 import b64encode
from http import HTTPStatus
from importlib.metadata import version
from urllib.parse import parse_qsl

import harfile

from contracts.findings import Finding
from contracts.reports.bodies import text_of
from contracts.reports.material import Material
from contracts.service import Recorded


def har(material: Material) -> str:
    """Every exchange of every finding, in order; a comment names the finding."""
    out = io.StringIO()
    creator = harfile.Creator(name="apidouble", version=version("apidouble"))
    with harfile.HarFile.open(out, creator=creator) as log:
        for finding in material.findings:
            for number, recorded in enumerate(finding.sequence, 1):
                _add(log, finding, f"{number} of {len(finding.sequence)}", recorded, material)
    return out.getvalue() + "\n"


def _add(log: harfile.HarFile, finding: Finding, count: str, recorded: Recorded, material: Material) -> None:
    elapsed = round(recorded.reply.elapsed * 1000, 3)
    log.add_entry(
        startedDateTime=material.report.began,
        time=elapsed,
        request=_request(recorded, material),
        response=_response(recorded, material),
        timings=harfile.Timings(send=0, wait=elapsed, receive=0),
        comment=material.text(f"{finding.fingerprint} {finding.check} ({count}): {finding.sentence}"),
    )


def _request(recorded: Recorded, material: Material) -> harfile.Request:
    request = recorded.request
    headers = [_record(name, value, material) for name, value in request.headers.items()]
    query = parse_qsl(request.target.partition("?")[2], keep_blank_values=True, errors="replace")
    body = material.secrets.hidden_bytes(request.body)
    kind = next((value for name, value in request.headers.items() if name.lower() == "content-type"), "")
    text = text_of(body)
    posted = harfile.PostData(
        material.secrets.hidden(kind),
        text=text if text is not None else b64encode(body).decode(),
        comment=None if text is not None else "base64",
    )
    return harfile.Request(
        request.method,
        material.secrets.hidden(material.report.base_url.rstrip("/") + request.target),
        "HTTP/1.1",
        headers=headers,
        queryString=[_record(name, value, material) for name, value in query],
        postData=posted if body else None,
        bodySize=len(request.body),
    )


def _response(recorded: Recorded, material: Material) -> harfile.Response:
    body = material.secrets.hidden_bytes(recorded.reply.body)
    text = text_of(body)
    content = harfile.Content(
        size=len(body),
        mimeType=material.secrets.hidden(recorded.header("content-type") or ""),
        text=text if text is not None else b64encode(body).decode(),
        encoding=None if text is not None else "base64",
    )
    try:
        phrase = HTTPStatus(recorded.status).phrase
    except ValueError:
        phrase = ""
    return harfile.Response(
        recorded.status,
        phrase,
        "HTTP/1.1",
        headers=[_record(name, value, material) for name, value in recorded.reply.headers],
        content=content,
        redirectURL=material.secrets.hidden(recorded.header("location") or ""),
        bodySize=len(recorded.reply.body),
    )


def _record(name: str, value: str, material: Material) -> harfile.Record:
    return harfile.Record(material.secrets.hidden(name), material.secrets.hidden(value))
