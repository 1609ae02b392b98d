"""A client of the platform's API, as many programs have one: requests, one session, retries where they help."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

BASE_URL = "https://api.kirimdev.com/v1"


class Kirim:
    """The API with one key."""

    def __init__(self, key: str, base_url: str = BASE_URL) -> None:
        self._base_url = base_url
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {key}"
        retries = Retry(2, status_forcelist=[503], allowed_methods=["GET"], backoff_factor=0, raise_on_status=False)
        self._session.mount("https://", HTTPAdapter(max_retries=retries))
        self._session.mount("http://", HTTPAdapter(max_retries=retries))

    def customers(self, **filters: str) -> Iterator[dict[str, Any]]:
        """Every customer, page by page."""
        query: dict[str, Any] = {"limit": 5, **filters}
        while True:
            page = self._call("GET", "/customers", params=query)
            yield from page["data"]
            if not page["has_more"]:
                return
            query["cursor"] = page["next_cursor"]

    def add_customer(self, name: str, **more: Any) -> dict[str, Any]:
        """A new customer."""
        made: dict[str, Any] = self._call("POST", "/customers", json={"name": name, **more})["data"]
        return made

    def send(self, line: str, to: str, text: str) -> dict[str, Any]:
        """A message that is on its way."""
        body = {"to": to, "type": "text", "text": {"body": text}}
        sent: dict[str, Any] = self._call("POST", f"/{line}/messages", json=body)["data"]
        return sent

    def message(self, line: str, id: str) -> dict[str, Any]:
        """What became of a message."""
        found: dict[str, Any] = self._call("GET", f"/{line}/messages/{id}")["data"]
        return found

    def _call(self, method: str, path: str, **more: Any) -> Any:
        answer = self._session.request(method, self._base_url + path, timeout=5, **more)
        answer.raise_for_status()
        return answer.json()
