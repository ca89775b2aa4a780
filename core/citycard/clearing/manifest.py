"""A collector's manifest: which batches were handed over, so that a missing one is known to be missing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import attrs

from citycard.errors import ManifestInvalid, Phrase

__all__ = ["Manifest", "ManifestLine", "read_manifest"]

_TERMINAL_DIGITS = 12
_DIGEST_DIGITS = 64
# What the columns hold in PostgreSQL.
_MOST, _MOST_RECORDS = 2**63 - 1, 2**31 - 1


@attrs.frozen(kw_only=True)
class ManifestLine:
    """One batch that was to come: terminal, batch number, SHA-256 in hexadecimal, records and their sum."""

    terminal: str
    number: int
    sha256: str
    records: int
    amount_fen: int


@attrs.frozen(kw_only=True)
class Manifest:
    """A collector's numbered list of batches. ``digest`` is that of its content, whatever its spelling."""

    collector: str
    number: int
    batches: tuple[ManifestLine, ...]
    digest: str


def read_manifest(source: str | bytes | Mapping[str, Any] | Manifest) -> Manifest:
    """Read a manifest from JSON text or its parsed form; raise ManifestInvalid with the field that is wrong.

    ``{"collector": "depot-7", "number": 12, "batches": [{"terminal": "344000000001", "number": 3, "sha256":
    "…", "records": 10, "amount_fen": 1900}]}``
    """
    if isinstance(source, Manifest):
        return source
    content = _parsed(source)
    batches = content.get("batches")
    if not isinstance(batches, list):
        raise ManifestInvalid(field="batches", reason="expected a list")
    lines = tuple(_line(entry, f"batches[{place}]") for place, entry in enumerate(batches))
    keys = {(line.terminal, line.number) for line in lines}
    if len(keys) != len(lines):
        raise ManifestInvalid(field="batches", reason="a terminal's batch number stands there twice")
    collector, number = _text(content, "collector", ""), _whole(content, "number", "")
    written = json.dumps([collector, number, [attrs.astuple(line) for line in lines]], ensure_ascii=False)
    digest = hashlib.sha256(written.encode()).hexdigest()
    return Manifest(collector=collector, number=number, batches=lines, digest=digest)


def _parsed(source: str | bytes | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(source, (str, bytes)):
        try:
            source = json.loads(source)
        except (ValueError, RecursionError) as error:
            raise ManifestInvalid(
                field="the text", reason=Phrase("not JSON: {error}", error=error)
            ) from error
    if not isinstance(source, Mapping):
        raise ManifestInvalid(field="the text", reason="expected an object")
    return source


def _line(entry: Any, where: str) -> ManifestLine:
    if not isinstance(entry, Mapping):
        raise ManifestInvalid(field=where, reason="expected an object")
    terminal, sha256 = _text(entry, "terminal", where), _text(entry, "sha256", where).lower()
    if len(terminal) != _TERMINAL_DIGITS or not terminal.isascii() or not terminal.isdigit():
        raise ManifestInvalid(field=f"{where}.terminal", reason="expected 12 digits")
    if len(sha256) != _DIGEST_DIGITS or set(sha256) - set("0123456789abcdef"):
        raise ManifestInvalid(field=f"{where}.sha256", reason="expected 64 hexadecimal digits")
    return ManifestLine(
        terminal=terminal,
        number=_whole(entry, "number", where),
        sha256=sha256,
        records=_whole(entry, "records", where, most=_MOST_RECORDS),
        amount_fen=_whole(entry, "amount_fen", where),
    )


def _text(entry: Mapping[str, Any], name: str, where: str) -> str:
    value = entry.get(name)
    # What cannot be printed, such as a NUL or half of a surrogate pair, cannot be stored either.
    if not isinstance(value, str) or not 0 < len(value) <= 100 or not value.isprintable():  # noqa: PLR2004 - the column's width
        raise ManifestInvalid(
            field=f"{where}.{name}".lstrip("."), reason="expected 1 to 100 printable characters"
        )
    return value


def _whole(entry: Mapping[str, Any], name: str, where: str, *, most: int = _MOST) -> int:
    value = entry.get(name)
    if type(value) is not int or not 0 <= value <= most:
        raise ManifestInvalid(
            field=f"{where}.{name}".lstrip("."),
            reason=Phrase("expected a whole number from 0 to {most}", most=most),
        )
    return value
