"""A folder into which files are dropped: what is whole is taken in, then moved to where it ended.

Whoever drops a file writes it under a name that ends in ``.part`` or begins with a full stop, and renames it;
of a sender's file the cover comes last. A file that was touched a moment ago waits, for those who do not.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs

from citycard.clearing.codes import FileState
from citycard.clearing.context import ClearingContext
from citycard.clearing.cover import COVER_SUFFIX, Cover, read_cover
from citycard.clearing.delivery import readable_name
from citycard.clearing.intake import receive
from citycard.clearing.reports import IntakeReport
from citycard.errors import CoverInvalid
from citycard.files import sync_folder

__all__ = ["DONE", "QUARANTINED", "take_in_folder"]

DONE: Final = "done"
QUARANTINED: Final = "quarantined"
_SETTLE_S: Final = 2.0
# So many files are moved before the next are looked at.
_AT_ONCE: Final = 5000


@attrs.frozen(kw_only=True)
class _Dropped:
    """Files that belong together: a batch, or a cover and its file. ``key`` is what the report calls them."""

    paths: tuple[Path, ...]
    key: str


def take_in_folder(
    context: ClearingContext, folder: Path, *, settle_s: float = _SETTLE_S
) -> IntakeReport | None:
    """Take in what lies whole in a folder, and move it to ``done`` or ``quarantined`` in there.

    Files are moved after they were committed. Whoever is killed in between finds them again, as duplicates,
    and moves them then. A cover that cannot be read is moved to ``quarantined`` with a file beside it that
    says why. None says that there was nothing.
    """
    whole = list(_whole(folder, time.time() - settle_s))[:_AT_ONCE]
    if not whole:
        return None
    report = receive(context, [dropped.paths[0] for dropped in whole])
    quarantined = {one.name for one in report.ends if one.state is FileState.QUARANTINED}
    for dropped in whole:
        _move(folder, dropped.paths, QUARANTINED if dropped.key in quarantined else DONE)
    return report


def _whole(folder: Path, before: float) -> Iterator[_Dropped]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or not path.is_file() or not _settled(path, before):
            continue
        if path.name.endswith(".ccb"):
            yield _Dropped(paths=(path,), key=readable_name(path.name))
        elif path.name.endswith(COVER_SUFFIX):
            cover = _cover(folder, path)
            if cover is not None and _arrived(folder / cover.file, cover, before):
                yield _Dropped(paths=(path, folder / cover.file), key=cover.file)


def _settled(path: Path, before: float) -> bool:
    try:
        return path.stat().st_mtime <= before
    except FileNotFoundError:
        return False


def _arrived(path: Path, cover: Cover, before: float) -> bool:
    """Say whether a sender's file is there: as long as its cover says, or so old that nothing will come."""
    if not path.is_file() or not _settled(path, before):
        return False
    return path.stat().st_size == cover.size or _settled(path, before - 60)


def _cover(folder: Path, path: Path) -> Cover | None:
    try:
        return read_cover(path.read_bytes())
    except CoverInvalid as error:
        why = folder / QUARANTINED / f"{path.name}.txt"
        why.parent.mkdir(exist_ok=True)
        why.write_text(f"{error}\n", "utf-8")
        _move(folder, (path,), QUARANTINED)
    return None


def _move(folder: Path, paths: tuple[Path, ...], where: str) -> None:
    """Move files that belong together, the one that says that they are there first."""
    to = folder / where
    to.mkdir(exist_ok=True)
    for path in paths:
        try:
            path.rename(_free(to, path.name))
        except FileNotFoundError:
            # Another process was faster: it found the same.
            continue
    sync_folder(to)
    sync_folder(folder)


def _free(folder: Path, name: str) -> Path:
    """Find a name that nothing has yet: the same one may come again with other content."""
    target, count = folder / name, 1
    while target.exists():
        count += 1
        target = folder / f"{name}.{count}"
    return target
