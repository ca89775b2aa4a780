"""Write down purposes and versions, and read them back: the part of a vault that holds no key."""

from __future__ import annotations

from typing import Any

import attrs

from citycard.keys.cipher import Algorithm
from citycard.keys.hierarchy import KeyPurpose
from citycard.keys.versions import KeyStatus, KeyVersion, KeyVersions

__all__ = ["book_content", "read_book"]


def book_content(book: KeyVersions) -> dict[str, Any]:
    """Return the purposes and versions as JSON values."""
    return {
        "purposes": [attrs.asdict(purpose) for purpose in book.purposes.values()],
        "versions": [{**attrs.asdict(row), "status": row.status.value} for row in book.rows()],
    }


def read_book(content: dict[str, Any]) -> KeyVersions:
    """Return what ``book_content`` wrote; raises KeyError, TypeError or ValueError for anything else."""
    purposes = [
        KeyPurpose(**{**row, "algorithm": Algorithm(row["algorithm"])}) for row in content["purposes"]
    ]
    versions = [
        KeyVersion(**{**row, "status": KeyStatus(row["status"]), "algorithm": Algorithm(row["algorithm"])})
        for row in content["versions"]
    ]
    return KeyVersions(purposes, versions)
