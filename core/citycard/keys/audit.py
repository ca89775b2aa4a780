"""What was done with keys that left or came: a file that only grows.

Each line is chained to the one before by SHA-256 and signed by the city's vault, so that whoever can write
the file but not use the vault can neither change nor add a line. Lines cut off at its end are not noticed:
keep the last digest elsewhere.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from citycard.errors import KeyAuditBroken
from citycard.keys.signing import verify_signature

if TYPE_CHECKING:
    from citycard.keys.vault import Vault

__all__ = ["append_audit", "read_audit"]

_FIRST = "0" * 64
# What the city signs begins with what it is, so that no signature is good for anything else.
_DOMAIN = b"citycard key audit line 1\0"


def append_audit(
    path: Path, vault: Vault, what: str, people: tuple[str, ...], now: dt.datetime, **facts: Any
) -> None:
    """Add a line, signed by the vault, and wait until it is on the disk.

    Raises ``KeyAuditBroken`` when the file was changed.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        entries = _entries(path, file.read(), vault.public_key_pem())
        told = {
            "at": now.astimezone(dt.UTC).isoformat(timespec="seconds"),
            "what": what,
            "people": list(people),
            **facts,
            "before": entries[-1]["digest"] if entries else _FIRST,
        }
        digest = _digest(told)
        signature = vault.sign(_DOMAIN + digest.encode()).hex()
        file.write(_line({**told, "digest": digest, "signature": signature}))
        file.flush()
        os.fsync(file.fileno())


def read_audit(path: Path, public_key_pem: str) -> list[dict[str, Any]]:
    """Return the lines, oldest first; raises ``KeyAuditBroken`` when one was changed, added or taken out.

    ``public_key_pem`` is the vault's, and may come from elsewhere than the city.
    """
    return _entries(path, path.read_bytes(), public_key_pem) if path.exists() else []


def _entries(path: Path, data: bytes, public_key_pem: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    before = _FIRST
    for number, line in enumerate(data.splitlines(), 1):
        try:
            entry = json.loads(line)
            digest, signature = entry.pop("digest"), bytes.fromhex(entry.pop("signature"))
            good = (
                entry["before"] == before
                and digest == _digest(entry)
                and verify_signature(public_key_pem, _DOMAIN + digest.encode(), signature)
            )
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
