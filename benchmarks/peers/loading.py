"""Load from wrk, and its own account of it."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.processes import Unavailable, pinned

CONNECTIONS = 8
_TOLD = re.compile(
    r"^measured requests=(?P<requests>\d+) us=(?P<us>\d+) p50=(?P<p50>\d+) p99=(?P<p99>\d+)"
    r" refused=(?P<refused>\d+) broken=(?P<broken>\d+)$",
    re.MULTILINE,
)
# wrk's own words round what they say; its summary does not. ``latency`` is in microseconds.
_DONE = """
done = function(summary, latency, requests)
  local broken = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format("measured requests=%d us=%d p50=%d p99=%d refused=%d broken=%d\\n", summary.requests,
    summary.duration, latency:percentile(50), latency:percentile(99), summary.errors.status, broken))
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk counted. ``refused`` answers had a status of 400 or more; ``broken`` requests got none."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    refused: int
    broken: int

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


def script(method: str, paths: tuple[str, ...], body: bytes) -> str:
    """The wrk script that asks for the paths in turn and tells what was counted."""
    told = ", ".join(json.dumps(path) for path in paths)
    content = f"wrk.body = {lua(body)}\nwrk.headers['Content-Type'] = 'application/json'\n" if body else ""
    return (
        f"wrk.method = '{method}'\n{content}local paths = {{{told}}}\nlocal made = {{}}\nlocal n = 0\n"
        "init = function(args) for i, path in ipairs(paths) do made[i] = wrk.format(nil, path) end end\n"
        f"request = function() n = n % #made + 1; return made[n] end\n{_DONE}"
    )


def lua(text: bytes) -> str:
    """A Lua string literal."""
    return (
        '"' + "".join(chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\{byte:03d}" for byte in text) + '"'
    )


def counted(printed: str) -> Load:
    """What the script told; ``Unavailable`` where it told nothing or nothing was answered."""
    found = _TOLD.search(printed)
    if found is None:
        raise Unavailable(f"wrk told nothing: {printed.strip()[-200:] or 'it printed nothing'}")
    if int(found["requests"]) == 0:
        raise Unavailable("no answer under load")
    number = {name: int(text) for name, text in found.groupdict().items()}
    return Load(number["requests"], number["us"] / 1e6, number["p50"] / 1e3, number["p99"] / 1e3, number["refused"],
                number["broken"])  # fmt: skip


def load(port: int, source: str, *, seconds: int, core: int | None, scratch: Path) -> Load:
    """Runs wrk with a script, one thread and eight connections that stay open, on a core of its own."""
    file = scratch / "load.lua"
    file.write_text(source, encoding="utf-8")
    words = ("wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "30s", "--latency", "-s", str(file),
             f"http://127.0.0.1:{port}/")  # fmt: skip
    done = subprocess.run(pinned(words, core), capture_output=True, text=True, timeout=seconds + 60, check=False)
    return counted(done.stdout + done.stderr)
