"""Files that survive a power cut: written whole or not at all, or grown by what was forced to the medium."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import IO

__all__ = ["append_durably", "sync_folder", "write_whole"]


def write_whole(
    path: Path,
    content: bytes | memoryview | Callable[[IO[bytes]], None],
    *,
    mode: int = 0o666,
    replace: bool = True,
) -> None:
    """Write a file so that under its name there is either all of it or what was there before.

    ``content`` is the bytes, or writes them into an open file beside it, which is synced and then renamed;
    the folder is synced too. ``mode`` is what the permissions are before the umask. Without ``replace`` an
    existing file is never touched: ``FileExistsError``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            if callable(content):
                content(file)
            else:
                file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            beside.replace(path)
        else:
            path.hardlink_to(beside)
    finally:
        beside.unlink(missing_ok=True)
    sync_folder(path.parent)


def append_durably(file: IO[bytes], data: bytes) -> None:
    """Write to the end of an open file and force it to the medium; a cut leaves a part at most."""
    file.write(data)
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Force the names in a folder to the medium: a rename must survive a power cut too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
