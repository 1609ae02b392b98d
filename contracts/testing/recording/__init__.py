"""Recording the real service in the place of a double, and what has drifted from the recordings since."""

from __future__ import annotations

from mock_server.errors import ApidoubleError


class NotWhileRecording(ApidoubleError):
    """A test does what only a double can do, or lacks what the real service needs; it is to be skipped."""
