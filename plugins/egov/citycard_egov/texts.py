"""Read a text file that somebody hands in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from citycard_egov.errors import EgovFileInvalid

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read_text"]

_LARGEST_BYTES = 64 * 1024 * 1024


def read_text(path: Path) -> str:
    """Give a file's text, in UTF-8 or GB 18030; raise EgovFileInvalid for what is neither, or too large."""
    if path.stat().st_size > _LARGEST_BYTES:
        raise EgovFileInvalid(file=path.name, reason="it has more than 64 MiB: split it")
    data = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise EgovFileInvalid(file=path.name, reason="it is no text in UTF-8 or GB 18030")
