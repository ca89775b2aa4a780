"""Files as they arrive in folders: read whole or not at all, never through a link, and known again later."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import attrs

from citycard.clearing.cover import COVER_SUFFIX, MOST_BYTES, MOST_COVER_BYTES, Cover, read_cover
from citycard.errors import CoverInvalid, FileChanging, FileUnreadable

__all__ = ["Arrival", "Stamp", "arrive", "cover_of", "read_arrived", "stamp_of"]


@attrs.frozen(kw_only=True)
class Stamp:
    """Say which file lies under a name, and that nobody wrote to it since."""

    device: int
    inode: int
    size: int
    written_ns: int
    changed_ns: int

    def moved_to(self, there: Stamp) -> bool:
        """Say whether it lies there now, with the same bytes, under another name."""
        return attrs.evolve(self, changed_ns=0) == attrs.evolve(there, changed_ns=0)


@attrs.frozen(kw_only=True)
class Arrival:
    """A batch file, or a sender's file with its cover, as they lay there when they were read."""

    source: tuple[str, bytes] | tuple[Cover, bytes] = attrs.field(repr=False)
    stamps: dict[Path, Stamp]


def arrive(path: Path) -> Arrival:
    """Read a batch file, or a cover with the file that it belongs to; raise FileUnreadable."""
    if not path.name.endswith(COVER_SUFFIX):
        data, stamp = read_arrived(path)
        return Arrival(source=(path.name, data), stamps={path: stamp})
    text, stamp = read_arrived(path, most=MOST_COVER_BYTES)
    try:
        cover = read_cover(text)
        _require_own(path, cover)
    except CoverInvalid as error:
        raise FileUnreadable(file=path.name, reason=str(error)) from None
    beside = path.with_name(cover.file)
    data, stamp_beside = read_arrived(beside)
    return Arrival(source=(cover, data), stamps={path: stamp, beside: stamp_beside})


def _require_own(path: Path, cover: Cover) -> None:
    """Require that a cover is of the file beside it: no sender may name the file of another."""
    own = path.name.removesuffix(COVER_SUFFIX)
    if cover.file != own:
        raise CoverInvalid(field="file", expected=f"{own[:100]}, by the name of the cover itself")


def cover_of(path: Path) -> Path:
    """Give where the cover of a sender's file lies; a cover is its own."""
    return path if path.name.endswith(COVER_SUFFIX) else path.with_name(path.name + COVER_SUFFIX)


def read_arrived(path: Path, *, most: int = MOST_BYTES) -> tuple[bytes, Stamp]:
    """Read a regular file of at most ``most`` bytes that nobody writes to meanwhile.

    Raise FileUnreadable; FileChanging, which is one too, says that it can be read a moment later.
    """
    try:
        # A pipe that nobody writes into must not make anybody wait.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            data, before, after = _read(descriptor, path.name, most)
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:
        raise FileUnreadable(file=path.name, reason=_why(error)) from None
    stamp = _stamp(after)
    if _stamp(before) != stamp or len(data) != stamp.size:
        raise FileChanging(file=path.name, reason="somebody writes to it: hand it in when it is whole")
    return data, stamp


def _read(descriptor: int, name: str, most: int) -> tuple[bytes, os.stat_result, os.stat_result]:
    before = os.fstat(descriptor)
    if not stat.S_ISREG(before.st_mode):
        raise FileUnreadable(file=name, reason="it is a folder or a device, not a file")
    if before.st_size > most:
        raise FileUnreadable(file=name, reason=f"it has {before.st_size} bytes, more than {most}")
    with os.fdopen(descriptor, "rb", closefd=False) as file:
        data = file.read(before.st_size + 1)
    return data, before, os.fstat(descriptor)


def _why(error: OSError | ValueError) -> str:
    if not isinstance(error, OSError):
        return "its name is none that a file can have"
    if error.errno == errno.ELOOP:
        return "it is a symbolic link: hand in the file itself"
    return (error.strerror or type(error).__name__).lower()


def stamp_of(path: Path) -> Stamp | None:
    """Give the stamp of what lies under a name now, without following a link; None when nothing does."""
    try:
        return _stamp(path.lstat())
    except (OSError, ValueError):
        return None


def _stamp(found: os.stat_result) -> Stamp:
    return Stamp(
        device=found.st_dev,
        inode=found.st_ino,
        size=found.st_size,
        written_ns=found.st_mtime_ns,
        changed_ns=found.st_ctime_ns,
    )
