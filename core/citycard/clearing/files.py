"""Files under the city's folder: written whole or not at all, and read back only when a row names them."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from citycard.errors import ArchiveDamaged
from citycard.files import write_whole

__all__ = ["literal", "read_archived", "read_tables", "write_archive", "write_table"]

_EPOCH = (1980, 1, 1, 0, 0, 0)
_WILD = re.compile(r"([*?\[])")


def write_table(path: Path, table: pa.Table) -> None:
    """Write a table as Parquet (zstd), whole or not at all; bytes have no bounds that a reader could use."""
    bounded = [field.name for field in table.schema if not pa.types.is_fixed_size_binary(field.type)]
    write_whole(path, lambda file: pq.write_table(table, file, compression="zstd", write_statistics=bounded))


def read_tables(folder: Path, paths: Iterable[str], columns: list[str] | None = None) -> pa.Table | None:
    """Read Parquet files that rows name, one after the other, into one table; None when there are none."""
    tables = [_read_table(folder / path, columns) for path in paths]
    return pa.concat_tables(tables) if tables else None


def _read_table(path: Path, columns: list[str] | None) -> pa.Table:
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
    import hashlib

    try:
        with zipfile.ZipFile(path) as archive:
            data = archive.read(digest)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise ArchiveDamaged(path=path) from error
    if hashlib.sha256(data).hexdigest() != digest:
        raise ArchiveDamaged(path=path)
    return data
