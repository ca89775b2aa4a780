"""What was done with keys that left or came: a file that only grows, each line chained to the one before."""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from citycard.errors import KeyAuditBroken

__all__ = ["append_audit", "read_audit"]

_FIRST = "0" * 64


def append_audit(path: Path, what: str, people: tuple[str, ...], now: dt.datetime, **facts: Any) -> None:
    """Add a line and wait until it is on the disk; raises ``KeyAuditBroken`` when the file was changed."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        entries = _entries(path, file.read())
        told = {
            "at": now.astimezone(dt.UTC).isoformat(timespec="seconds"),
            "what": what,
            "people": list(people),
            **facts,
            "before": entries[-1]["digest"] if entries else _FIRST,
        }
        file.write(_line({**told, "digest": _digest(told)}))
        file.flush()
        os.fsync(file.fileno())


def read_audit(path: Path) -> list[dict[str, Any]]:
    """Return the lines, oldest first; raises ``KeyAuditBroken`` when one was changed or taken out."""
    return _entries(path, path.read_bytes()) if path.exists() else []


def _entries(path: Path, data: bytes) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    before = _FIRST
    for number, line in enumerate(data.splitlines(), 1):
        try:
            entry = json.loads(line)
            digest = entry.pop("digest")
            good = entry["before"] == before and digest == _digest(entry)
        except (AttributeError, KeyError, TypeError, ValueError):
            good = False
        if not good:
            raise KeyAuditBroken(path=path, line=number)
        entries.append({**entry, "digest": digest})
        before = digest
    return entries


def _digest(entry: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(entry, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _line(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, ensure_ascii=False).encode() + b"\n"
