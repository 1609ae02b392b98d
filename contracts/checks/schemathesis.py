"""The checks of Schemathesis under our names: ``schemathesis_`` before theirs.

A static table, so that listing the checks does not import Schemathesis; a test holds it against the library.
"""

from __future__ import annotations

from contracts.checks.registry import Check, Family, check

PREFIX = "schemathesis_"

_TABLE: tuple[tuple[str, str, int | None, str], ...] = (
    ("not_a_server_error", "No request is answered with 5xx.", 100, "a handler that fails on an empty list"),
    ("status_code_conformance", "Every status is a described one.", 101, "a 201 where only 200 is described"),
    ("content_type_conformance", "Every reply has a described media type.", 101, "an error page in HTML"),
    ("response_headers_conformance", "Described headers of replies are there and valid.", 101,
     "a create without its required Location"),
    ("response_schema_conformance", "Bodies of replies satisfy their schemas.", 101, "null where text is described"),
    ("negative_data_rejection", "What breaks the description on the wire is refused.", 102,
     "a handler that never looks at maxLength"),
    ("positive_data_acceptance", "What the description admits is accepted.", None,
     "an optional member that is demanded"),
    ("missing_required_header", "A request without a required header is refused.", 102,
     "a required X-Request-Id that nobody asks for"),
    ("unsupported_method", "A method that a path does not describe is answered 405 with Allow.", None,
     "DELETE answers 200 on a path that describes only GET"),
    ("allow_header_conformance", "Allow lists the methods that are described.", None,
     "Allow: GET where POST works too"),
    ("use_after_free", "What was deleted is not served any more.", 103, "a delete that only marks the row"),
    ("ensure_resource_availability", "What was created is found under its URL.", None,
     "a create that answers 201 before it is sure to succeed"),
    ("ignored_auth", "An operation that demands a credential refuses none and a wrong one.", 207,
     "a route that was left out of the authentication"),
    ("object_level_authorization", "One identity does not read what another one created.", 206,
     "a read that looks only at the key"),
)  # fmt: skip

CHECKS_OF_SCHEMATHESIS: dict[str, Check] = {
    name: check(
        PREFIX + name,
        Family.CONFORMANCE,
        summary=summary,
        source="Schemathesis, check " + name,
        fault=fault,
        example=example,
    )
    for name, summary, fault, example in _TABLE
}
"""Our registered check for each of theirs."""
