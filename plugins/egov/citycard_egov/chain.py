"""A log in which every row covers the one before it: what is changed or taken out of it later shows.

``hash = SHA-256(hash before ‖ content as JSON)``. The last rows could still be cut off; therefore both sides
of an exchange write the other's last number and hash into their own log.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import attrs
from sqlalchemy import Connection, Table, insert, select

from citycard.store.engine import write_alone

__all__ = ["Head", "append", "broken", "entries", "head"]

_START = bytes(32)


@attrs.frozen(kw_only=True)
class Head:
    """The last row of a log: its number (0 for an empty log) and its hash in hexadecimal."""

    seq: int
    hash: str

    def as_json(self) -> dict[str, Any]:
        """Give it as it stands in messages."""
        return attrs.asdict(self)


def append(conn: Connection, log: Table, content: Mapping[str, Any]) -> Head:
    """Add a row of plain JSON values; others that append wait until the transaction ends."""
    write_alone(conn, log)
    last = head(conn, log)
    digest = _hash(bytes.fromhex(last.hash), content)
    conn.execute(insert(log), {"seq": last.seq + 1, "content": dict(content), "hash": digest})
    return Head(seq=last.seq + 1, hash=digest.hex())


def head(conn: Connection, log: Table) -> Head:
    """Give the last row."""
    row = conn.execute(select(log.c.seq, log.c.hash).order_by(log.c.seq.desc()).limit(1)).one_or_none()
    return Head(seq=0, hash=_START.hex()) if row is None else Head(seq=row.seq, hash=row.hash.hex())


def entries(conn: Connection, log: Table, *, limit: int = 1000) -> list[tuple[int, dict[str, Any]]]:
    """Give the newest rows, newest first."""
    rows = conn.execute(select(log.c.seq, log.c.content).order_by(log.c.seq.desc()).limit(limit))
    return [(row.seq, dict(row.content)) for row in rows]


def broken(conn: Connection, log: Table, *, seen: Head | None = None) -> str | None:
    """Go through a log and say in one sentence where it is not what was written; None when it is whole.

    ``seen`` is a head that somebody else wrote down: the log must still have it.
    """
    last, number = _START, 0
    found = seen is None or seen.seq == 0
    for row in conn.execute(select(log).order_by(log.c.seq)):
        number += 1
        if row.seq != number:
            return f"row {number} is missing"
        if row.hash != _hash(last, row.content):
            return f"row {number} is not what was written"
        last = row.hash
        if seen is not None and row.seq == seen.seq:
            if row.hash.hex() != seen.hash:
                return f"row {number} is another than the other side saw"
            found = True
    if not found and seen is not None:
        return f"it ends at row {number}, and the other side saw row {seen.seq}"
    return None


def _hash(before: bytes, content: Mapping[str, Any]) -> bytes:
    # In ASCII: what a stranger sent may hold halves of characters, which UTF-8 has not.
    text = json.dumps(dict(content), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(before + text.encode()).digest()
