"""Recordings: the files that keep what the real service answered, one for each test and API.

They are exchange files (``contracts/exchanges.py``), so that what was recorded can also be played. A file is written
anew only if something in it has changed, and then so that no more of it changes than has to.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from contracts.bindings import leaves
from contracts.exchanges import Transcript, load
from contracts.testing.recording.hiding import Hiding
from contracts.testing.recording.realservice import RealService
from contracts.testing.recording.recorder import Taken
from contracts.testing.recording.transcribing import transcribed
from mock_server.errors import ApidoubleError, Place
from mock_server.openapi.source import parse
from mock_server.openapi.values import Json
from mock_server.sandbox import Served
from mock_server.wholefiles import write_whole

FOLDER = "recordings"
"""The folder of recordings where the ini file names none, below pytest's root folder."""

_LONGEST_NAME = 100
_PLAIN = re.compile(r"[A-Za-z$/][\w $./-]*\Z", re.ASCII)
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"})
_FRESH = re.compile(r"(?=\D*\d)[\w.:+-]{6,}\Z")


def recording_path(folder: Path, nodeid: str, api: str) -> Path:
    """Where the recording of a test (by pytest's node id) and an API is: below a folder for the test's module."""
    module, _, test = nodeid.partition("::")
    parts = [_safe(part) for part in module.removesuffix(".py").split("/") if part not in {"", ".", ".."}]
    return folder.joinpath(*parts, f"{_safe(test.replace('::', '.'))}.{_safe(api)}.yaml")


def _safe(text: str) -> str:
    """A text as a file name on every system; texts that had to be changed are kept apart by digits of their hash."""
    plain = re.sub(r"[^\w.@-]+", "-", text, flags=re.ASCII).strip("-.")[:_LONGEST_NAME] or "test"
    return text if plain == text else f"{plain}-{sha256(text.encode()).hexdigest()[:6]}"


def read_recording(path: Path) -> Transcript | None:
    """The recording in a file, None where there is none; a ``FixtureError`` for a file that cannot be used."""
    return load(path) if path.is_file() else None


def write_recording(
    path: Path, *, test: str, served: Served, service: RealService, exchanges: Sequence[Taken], now: datetime
) -> bool:
    """Keeps the exchanges of a test that has passed; False if the file says the same already.

    Nothing is kept of a test without exchanges: an older recording of it goes. An ``ApidoubleError`` is raised, and
    nothing is written, should a given secret be left in the text.
    """
    if not exchanges:
        known = path.is_file()
        path.unlink(missing_ok=True)
        return known
    secrets = service.secrets
    steps = transcribed(served, exchanges, base_url=service.base_url, secrets=secrets)
    old = _steps_in(path)
    if old is not None:
        steps = _respelled(steps, old)
        if steps == old:
            return False
    hiding = Hiding(secrets)
    content = {
        "title": hiding.hidden(test),
        "api": served.name,
        "source": f"{service.base_url}, on {now.date().isoformat()}",
        "steps": steps,
    }
    text = _HEAD + yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    if hiding.given_in(text):
        raise ApidoubleError("a credential of the real service is left in what would be recorded, so nothing was",
                             place=Place(str(path)), hint="please tell us how the service answers it")  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text)
    return True


_HEAD = """\
# Recorded by apidouble from the service and on the day that `source` names, when the test in `title` had passed.
# Generated: `pytest --mock-api-record=URL` writes it anew, and changes made by hand are lost.

"""


class _Dumper(yaml.SafeDumper):
    """Writes YAML that every reader reads alike, and lists below their member."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
        return super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """A text in quotes, unless no version of YAML takes it for anything else."""
    plain = _PLAIN.match(text) is not None and text.lower() not in _WORDS and not text.endswith((" ", "."))
    style = None if plain else "|" if "\n" in text and text.isprintable() else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _mapping(dumper: yaml.SafeDumper, value: dict[str, Json]) -> yaml.MappingNode:
    """A mapping; a marker in one line."""
    flow = bool(value) and all(name.startswith("$") for name in value)
    return dumper.represent_mapping("tag:yaml.org,2002:map", value, flow_style=flow)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(dict, _mapping)


# Recording again


def _steps_in(path: Path) -> list[Json] | None:
    """The steps of a file as they are written; None where there is no file, or none that is a recording."""
    try:
        content = parse(path.read_bytes(), name=str(path))
    except (OSError, ApidoubleError):
        return None
    steps = content.get("steps") if isinstance(content, dict) else None
    return steps if isinstance(steps, list) else None


def _respelled(steps: list[dict[str, Json]], old: list[Json]) -> list[dict[str, Json]]:
    """The steps with what a test makes up for each run (a random name in a request) as the old file has it."""
    other: dict[str, str] = {}
    for new, kept in zip(steps, old, strict=False):
        if not isinstance(kept, dict) or new.get("name") != kept.get("name") or "request" not in kept:
            continue
        mine = {pointer: value for pointer, _, value in leaves(new["request"])}
        for pointer, _, before in leaves(kept["request"]):
            now = mine.get(pointer)
            if isinstance(before, str) and isinstance(now, str) and now != before:
                other |= _fresh_parts(now, before)
    if not other or len(set(other.values())) < len(other):
        return steps
    pattern = re.compile("|".join(re.escape(text) for text in sorted(other, key=len, reverse=True)))
    found: list[dict[str, Json]] = _replaced(steps, lambda text: pattern.sub(lambda part: other[part[0]], text))
    return found


def _fresh_parts(now: str, before: str) -> dict[str, str]:
    """The words in which two texts differ, if they look random in both; nothing if anything else differs."""
    left, right = _words(now), _words(before)
    if len(left) != len(right):
        return {}
    differing = {one: two for one, two in zip(left, right, strict=True) if one != two}
    made = all(_FRESH.match(one) and _FRESH.match(two) and _same_kind(one, two) for one, two in differing.items())
    return differing if made else {}


def _words(text: str) -> list[str]:
    return re.split(r"([^\w.:+-])", text)


def _same_kind(one: str, two: str) -> bool:
    """Whether two words could be two draws of one thing: as long as each other, but for a few digits."""
    return abs(len(one) - len(two)) <= 2


def _replaced(value: Json, change: Any) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {name: _replaced(inner, change) for name, inner in value.items()}
    return [_replaced(entry, change) for entry in value] if isinstance(value, list) else value
