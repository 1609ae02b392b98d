"""The webhooks of a test: captured, answered, led into the receiver under test."""
