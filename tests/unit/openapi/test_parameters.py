"""Where a parameter may be, by version of the specification."""

from __future__ import annotations

import pytest

from mock_server import DescriptionError, compile_api
from mock_server.openapi.values import Json


def described(version: str, location: str) -> Json:
    parameter = {"name": "q", "in": location, "content": {"application/json": {"schema": {"type": "object"}}}}
    read = {"operationId": "read", "parameters": [parameter], "responses": {"200": {"description": "ok"}}}
    return {"openapi": version, "info": {"title": "T", "version": "1"}, "paths": {"/things": {"get": read}}}


def test_querystring_is_a_place_from_3_2_on() -> None:
    (parameter,) = compile_api(described("3.2.0", "querystring")).operation("read").parameters
    assert parameter.location == "querystring"


@pytest.mark.parametrize(("version", "location"), [("3.1.0", "querystring"), ("3.0.3", "body"), ("3.2.0", "fragment")])
def test_an_unknown_place_is_refused_with_those_that_are_known(version: str, location: str) -> None:
    with pytest.raises(DescriptionError) as caught:
        compile_api(described(version, location)).operation("read")
    error = caught.value
    assert error.got == location
    assert error.place is not None
    assert error.place.pointer == "/paths/~1things/get/parameters/0"
    assert "cookie" in (error.allowed or "")
    assert location not in (error.allowed or "")
