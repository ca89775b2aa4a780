"""Parquet of senders, read so that no file becomes much larger in memory than it may be."""

from __future__ import annotations

import io
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from citycard.clearing.rows import COLUMNS
from citycard.errors import SentFileDamaged

__all__ = ["read_parquet"]

# Unpacked, a record has some 600 bytes as text; more than this is no file of a million records.
_MOST_UNPACKED: Final = 1024 * 1024 * 1024
# DELTA_BYTE_ARRAY is not among them: a few bytes of it stand for a text of any length.
_ENCODINGS: Final = frozenset(
    {
        "PLAIN",
        "PLAIN_DICTIONARY",
        "RLE",
        "RLE_DICTIONARY",
        "BIT_PACKED",
        "DELTA_BINARY_PACKED",
        "DELTA_LENGTH_BYTE_ARRAY",
        "BYTE_STREAM_SPLIT",
    }
)


def read_parquet(data: bytes, records: int) -> pa.Table:
    """Read a file that must have so many rows; raise SentFileDamaged.

    What its footer says is looked at before anything is unpacked. Text comes as a dictionary: a long one that
    stands in very many rows is there once.
    """
    try:
        file = pq.ParquetFile(io.BytesIO(data))
        _check(file.metadata, file.schema_arrow, records)
        text = [field.name for field in file.schema_arrow if _is_text(field.type)]
        table = pq.ParquetFile(io.BytesIO(data), read_dictionary=text).read(use_threads=False)
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _damaged(f"Parquet ({str(error)[:100]})") from None
    if table.num_rows != records:
        raise _damaged(f"{records} records as on the cover, not {table.num_rows}", code="F06")
    return _plain(table)


def _check(metadata: Any, schema: pa.Schema, records: int) -> None:
    if metadata.num_rows != records:
        raise _damaged(f"{records} records as on the cover, not {metadata.num_rows}", code="F06")
    if len(schema) > len(COLUMNS) or metadata.num_columns > len(COLUMNS):
        raise _damaged(f"at most {len(COLUMNS)} columns")
    for field in schema:
        if not (_is_text(field.type) or pa.types.is_integer(field.type)):
            raise _damaged(f"integers or text, not {field.type}", field=field.name)
    groups = [metadata.row_group(place) for place in range(metadata.num_row_groups)]
    if sum(group.total_byte_size for group in groups) > _MOST_UNPACKED:
        raise _damaged(f"at most {_MOST_UNPACKED >> 30} GiB unpacked")
    for group in groups:
        for place in range(metadata.num_columns):
            column = group.column(place)
            if odd := set(column.encodings) - _ENCODINGS:
                raise _damaged(f"no encoding {min(odd)}", field=column.path_in_schema)


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _plain(table: pa.Table) -> pa.Table:
    """Write text out, row for row, unless that would be too much."""
    text = [field.name for field in table.schema if _is_text(field.type)]
    if table.num_rows * sum(_longest(table[name]) for name in text) > _MOST_UNPACKED:
        raise _damaged(f"at most {_MOST_UNPACKED >> 30} GiB unpacked")
    fields = [field.with_type(pa.string()) if field.name in text else field for field in table.schema]
    return table.cast(pa.schema(fields))


def _longest(column: pa.ChunkedArray) -> int:
    values = [one.dictionary if pa.types.is_dictionary(one.type) else one for one in column.chunks]
    return max((pc.max(pc.binary_length(one)).as_py() or 0 for one in values), default=0)


def _damaged(expected: str, *, code: str = "F07", field: str = "file") -> SentFileDamaged:
    return SentFileDamaged(code=code, line=1, field=field[:40], expected=expected)
