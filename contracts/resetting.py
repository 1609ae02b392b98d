"""Resetting: how a service gets back to where each attempt begins, as a URL, a command or a Python function."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

from contracts.service import Unreachable
from contracts.transports import Tls, over_http
from mock_server.errors import ConfigurationError

COMMAND_SECONDS = 60.0
"""How long a command may take to reset a service."""

_FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")

Reset = Callable[[], None]


def is_url(text: str) -> bool:
    """Whether a reset is a URL."""
    return text.startswith(("http://", "https://"))


def resetting(text: str, *, headers: Mapping[str, str] | None = None, tls: Tls | None = None) -> Reset:
    """What resets the service: a POST to a URL, ``module:function``, or else a shell command.

    ``headers`` go with the POST. The result raises ``Unreachable`` when the service could not be reset; a function that
    does not exist is a ``ConfigurationError`` at once.
    """
    if is_url(text):
        return _by_url(text, headers or {}, tls)
    if _FUNCTION.fullmatch(text):
        return _by_function(text)
    return _by_command(text)


def _by_url(url: str, headers: Mapping[str, str], tls: Tls | None) -> Reset:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    send = over_http(f"{parts.scheme}://{parts.netloc}", tls=tls)

    def reset() -> None:
        reply = send("POST", target, headers, b"")
        if not 200 <= reply.status < 300:
            raise Unreachable("the service cannot be reset", got=f"POST {url} answers {reply.status}",
                              allowed="a status from 200 to 299", hint="look at --reset")  # fmt: skip

    return reset


def _by_function(text: str) -> Reset:
    module, _, name = text.partition(":")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))  # as `python -m` does: the function is likely to be in the user's project
    try:
        found = getattr(import_module(module), name, None)
    except ImportError as error:
        raise ConfigurationError("the function that resets cannot be imported", got=text, allowed="module:function",
                                 hint=str(error)) from None  # fmt: skip
    if not callable(found):
        raise ConfigurationError(f"{module} has no function {name}", got=text, allowed="module:function")
    function: Callable[[], object] = found

    def reset() -> None:
        try:
            function()
        except Exception as error:
            raise Unreachable(
                "the service cannot be reset", got=f"{text} raises {type(error).__name__}: {error}"
            ) from error

    return reset


def _by_command(command: str) -> Reset:
    def reset() -> None:
        try:
            # The user's own command line, which is meant for a shell.
            done = subprocess.run(command, shell=True, capture_output=True, text=True,  # noqa: S602
                                  timeout=COMMAND_SECONDS, check=False)  # fmt: skip
        except subprocess.TimeoutExpired:
            raise Unreachable("the service cannot be reset", got=f"{command!r} takes more than "
                              f"{COMMAND_SECONDS:.0f} seconds") from None  # fmt: skip
        if done.returncode:
            told = (done.stderr or done.stdout).strip().splitlines()
            raise Unreachable("the service cannot be reset", got=f"code {done.returncode}"
                              + (f" ({told[-1]})" if told else "") + f" of {command!r}",
                              allowed="a URL to POST to, module:function, or a command that ends with 0")  # fmt: skip

    return reset
