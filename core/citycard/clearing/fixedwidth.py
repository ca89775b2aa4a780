"""Text of fixed width in the style of JT/T 978: which columns stand where is data, and can be corrected.

The standard's own tables could not be read. ``jtt978.toml`` is a layout in its style; who has bought the
standard puts a ``978.toml`` of the same form into the city's folder.
"""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from citycard.clearing.cover import Cover
from citycard.clearing.rows import COLUMNS, RowColumn
from citycard.errors import FixedMappingInvalid, SentFileDamaged

__all__ = ["FixedMapping", "read_fixed", "read_mapping", "write_fixed"]

_OWN_NAME: Final = "978.toml"
_COLUMNS: Final = {column.name: column for column in COLUMNS}
_IN_HEADER: Final = ("sender", "number", "records", "amount_fen")
_MOST_WIDTH: Final = 10_000

_text, _whole = attrs.validators.instance_of(str), attrs.validators.instance_of(int)


@attrs.frozen(kw_only=True)
class _Place:
    """Where something stands in a line: from ``start`` (counted from 1), ``width`` characters.

    It is a column, a field of the cover, or always the same ``text``.
    """

    name: str = attrs.field(default="", validator=_text)
    start: int = attrs.field(validator=_whole)
    width: int = attrs.field(validator=_whole)
    text: str = attrs.field(default="", validator=_text)


@attrs.frozen(kw_only=True)
class FixedMapping:
    """A layout of fixed width: lines of ``width`` characters and an end, a header first if it has places."""

    width: int
    newline: str
    header: tuple[_Place, ...]
    record: tuple[_Place, ...]

    @property
    def header_lines(self) -> int:
        """Give the number of lines before the first record."""
        return 1 if self.header else 0


def read_mapping(folder: Path) -> FixedMapping:
    """Read the city's own ``978.toml``, or the layout that citycard brings; raise FixedMappingInvalid."""
    own = folder / _OWN_NAME
    source = own if own.exists() else files("citycard.clearing") / "jtt978.toml"
    try:
        content = tomllib.loads(source.read_text("utf-8"))
        mapping = FixedMapping(
            width=int(content["width"]),
            newline={"CRLF": "\r\n", "LF": "\n"}[content["newline"]],
            header=tuple(_Place(**place) for place in content.get("header", ())),
            record=tuple(_Place(**place) for place in content["record"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OSError) as error:
        raise FixedMappingInvalid(path=own, reason=f"{type(error).__name__}: {error}") from None
    _check(mapping, own)
    return mapping


def _check(mapping: FixedMapping, path: Path) -> None:
    if not 1 <= mapping.width <= _MOST_WIDTH:
        raise FixedMappingInvalid(path=path, reason=f"width must be from 1 to {_MOST_WIDTH}")
    for names, places in ((_IN_HEADER, mapping.header), (tuple(_COLUMNS), mapping.record)):
        taken = np.zeros(mapping.width, int)
        for place in places:
            fixed = not place.name and place.text.isascii() and len(place.text) == place.width
            if not (fixed if place.text else place.name in names):
                raise FixedMappingInvalid(path=path, reason=f"{place.name or place.text!r} is not known")
            if place.start < 1 or place.width < 1 or place.start - 1 + place.width > mapping.width:
                raise FixedMappingInvalid(path=path, reason=f"{place.name} goes beyond the line")
            taken[place.start - 1 : place.start - 1 + place.width] += 1
        if (taken > 1).any():
            reason = f"character {int(np.argmax(taken > 1)) + 1} is given to two places"
            raise FixedMappingInvalid(path=path, reason=reason)


# ── reading ──────────────────────────────────────────────────────────────────────────────────────


def read_fixed(mapping: FixedMapping, cover: Cover, data: bytes) -> pa.Table:
    """Give the columns of a file as text; raise SentFileDamaged where a line has another length or header."""
    size = mapping.width + len(mapping.newline)
    lines = _lines(mapping, data, size)
    if mapping.header:
        if not len(lines):
            raise SentFileDamaged(code="F07", line=1, field="header", expected="a header")
        _check_header(mapping, cover, lines[0].tobytes())
    body = lines[mapping.header_lines :]
    for place in mapping.record:
        if place.text:
            wanted = np.frombuffer(place.text.encode(), np.uint8)
            odd = np.flatnonzero(np.any(_cut(body, place) != wanted, axis=1))
            if len(odd):
                line = int(odd[0]) + 1 + mapping.header_lines
                raise SentFileDamaged(
                    code="F07", line=line, field=f"character {place.start}", expected=place.text
                )
    return pa.table({place.name: _strings(_cut(body, place)) for place in mapping.record if place.name})


def _lines(mapping: FixedMapping, data: bytes, size: int) -> Any:
    end = mapping.newline.encode()
    whole = data if data.endswith(end) or not data else data + end
    if len(whole) % size == 0:
        lines = np.frombuffer(whole, np.uint8).reshape(-1, size)
        if (lines[:, mapping.width :] == np.frombuffer(end, np.uint8)).all() and (lines < 0x80).all():  # noqa: PLR2004
            return lines
    for number, line in enumerate(whole.split(end)[:-1], 1):
        if len(line) != mapping.width or not line.isascii():
            expected = f"{mapping.width} ASCII characters, not {len(line)}"
            raise SentFileDamaged(code="F07", line=number, field="line", expected=expected)
    raise SentFileDamaged(
        code="F07", line=1, field="line", expected=f"lines that end with {mapping.newline!r}"
    )


def _cut(lines: Any, place: _Place) -> Any:
    return lines[:, place.start - 1 : place.start - 1 + place.width]


def _strings(cells: Any) -> pa.Array:
    count, width = cells.shape
    offsets = np.arange(count + 1, dtype=np.int32) * np.int32(width)
    return pa.StringArray.from_buffers(
        count, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(cells))
    )


def _check_header(mapping: FixedMapping, cover: Cover, line: bytes) -> None:
    for place in mapping.header:
        found = line[place.start - 1 : place.start - 1 + place.width].decode("ascii", "replace")
        wanted = place.text or _header_text(place, cover)
        if found != wanted:
            code = "F06" if place.name in {"records", "amount_fen"} else "F07"
            field = place.name or f"character {place.start}"
            raise SentFileDamaged(code=code, line=1, field=field, expected=f"{wanted!r} as on the cover")


def _header_text(place: _Place, cover: Cover) -> str:
    value = getattr(cover, place.name)
    return value.ljust(place.width) if isinstance(value, str) else f"{value:0{place.width}d}"


# ── writing ──────────────────────────────────────────────────────────────────────────────────────


def write_fixed(mapping: FixedMapping, cover: Cover, table: pa.Table) -> bytes:
    """Write rows as lines of fixed width."""
    end = np.frombuffer(mapping.newline.encode(), np.uint8)
    lines = np.full((table.num_rows, mapping.width + len(end)), ord(" "), np.uint8)
    lines[:, mapping.width :] = end
    for place in mapping.record:
        cells: Any = (
            np.frombuffer(place.text.encode(), np.uint8)
            if place.text
            else _characters(table[place.name].combine_chunks(), _COLUMNS[place.name], place.width)
        )
        lines[:, place.start - 1 : place.start - 1 + place.width] = cells
    return _header_line(mapping, cover) + lines.tobytes()


def _characters(values: pa.Array, column: RowColumn, width: int) -> Any:
    text = pc.utf8_lpad(values.cast(pa.string()), width, "0") if column.number else values
    return np.frombuffer("".join(text.to_pylist()).encode(), np.uint8).reshape(len(text), width)


def _header_line(mapping: FixedMapping, cover: Cover) -> bytes:
    if not mapping.header:
        return b""
    line = [" "] * mapping.width
    for place in mapping.header:
        line[place.start - 1 : place.start - 1 + place.width] = place.text or _header_text(place, cover)
    return ("".join(line) + mapping.newline).encode()
