"""Webhook delivery: events become queued deliveries, and a courier posts them.

    event → queueing (who gets it, is it valid) → outbox → message (headers, signature) → posting → retrying

Everything up to the outbox and the making of a message are pure functions; ``posting`` has the socket, ``courier`` the
threads. Nothing is ever sent while a universe is locked.
"""
