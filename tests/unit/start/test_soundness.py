"""A description is compiled whole when it starts, unless the very same one was found sound before."""

from __future__ import annotations

from pathlib import Path

import pytest

from mock_server import ApidoubleError, ApiSource, Options, Sandbox
from mock_server.soundness import forget_apis

DESCRIPTION = """\
openapi: 3.1.0
info: {title: T, version: '1'}
paths:
  /things:
    get:
      operationId: listThings
      responses:
        '200': {description: OK, content: {application/json: {schema: {$ref: 'parts.yaml#/Things'}}}}
"""
PARTS = "Things: {type: array, items: {type: object, properties: {id: {type: string}}}}\n"


@pytest.fixture
def source(tmp_path: Path) -> ApiSource:
    """A description of two files."""
    (tmp_path / "parts.yaml").write_text(PARTS)
    (tmp_path / "openapi.yaml").write_text(DESCRIPTION)
    return ApiSource("things", tmp_path / "openapi.yaml")


def _compiled(source: ApiSource, *, eager: bool | None = None) -> tuple[str, ...]:
    """The operations that a start compiles in a process of its own, with a cache beside the description."""
    forget_apis()
    cache = source.description.parent / "cache"
    return Sandbox([source], options=Options(cache=cache, eager=eager)).api(source.name).api.compiled_ids()


def test_second_start_compiles_nothing(source: ApiSource) -> None:
    assert _compiled(source) == ("listThings",)
    assert _compiled(source) == ()


def test_start_without_a_cache_always_compiles(source: ApiSource) -> None:
    for _ in range(2):
        forget_apis()
        assert Sandbox([source]).api("things").api.compiled_ids() == ("listThings",)


def test_start_that_is_told_to_compile_does(source: ApiSource) -> None:
    assert _compiled(source) == ("listThings",)
    assert _compiled(source, eager=True) == ("listThings",)


@pytest.mark.parametrize("name", ["openapi.yaml", "parts.yaml"])
def test_change_of_any_file_compiles_again(name: str, source: ApiSource) -> None:
    _compiled(source)
    with (source.description.parent / name).open("a") as file:
        file.write("x-more: 1\n")
    assert _compiled(source) == ("listThings",)


def test_mistake_in_a_file_that_is_referred_to_shows_at_start(source: ApiSource) -> None:
    _compiled(source)
    (source.description.parent / "parts.yaml").write_text(PARTS.replace("Things", "Thongs"))
    for _ in range(2):
        with pytest.raises(ApidoubleError, match="leads nowhere"):
            _compiled(source)


def test_file_that_is_gone_shows_at_start(source: ApiSource) -> None:
    _compiled(source)
    (source.description.parent / "parts.yaml").unlink()
    with pytest.raises(ApidoubleError, match=r"parts\.yaml"):
        _compiled(source)


def test_what_is_on_other_hosts_is_never_taken_for_sound(source: ApiSource) -> None:
    remote = ApiSource(source.name, source.description, allow_remote=True)
    assert _compiled(remote) == ("listThings",)
    assert _compiled(remote) == ("listThings",)


def test_new_module_beside_computed_answers_compiles_again(source: ApiSource) -> None:
    folder = source.description.parent
    (folder / "compute.py").write_text("")
    computing = ApiSource(source.name, source.description, compute=folder / "compute.py")
    first = _compiled(computing)
    assert first == ("listThings",)
    assert _compiled(computing) == ()
    (folder / "more.py").write_text("")
    assert _compiled(computing) == first


def test_sandboxes_of_one_process_share_an_api(source: ApiSource) -> None:
    assert Sandbox([source]).api("things").api is Sandbox([source]).api("things").api


@pytest.mark.parametrize("name", ["openapi.yaml", "parts.yaml"])
def test_api_of_changed_files_is_read_again(name: str, source: ApiSource) -> None:
    before = Sandbox([source]).api("things").api
    with (source.description.parent / name).open("a") as file:
        file.write("x-more: 1\n")
    after = Sandbox([source]).api("things").api
    assert after is not before
    assert after.documents.digests() != before.documents.digests()


def test_sources_that_are_read_differently_share_nothing(source: ApiSource) -> None:
    other = ApiSource(source.name, source.description, allow_outside=True)
    assert Sandbox([source]).api("things").api is not Sandbox([other]).api("things").api
