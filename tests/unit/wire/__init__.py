"""Tests of what turns bytes and texts into values and back: styles, media types, JSON, bodies."""
