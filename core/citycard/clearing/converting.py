"""Write batch files as one file of a sender, in any of the formats, with its cover."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import attrs

from citycard.clearing.cover import Cover, read_cover, sign_cover
from citycard.errors import BatchDamaged, ConversionRefused
from citycard.terminal.batch import Batch, read_batch

__all__ = ["convert"]


def convert(
    files: Iterable[tuple[str, bytes]],
    *,
    kind: str,
    sender: str,
    number: int,
    file: str,
    key_pem: bytes | None = None,
    folder: Path = Path(),
) -> tuple[Cover, bytes]:
    """Write batch files, given as names and bytes, in the format ``kind``; give the cover and the bytes.

    The cover is signed when there is a key. ``folder`` may hold the city's own ``978.toml``. Raise
    ConversionRefused for what is no batch file, CoverInvalid, or SenderKeyInvalid.
    """
    from citycard.clearing.sentformats import write_sent

    named = list(files)
    batches = [_read(name, data) for name, data in named]
    draft = read_cover(
        {
            "sender": sender,
            "number": number,
            "format": kind,
            "file": file,
            "size": 0,
            "sha256": "0" * 64,
            "records": sum(batch.header.count for batch in batches),
            "amount_fen": sum(batch.trailer.total_fen for batch in batches),
        }
    )
    data = write_sent(draft, batches, [content for _, content in named], folder)
    cover = attrs.evolve(draft, size=len(data), sha256=hashlib.sha256(data).hexdigest())
    return (sign_cover(cover, key_pem) if key_pem is not None else cover), data


def _read(name: str, data: bytes) -> Batch:
    try:
        return read_batch(data)
    except BatchDamaged as damage:
        raise ConversionRefused(file=name, reason=str(damage)) from None
