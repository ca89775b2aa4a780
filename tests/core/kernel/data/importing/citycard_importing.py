"""Raises while it is imported."""

msg = "no such table at import"
raise RuntimeError(msg)
