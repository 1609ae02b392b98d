"""What the annotations cannot say: each module has the computed answers and effects of one part of the API."""

from __future__ import annotations

from . import customers, messages, templates, webhooks

__all__ = ["customers", "messages", "templates", "webhooks"]
