"""What spoiled requests have found, each as small as it was made."""

from __future__ import annotations

import base64
import re

from hypothesis import given
from hypothesis import strategies as st

from mock_server.model.redaction import REDACTED, Secrets
from mock_server.openapi import formats
from tests.hostile.oracle import judged
from tests.hostile.packs import SESSION, attacked
from tests.hostile.sent import Sent

_QUADRATIC = re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{2,}\.[\w-]*")
"""How a token was found before: right, but in a time that grew with the square of the text."""


@given(st.lists(st.sampled_from(["eyJ", "aaaaaaaa", "-", ".", "a", "eyJaaaaaaaa.eyJaa.", " ", "_", "é"]), max_size=9))
def test_tokens_are_found_as_the_plain_pattern_finds_them(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert Secrets(()).hidden_in(text) == _QUADRATIC.sub(REDACTED, text)


@given(st.text("Az+/-_=!", max_size=9))
def test_base64_is_what_the_standard_library_reads(text: str) -> None:
    try:
        padded = base64.b64decode(text, validate=True) is not None and "=" not in text.rstrip("=")
    except ValueError:
        padded = False
    assert formats.is_base64(text) is (padded and len(text) % 4 == 0 and len(text) - len(text.rstrip("=")) < 3)


def test_session_whose_person_is_gone_is_refused() -> None:
    pack = attacked("layercake")
    pack.begin()
    asked = pack.valid("validateCliSession", 0)
    assert asked is not None
    assert judged(pack.application, pack.sandbox, asked).status == 200
    gone = Sent("DELETE", "/__mock__/state/layercake/users", (("Mock-Session", SESSION),))
    assert judged(pack.application, pack.sandbox, gone).status == 204
    assert judged(pack.application, pack.sandbox, asked).status == 401
