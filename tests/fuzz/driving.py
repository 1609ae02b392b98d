"""A fuzz target under atheris, which is asked for by a command line of libFuzzer's options."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path

_INSTRUMENTED = "mock_server"


def drive(target: str, corpus: Path) -> None:
    """Runs the ``one_input`` of a module under atheris, beginning with its seed corpus. Ends the process.

    New inputs are kept in ``fuzz-corpus`` in the working directory, never among the seeds.
    """
    if importlib.util.find_spec("atheris") is None:
        sys.exit("atheris is not installed: pip install atheris (it has wheels for Python 3.11 to 3.13 on Linux)")
    atheris = importlib.import_module("atheris")
    # What is imported already is not instrumented, so it is imported again.
    for name in [name for name in sys.modules if name.split(".")[0] in {_INSTRUMENTED, "tests"}]:
        del sys.modules[name]
    with atheris.instrument_imports(include=[_INSTRUMENTED]):
        module = importlib.import_module(target)
    found = Path("fuzz-corpus") / corpus.name
    found.mkdir(parents=True, exist_ok=True)
    options = [option for option in sys.argv[1:] if option.startswith("-")]
    arguments = [sys.argv[0], "-timeout=20", "-rss_limit_mb=3000", *options, str(found), str(corpus)]
    atheris.Setup(arguments, module.one_input)
    atheris.Fuzz()


def seeds(corpus: Path) -> list[Path]:
    """The files of a seed corpus in the order of their names."""
    return sorted(path for path in corpus.iterdir() if path.is_file())
