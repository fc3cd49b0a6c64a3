"""The fixture of sessions."""

from watch_sessions import folder  # noqa: F401
