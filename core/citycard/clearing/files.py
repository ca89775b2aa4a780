"""Files under the city's folder: written whole or not at all, and read back only when a row names them."""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate, pairwise
from pathlib import Path, PurePosixPath
from typing import IO

import attrs
import pyarrow as pa
import pyarrow.parquet as pq

from citycard.errors import ArchiveDamaged
from citycard.files import write_whole

__all__ = [
    "Named",
    "literal",
    "read_archived",
    "read_columns",
    "read_named",
    "read_tables",
    "write_archive",
    "write_named",
    "write_table",
]

_EPOCH = (1980, 1, 1, 0, 0, 0)
_WILD = re.compile(r"([*?\[])")
_DIFFERENT = frozenset({"asn", "at", "raw"})
_SUFFIX = ".parquet"
# Rows are read by groups of at least so many, and a file has at most so many groups.
_GROUP, _GROUPS = 8192, 8
# Of a SHA-256 in hexadecimal; files of before are named otherwise, and shorter.
_DIGITS = 64


def write_table(path: Path, table: pa.Table) -> None:
    """Write a table as Parquet (zstd), whole or not at all.

    Nobody reads a part of a file, so that no column has bounds; what differs from row to row has no
    dictionary, which would take longer to make than all the rest.
    """
    write_whole(path, _packed(table))


def write_named(folder: Path, within: str, table: pa.Table) -> str:
    """Write a table as ``write_table`` does, under the SHA-256 of its bytes, and give its path in ``folder``.

    Nothing else is ever written under that name, and whoever trusts the path knows whether the file is it.
    """
    data = _packed(table)
    path = f"{within}/{hashlib.sha256(data).hexdigest()}{_SUFFIX}"
    write_whole(folder / path, data)
    return path


def _packed(table: pa.Table) -> memoryview:
    alike = [name for name in table.column_names if name not in _DIFFERENT]
    out = pa.BufferOutputStream()
    pq.write_table(
        table,
        out,
        compression="zstd",
        use_dictionary=alike,
        write_statistics=False,
        row_group_size=-(-table.num_rows // min(max(table.num_rows // _GROUP, 1), _GROUPS)) or None,
    )
    return memoryview(out.getvalue())


@attrs.frozen(kw_only=True)
class Named:
    """What was read of a file; how many ``rows`` all of it has, and whether it is ``named`` by its bytes."""

    table: pa.Table
    rows: int
    named: bool


def read_named(
    folder: Path, path: str, columns: Sequence[str], rows_of: Callable[[Mapping[bytes, bytes]], range | None]
) -> Named:
    """Read rows of a Parquet file, those of ``columns`` that it has: ``rows_of`` its metadata, None is all.

    Raise ArchiveDamaged when it is not there, or not what its name says.
    """
    digest = PurePosixPath(path).stem
    named = len(digest) == _DIGITS
    try:
        data = (folder / path).read_bytes()
        if named and hashlib.sha256(data).hexdigest() != digest:
            raise ArchiveDamaged(path=folder / path)
        file = pq.ParquetFile(pa.BufferReader(data))
        there = set(file.schema_arrow.names)
        names = [name for name in columns if name in there]
        rows = rows_of(file.schema_arrow.metadata or {})
        table = file.read(columns=names) if rows is None else _read_rows(file, names, rows)
        return Named(table=table, rows=file.metadata.num_rows, named=named)
    except (OSError, pa.ArrowInvalid) as error:
        raise ArchiveDamaged(path=folder / path) from error


def _read_rows(file: pq.ParquetFile, names: list[str], rows: range) -> pa.Table:
    """Read rows that follow each other, and of the file no more than the groups in which they are."""
    sizes = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
    begins = list(accumulate(sizes, initial=0))
    groups = [
        number
        for number, (begin, end) in enumerate(pairwise(begins))
        if begin < rows.stop and rows.start < end
    ]
    if not groups:
        return file.schema_arrow.empty_table().select(names)
    return file.read_row_groups(groups, columns=names).slice(rows.start - begins[groups[0]], len(rows))


def read_tables(folder: Path, paths: Iterable[str], columns: list[str] | None = None) -> pa.Table | None:
    """Read Parquet files that rows name, one after the other, into one table; None when there are none."""
    tables = [read_columns(folder / path, columns) for path in paths]
    return pa.concat_tables(tables) if tables else None


def read_columns(path: Path, columns: list[str] | None) -> pa.Table:
    """Read columns of a Parquet file, or all of it; raise ArchiveDamaged when it is not there or is none."""
    try:
        return pq.ParquetFile(path).read(columns=columns)
    except (OSError, pa.ArrowInvalid) as error:
        raise ArchiveDamaged(path=path) from error


def literal(path: Path) -> str:
    """Write a path for DuckDB, which would take ``*``, ``?`` or ``[`` in a folder's name for a pattern."""
    return _WILD.sub(r"[\1]", str(path))


def write_archive(path: Path, contents: Iterable[tuple[str, bytes]]) -> None:
    """Keep files as they came in one zip, each under its SHA-256; any zip program can read them back."""

    def fill(file: IO[bytes]) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for digest, data in contents:
                archive.writestr(zipfile.ZipInfo(digest, _EPOCH), data)

    write_whole(path, fill)


def read_archived(path: Path, digest: str) -> bytes:
    """Read one file back from its archive; raise ArchiveDamaged when it is not there or not itself."""
    try:
        with zipfile.ZipFile(path) as archive:
            data = archive.read(digest)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise ArchiveDamaged(path=path) from error
    if hashlib.sha256(data).hexdigest() != digest:
        raise ArchiveDamaged(path=path)
    return data
