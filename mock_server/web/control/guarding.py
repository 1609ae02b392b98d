"""Who may use the control API: whoever has its token; without one, whoever is on this machine and is no web page.

A page that somebody on this machine has open can send requests to loopback addresses, too. It may do so under a name
of its own that leads here (DNS rebinding), which the Host header gives away, or across origins, which browsers say in
Origin and in Sec-Fetch-Site (Fetch Metadata Request Headers).
"""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from werkzeug.datastructures import Headers

from mock_server.webhooks.addresses import is_loopback_name

_NO_SITE = frozenset({"", "none"})  # no browser, or an address that a person typed
_LOOKING = frozenset({"GET", "HEAD"})
_TOKEN = "the control token"  # noqa: S105 - what messages call it

# Answers are for programs. One that is opened in a browser runs nothing, is kept nowhere, and is no part of another
# page; "sandbox" keeps it apart from pages of the mocked APIs, which have the same origin.
ANSWER_HEADERS = (
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
)


def has_token(headers: Headers, token: str) -> bool:
    """Whether a request has the token, as a bearer token (RFC 6750 §2.1)."""
    scheme, _, sent = headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(sent.strip().encode(), token.encode())


def stranger(method: str, headers: Headers) -> str | None:
    """Why a request without a token is not served; None for one that is.

    It may come from a web page, or under a name that is not this machine's own.
    """
    host = headers.get("Host")
    if host is not None and not _is_ours(host):
        return f"without {_TOKEN} the control API answers to this machine's own names only, and not to {host[:80]!r}"
    site, origin = headers.get("Sec-Fetch-Site", ""), headers.get("Origin")
    if origin is None and site in _NO_SITE:
        return None
    followed = headers.get("Sec-Fetch-Mode") == "navigate" and headers.get("Sec-Fetch-Dest") == "document"
    if method in _LOOKING and followed and origin is None:
        return None  # a link: its target is shown, and the page with the link cannot read it
    return f"without {_TOKEN} the control API is not for the scripts and forms of web pages"


def _is_ours(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    return name is not None and is_loopback_name(name)
