"""Many messages at once, with httpx."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import httpx


async def send_all(key: str, line: str, numbers: Iterable[str], text: str) -> list[int]:
    """Sends one text to many numbers; the status of each."""
    async with httpx.AsyncClient(
        base_url="https://api.kirimdev.com/v1", headers={"Authorization": f"Bearer {key}"}
    ) as client:
        bodies = [{"to": number, "type": "text", "text": {"body": text}} for number in numbers]
        answers = await asyncio.gather(*(client.post(f"/{line}/messages", json=body) for body in bodies))
    return [answer.status_code for answer in answers]
