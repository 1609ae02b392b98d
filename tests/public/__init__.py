"""Descriptions that others wrote, and odd ones of our own: each is served and judged by openapi-core."""
