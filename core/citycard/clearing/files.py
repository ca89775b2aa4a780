"""Files under the city's folder: written whole or not at all, and read back only when a row names them."""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate, pairwise
from pathlib import Path, PurePosixPath
from typing import IO, Any

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
# Of a SHA-256 in hexadecimal; files of before are named otherwise, and shorter.
_DIGITS = 64


def write_table(path: Path, table: pa.Table) -> None:
    """Write a table as Parquet (zstd), whole or not at all.

    Nobody asks for rows by their values, so that no column has bounds; what differs from row to row has no
    dictionary, which would take longer to make than all the rest.
    """
    write_whole(path, _packed([table]))


def write_named(folder: Path, within: str, *groups: pa.Table) -> str:
    """Write a table as ``write_table`` does, under the SHA-256 of its bytes, and give its path in ``folder``.

    Where it is given in several groups of rows, each of them can be read without the others. Nothing else is
    ever written under that name, and whoever trusts the path knows whether the file is it.
    """
    data = _packed(groups)
    path = f"{within}/{hashlib.sha256(data).hexdigest()}{_SUFFIX}"
    write_whole(folder / path, data)
    return path


def _packed(groups: Sequence[pa.Table]) -> memoryview:
    schema, out = groups[0].schema, pa.BufferOutputStream()
    alike = [name for name in schema.names if name not in _DIFFERENT]
    with pq.ParquetWriter(
        out, schema, compression="zstd", use_dictionary=alike, write_statistics=False
    ) as writer:
        for group in groups:
            writer.write_table(group)
    return memoryview(out.getvalue())


@attrs.frozen(kw_only=True)
class Named:
    """What was read of a file: its rows, or those of them that were ``chosen``.

    ``rows`` is how many all of it has, ``named`` whether its name is that of its bytes.
    """

    table: pa.Table
    rows: int
    named: bool
    chosen: bool


def read_named(
    folder: Path,
    path: str,
    columns: Sequence[str],
    choose: Callable[[Mapping[bytes, bytes], int], range | None] | None = None,
    checked: set[str] | None = None,
) -> Named:
    """Read a Parquet file, those of ``columns`` that it has, and look whether it is what its name says.

    ``choose`` gives the rows that are wanted by the metadata of a file that is named by its bytes, and by how
    many it has; None is all. Files in ``checked`` were looked at before, and this one is put there. Raise
    ArchiveDamaged when it is not there, or not what its name says.
    """
    digest = PurePosixPath(path).stem
    named = len(digest) == _DIGITS
    try:
        if checked is not None and path in checked:
            source: Any = folder / path
        else:
            data = (folder / path).read_bytes()
            if named and hashlib.sha256(data).hexdigest() != digest:
                raise ArchiveDamaged(path=folder / path)
            source = pa.BufferReader(data)
        with pq.ParquetFile(source) as file:
            there, count = set(file.schema_arrow.names), file.metadata.num_rows
            names = [name for name in columns if name in there]
            rows = choose(file.schema_arrow.metadata or {}, count) if choose and named else None
            table = file.read(columns=names) if rows is None else _read_rows(file, names, rows)
    except (OSError, pa.ArrowInvalid) as error:
        raise ArchiveDamaged(path=folder / path) from error
    if checked is not None:
        checked.add(path)
    return Named(table=table, rows=count, named=named, chosen=rows is not None)


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
