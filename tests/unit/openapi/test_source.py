"""What YAML and JSON text becomes, and what is refused."""

from __future__ import annotations

import contextlib
import json
import re
import time
from pathlib import Path

import orjson
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mock_server.errors import SourceError
from mock_server.openapi import source
from mock_server.openapi.source import Limits, checked, line_of, parse, read
from mock_server.openapi.values import Json

# Texts that are numbers by YAML 1.2 alone: PyYAML, which writes by YAML 1.1, puts no quotes around them.
_ONLY_NEWER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)[eE][-+]?[0-9]+|0o[0-7]+")

# What YAML carries as it is: no control characters, and no line or paragraph separators, which YAML folds.
# A key "<<" is left out since YAML takes it for a merge key.
_TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="\ufeff\ufffe\uffff")
).filter(lambda text: text != "<<" and not _ONLY_NEWER.fullmatch(text))
# PyYAML writes by YAML 1.1, where 1e+16 needs a dot; so floats are those that both versions spell alike.
_FLOATS = st.integers(-(10**6), 10**6).map(lambda number: number / 8)
_SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | _FLOATS | _TEXT
_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=15,
)


def _laughs() -> str:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for before, name in zip("abcdefghi", "bcdefghij", strict=True):
        lines.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]")
    return "\n".join(lines)


HOSTILE: list[tuple[str, str, str | bytes, str]] = [
    ("billion laughs", "api.yaml", _laughs(), "too many values"),
    (
        "quadratic aliases",
        "api.yaml",
        f"a: &a [{'x,' * 3000}]\nb: [{'*a,' * 3000}]",
        "api.yaml:2: holds too many values",
    ),
    ("deep JSON lists", "api.json", "[" * 5000, "nested too deeply"),
    ("deep closed JSON lists", "api.json", "[" * 900 + "]" * 900, "nested too deeply"),
    ("deep JSON objects", "api.json", '{"a":' * 5000, "nested too deeply"),
    ("deep YAML flow lists", "api.yaml", "[" * 5000, "nested too deeply"),
    ("deep YAML flow mappings", "api.yaml", "{a: " * 5000, "nested too deeply"),
    ("very deep YAML flow mappings", "api.yaml", "{a: " * 80_000, "nested too deeply"),
    ("deep YAML block lists", "api.yaml", "- " * 5000, "nested too deeply"),
    ("deep YAML block keys", "api.yaml", "? " * 5000, "nested too deeply"),
    (
        "duplicate YAML keys",
        "api.yaml",
        "a:\n  b: 1\n  c: 2\n  b: 3\n",
        "api.yaml:4 at /a/b: the key 'b' is there twice",
    ),
    ("duplicate JSON keys", "api.json", '{"a": 1,\n "a": 2}', "api.json:2 at /a: the key 'a' is there twice"),
    (
        "duplicate keys by spelling",
        "api.yaml",
        "200: a\n'200': b",
        "api.yaml:1 at /200: the key '200' is there twice",
    ),
    ("duplicate merge keys", "api.yaml", "<<: {a: 1}\n<<: {b: 1}", "the key '<<' is there twice"),
    ("Python object tag", "api.yaml", "a: 1\nb: !!python/object/apply:os.system [id]", "api.yaml:2: a tag"),
    ("custom tag", "api.yaml", "a: !include other.yaml", "api.yaml:1: a tag"),
    ("tag behind an anchor", "api.yaml", "a: &x !foo b", "api.yaml:1: a tag"),
    (
        "tag renamed by a directive",
        "api.yaml",
        "%TAG ! tag:yaml.org,2002:python/\n---\na: !name:x ''",
        "a tag",
    ),
    ("non-specific tag", "api.yaml", "a: ! 12", "a tag"),
    ("NUL byte in YAML", "api.yaml", b"a: b\nc: \x00", "api.yaml:2: a NUL byte"),
    ("NUL byte in JSON", "api.json", b'{"a": "\x00"}', "api.json:1: a NUL byte"),
    ("control character", "api.yaml", "a: é\n\nb: \x07", "api.yaml:3: not valid YAML: control characters"),
    ("UTF-16", "api.yaml", "a: b".encode("utf-16"), "not UTF-8 but UTF-16"),
    ("UTF-16 without a mark", "api.json", '{"a": 1}'.encode("utf-16-le"), "not UTF-8 but UTF-16"),
    ("UTF-32", "api.yaml", "a: b".encode("utf-32"), "not UTF-8 but UTF-16 or UTF-32"),
    ("Latin-1", "api.yaml", "a: b\nc: caf\xe9".encode("latin-1"), "api.yaml:2: not valid UTF-8"),
    ("overlong UTF-8", "api.json", b'{"a": "\xc0\xaf"}', "not valid UTF-8"),
    ("truncated JSON", "api.json", '{"a": [1,\n 2', "api.json:2: not valid JSON"),
    ("empty JSON", "api.json", "", "not valid JSON"),
    ("two JSON values", "api.json", "{} {}", "not valid JSON"),
    ("JSON NaN", "api.json", '{"a": NaN}', "not valid JSON"),
    ("JSON infinity by size", "api.json", '{"a": 1e999}', "not valid JSON"),
    ("endless JSON integer", "api.json", f'{{"a": {"1" * 5000}}}', "not valid JSON"),
    ("lone surrogate", "api.json", '{"a": "\\ud800"}', "not valid JSON"),
    ("tab as indentation", "api.yaml", "a:\n\t- b", "api.yaml:2: not valid YAML"),
    ("two YAML documents", "api.yaml", "a: b\n---\nc: d", "more than one YAML document"),
    ("anchor inside itself", "api.yaml", "a: b\nc: &x [*x]", "api.yaml:2: an anchor contains itself"),
    ("anchor inside its redefinition", "api.yaml", "a: &x []\nb: &x [*x]", "an anchor contains itself"),
    ("unknown anchor", "api.yaml", "a: *nowhere", "api.yaml:1: not valid YAML: unknown anchor"),
    ("infinity", "api.yaml", "a:\n  - 1\n  - .inf", "api.yaml:3 at /a/1: JSON has no infinity"),
    ("not a number", "api.yaml", "a: .nan", "JSON has no infinity and no NaN"),
    ("wide integer as a key", "api.yaml", "123456789012345678901234567890: a", "an integer does not fit"),
    ("list as a key", "api.yaml", "a: 1\n? [b]\n: c", "api.yaml:2: a mapping key is a mapping or a list"),
    ("anchored boolean as a key", "api.yaml", "&x true: 1", "a mapping key is a string, not True"),
    ("merge of a scalar", "api.yaml", "a:\n  <<: 3", "api.yaml:2 at /a/<<: a merge key"),
]


@pytest.mark.parametrize(("name", "text", "trouble"), [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE])
def test_hostile_source_is_refused_by_name_and_trouble(name: str, text: str | bytes, trouble: str) -> None:
    data = text.encode() if isinstance(text, str) else text
    started = time.perf_counter()
    with pytest.raises(SourceError) as caught:
        parse(data, name=name)
    assert str(caught.value).startswith(name)
    assert trouble in str(caught.value)
    assert time.perf_counter() - started < 1.0


def test_nesting_is_refused_in_the_same_words_by_every_guard() -> None:
    sources = [b"[" * 5000, b"[" * 300 + b"]" * 300]
    texts = set()
    for data in sources:
        with pytest.raises(SourceError) as caught:
            parse(data, name="api.json")
        texts.add(str(caught.value))
    assert texts == {"api.json: nested too deeply\n  allowed: at most 200 levels"}


def test_more_bytes_than_the_limit_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "big.yaml"
    with file.open("wb") as stream:
        stream.truncate(65 * 1024 * 1024)
    limits = Limits(max_bytes=1000)
    data = read(file, name="big.yaml", limits=limits)
    assert len(data) == 1001
    with pytest.raises(SourceError, match=r"big\.yaml: too large\n  allowed: at most 1,000 bytes"):
        parse(data, name="big.yaml", limits=limits)


@pytest.mark.parametrize(("name", "text"), [("a.json", "[[1, 2], [3]]"), ("a.yaml", "- [1, 2]\n- [3]")])
def test_more_values_than_the_limit_are_refused(name: str, text: str) -> None:
    assert parse(text.encode(), name=name, limits=Limits(max_nodes=6)) == [[1, 2], [3]]
    with pytest.raises(SourceError, match="at most 5 values"):
        parse(text.encode(), name=name, limits=Limits(max_nodes=5))


@pytest.mark.parametrize(("name", "text"), [("a.json", "[[[]]]"), ("a.yaml", "- - []")])
def test_deeper_nesting_than_the_limit_is_refused(name: str, text: str) -> None:
    assert parse(text.encode(), name=name, limits=Limits(max_depth=3)) == [[[]]]
    with pytest.raises(SourceError, match="at most 2 levels"):
        parse(text.encode(), name=name, limits=Limits(max_depth=2))


@given(_JSON)
def test_json_text_parses_to_the_value_it_was_written_from(value: Json) -> None:
    assert parse(json.dumps(value).encode(), name="a.json") == value


@given(_JSON, st.booleans())
def test_yaml_text_parses_to_the_value_it_was_written_from(value: Json, flow: bool) -> None:
    text = yaml.safe_dump(value, allow_unicode=True, default_flow_style=flow)
    assert parse(text.encode(), name="a.yaml") == value


@given(_JSON)
def test_json_text_means_the_same_when_it_is_read_as_yaml(value: Json) -> None:
    text = b"# not JSON\n" + orjson.dumps(value)
    assert parse(text, name="a.yaml") == value


@given(_JSON)
def test_every_line_of_indented_json_is_known(value: Json) -> None:
    data = orjson.dumps(value, option=orjson.OPT_INDENT_2)
    known = source.lines(data)
    assert known[""] == 1
    assert set(known.values()) <= set(range(1, data.count(b"\n") + 2))


@given(st.binary(max_size=60))
def test_any_bytes_are_parsed_or_refused(data: bytes) -> None:
    with contextlib.suppress(SourceError):
        value = parse(data, name="a.yaml")
        assert orjson.loads(orjson.dumps(value)) == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("# only a comment\n", None),
        ("just text", "just text"),
        ("- a", ["a"]),
        ("{a: 1}", {"a": 1}),
        ("\ufeffa: 1", {"a": 1}),
        ("---\na: 1\n...\n", {"a": 1}),
        (
            "a: 2020-01-01\nb: yes\nc: on\nd: 1:30\ne: 010",
            {"a": "2020-01-01", "b": "yes", "c": "on", "d": "1:30", "e": "010"},
        ),
        ("a: ~\nb: TRUE\nc: 0x1F\nd: 1e3", {"a": None, "b": True, "c": 31, "d": 1000.0}),
        ("a: 18446744073709551615\nb: -9223372036854775808", {"a": 2**64 - 1, "b": -(2**63)}),
        ("a: !!str 1\nb: !!int '3'\nc: !!map {}", {"a": "1", "b": 3, "c": {}}),
        ("a: &x [1]\nb: *x", {"a": [1], "b": [1]}),
        (
            "a: this is *important* and !important & so on",
            {"a": "this is *important* and !important & so on"},
        ),
    ],
)
def test_yaml_is_read_by_the_core_schema(text: str, expected: Json) -> None:
    assert parse(text.encode(), name="a.yaml") == expected


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("200: x\n404: y", ["200", "404"]),
        ("true: x\nFalse: y\nnull: z\n~: t", ["true", "False", "null", "~"]),
        ("1.5: x\n1.10: y\n1.1: z\n1e3: t", ["1.5", "1.10", "1.1", "1e3"]),
        ("1: x\ntrue: y\n1.0: z", ["1", "true", "1.0"]),
        ("0: x\nfalse: y", ["0", "false"]),
        ("1.5 : x\né è: y\n{true: z}: t", None),
        ("{1.5: x, true: y, 'it''s': z, it's not: t}", ["1.5", "true", "it's", "it's not"]),
        ("1.5: x\n/leads/{id}: y\nkey with spaces  : z", ["1.5", "/leads/{id}", "key with spaces"]),
        ("é: x\n😀: y\n1.5: z\n'1.6': t", ["é", "😀", "1.5", "1.6"]),
        ("? 1.5\n: x\n? |\n  text\n: y", ["1.5", "text\n"]),
    ],
)
def test_mapping_keys_become_the_strings_that_were_written(text: str, keys: list[str] | None) -> None:
    if keys is None:
        with pytest.raises(SourceError, match="a mapping key is a mapping"):
            parse(text.encode(), name="a.yaml")
    else:
        assert list(parse(text.encode(), name="a.yaml")) == keys


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<<: {b: 1}\nb: 2", {"b": 2}),
        ("<<: [{b: 1}, {b: 2, c: 3}]", {"b": 1, "c": 3}),
        ("<<: {<<: {a: 1}, b: 2}\nc: 3", {"a": 1, "b": 2, "c": 3}),
        ("1.5: a\n<<: {b: 1}", {"1.5": "a", "b": 1}),
    ],
)
def test_merge_keys_merge_and_own_keys_win(text: str, expected: Json) -> None:
    assert parse(text.encode(), name="a.yaml") == expected


def test_an_aliased_mapping_can_be_merged() -> None:
    text = b"base: &base {type: object, title: Base}\nlead:\n  <<: *base\n  title: Lead\n"
    assert parse(text, name="a.yaml")["lead"] == {"type": "object", "title": "Lead"}


def test_a_merge_key_means_nothing_in_json() -> None:
    assert parse(b'{"<<": {"a": 1}}', name="a.json") == {"<<": {"a": 1}}


def test_a_flow_mapping_in_a_yaml_file_need_not_be_json() -> None:
    assert parse(b"{openapi: 3.1.0, paths: {}}", name="api.yaml") == {"openapi": "3.1.0", "paths": {}}


def test_a_json_file_must_be_json() -> None:
    with pytest.raises(SourceError, match="not valid JSON"):
        parse(b"openapi: 3.1.0", name="api.json")


@pytest.mark.parametrize(
    ("pointer", "line"),
    [
        ("", 1),
        ("/openapi", 1),
        ("/paths/~1leads", 4),
        ("/paths/~1leads/get", 5),
        ("/tags/1", 8),
        ("/nope/x", 1),
    ],
)
def test_line_of_names_the_value_or_its_nearest_ancestor(pointer: str, line: int) -> None:
    text = b"openapi: 3.1.0\npaths:\n  /leads:\n    get:\n      tags: []\ntags:\n  - a\n  - b\n"
    assert line_of(text, pointer) == line


def test_line_of_reads_tabs_and_surrogate_pairs_in_json() -> None:
    text = b'{\n\t"\\ud83d\\ude00": {"b\\/c": 1},\n\t"d": [\n\t\t{"e": 2}]\n}'
    assert line_of(text, "/d/0/e") == 4


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"\x00", b"a: [", b"[" * 3000, b"@", b"a: *x", b"a\n: : b"])
def test_line_of_never_raises(data: bytes) -> None:
    assert line_of(data, "/a/b") in {None, 1}


def test_read_suggests_the_nearest_name(tmp_path: Path) -> None:
    (tmp_path / "openapi.yaml").write_text("a: 1")
    with pytest.raises(SourceError, match=r"no such file\n  hint:    did you mean 'openapi\.yaml'\?"):
        read(tmp_path / "openapi.yml", name="openapi.yml")


def test_read_refuses_a_folder(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="not a regular file"):
        read(tmp_path, name="here")


def test_read_refuses_a_name_that_no_file_system_takes(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read: File name too long"):
        read(tmp_path / ("x" * 3000), name="x")


def test_read_in_a_folder_that_does_not_exist_has_no_hint(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        read(tmp_path / "gone" / "openapi.yaml", name="x")
    assert caught.value.hint is None


def test_a_value_in_memory_gets_string_keys_and_is_copied() -> None:
    given_value = {"responses": {200: {"description": "ok"}}}
    result = checked(given_value, name="description")
    assert result == {"responses": {"200": {"description": "ok"}}}
    assert list(given_value["responses"]) == [200]


@pytest.mark.parametrize(
    ("value", "trouble"),
    [
        ({"a": {1, 2}}, "description at /a: JSON has no set"),
        ({"a": [b"x"]}, "description at /a/0: JSON has no bytes"),
        ({"a": float("nan")}, "description at /a: JSON has no infinity"),
        ({True: 1}, "description: a mapping key is a string"),
        ({200: 1, "200": 2}, "description at /200: the key '200' is there twice"),
    ],
)
def test_a_value_in_memory_that_json_cannot_carry_is_refused(value: Json, trouble: str) -> None:
    with pytest.raises(SourceError) as caught:
        checked(value, name="description")
    assert str(caught.value).startswith(trouble)


def test_a_value_that_contains_itself_is_refused() -> None:
    value: dict[str, Json] = {}
    value["again"] = value
    with pytest.raises(SourceError, match="nested too deeply"):
        checked(value, name="description")


class TestCache:
    """The on-disk cache: faster, and never different."""

    YAML = b"a: [1, 2]\n200: {b: c}\n"

    def test_a_remembered_value_is_the_parsed_value(self, tmp_path: Path) -> None:
        fresh = parse(self.YAML, name="a.yaml", cache=tmp_path)
        assert parse(self.YAML, name="a.yaml", cache=tmp_path) == fresh == parse(self.YAML, name="a.yaml")

    def test_a_second_parse_of_yaml_reads_the_entry(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        fresh = parse(self.YAML, name="a.yaml", cache=tmp_path)
        monkeypatch.setattr(source, "_parse_yaml", None)
        assert parse(self.YAML, name="a.yaml", cache=tmp_path) == fresh

    def test_a_second_parse_of_json_skips_the_search_for_duplicates(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        parse(b'{"a": 1}', name="a.json", cache=tmp_path)
        monkeypatch.setattr(source, "_refuse_duplicate_members", None)
        assert parse(b'{"a": 1}', name="a.json", cache=tmp_path) == {"a": 1}

    def test_refused_text_is_not_remembered(self, tmp_path: Path) -> None:
        for _ in range(2):
            with pytest.raises(SourceError, match="there twice"):
                parse(b'{"a": 1, "a": 2}', name="a.json", cache=tmp_path)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("garbage", [b"", b"garbage", b"0" * 64 + b'\n{"a": "forged"}'])
    def test_a_corrupt_entry_is_ignored_and_rewritten(self, tmp_path: Path, garbage: bytes) -> None:
        fresh = parse(self.YAML, name="a.yaml", cache=tmp_path)
        (entry,) = tmp_path.iterdir()
        written = entry.read_bytes()
        entry.write_bytes(garbage)
        assert parse(self.YAML, name="a.yaml", cache=tmp_path) == fresh
        assert entry.read_bytes() == written
        assert list(tmp_path.iterdir()) == [entry]

    def test_a_cache_that_cannot_be_written_costs_only_time(self, tmp_path: Path) -> None:
        not_a_folder = tmp_path / "file"
        not_a_folder.write_text("")
        assert parse(b"a: 1", name="a.yaml", cache=not_a_folder) == {"a": 1}

    def test_an_entry_that_cannot_be_replaced_leaves_nothing_behind(self, tmp_path: Path) -> None:
        parse(b"a: 1", name="a.yaml", cache=tmp_path)
        (entry,) = tmp_path.iterdir()
        entry.unlink()
        entry.mkdir()
        assert parse(b"a: 1", name="a.yaml", cache=tmp_path) == {"a": 1}
        assert list(tmp_path.iterdir()) == [entry]

    def test_a_smaller_limit_holds_for_remembered_values(self, tmp_path: Path) -> None:
        parse(self.YAML, name="a.yaml", cache=tmp_path)
        with pytest.raises(SourceError, match="at most 1 levels"):
            parse(self.YAML, name="a.yaml", cache=tmp_path, limits=Limits(max_depth=1))
