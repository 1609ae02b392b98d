"""What spoiled requests have found, each as small as it was made."""

from __future__ import annotations

import base64
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.model.redaction import REDACTED, Secrets
from mock_server.openapi import formats
from tests.acceptance.test_serving import PETS
from tests.hostile.oracle import judged
from tests.hostile.packs import FUZZ, SESSION, attacked
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


_SCRIPT = """
import sys, urllib.request
from mock_server import MockServer
with MockServer(sys.argv[1]) as server:
    urllib.request.urlopen(server.url + "/pets").read()
"""


@pytest.mark.skipif(not FUZZ, reason="starts ten processes, of which about four failed; set APIDOUBLE_FUZZ to run it")
def test_process_that_ends_right_after_a_server_ends_well() -> None:
    ended = [subprocess.run([sys.executable, "-c", _SCRIPT, PETS], capture_output=True, check=False) for _ in range(10)]
    assert [each.returncode for each in ended] == [0] * 10, ended[0].stderr
