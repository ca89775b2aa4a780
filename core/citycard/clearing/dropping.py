"""A folder into which files are dropped: what is whole is taken in, then moved to where it ended.

Whoever drops a file writes it under a name that ends in ``.part`` or begins with a full stop, and renames it.
A file that was touched a moment ago waits, for those who do not. Nothing is moved but what was read: a file
that took its place meanwhile stays for the next time.
"""

from __future__ import annotations

import fcntl
import json
import logging
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final, Self

import attrs

from citycard.clearing.arrivals import Stamp, arrive, cover_of, read_arrived, stamp_of
from citycard.clearing.codes import FileState
from citycard.clearing.context import ClearingContext
from citycard.clearing.cover import COVER_SUFFIX, MOST_COVER_BYTES, Cover, read_cover
from citycard.clearing.delivery import File, kept_name, unread
from citycard.clearing.intake import receive
from citycard.clearing.reports import FileOutcome, IntakeReport, readable
from citycard.errors import CoverInvalid, FileChanging, FileUnreadable, InboxBusy, InboxUnusable
from citycard.files import append_durably, sync_folder
from citycard.terminal.batch import batch_length

__all__ = ["DONE", "QUARANTINED", "Inbox"]

DONE: Final = "done"
QUARANTINED: Final = "quarantined"
_SETTLE_S: Final = 2.0
# After so long without a byte nothing more will come.
_PATIENCE_S: Final = 60.0
# So many files are moved before the next are looked at.
_AT_ONCE: Final = 5000

_log = logging.getLogger("citycard.clearing")


@attrs.frozen(kw_only=True)
class _Dropped:
    """Files that belong together, a batch, or a cover and its file, as they were when they were read.

    ``name`` is what the report calls them, ``sent`` whether among senders' files.
    """

    stamps: dict[Path, Stamp]
    name: str
    sent: bool = False


@attrs.frozen(kw_only=True)
class _Move:
    """Where files that belong together go, by name, and what is said beside the first of them."""

    to: str = attrs.field(validator=attrs.validators.in_((DONE, QUARANTINED)))
    reasons: str
    stamps: dict[str, Stamp]

    @classmethod
    def read(cls, written: dict[str, Any]) -> _Move:
        """Read what was written down; the names are none but those of files in the folder."""
        stamps = {Path(name).name: Stamp(**stamp) for name, stamp in written["stamps"].items()}
        return cls(**written | {"stamps": stamps})


class _Told:
    """What a report says of what was dropped."""

    def __init__(self, report: IntakeReport) -> None:
        self._sent = {one.name: one for one in report.sent}
        self._files = {one.name: one for one in report.files}
        self._odd: dict[str, list[FileOutcome]] = {}
        for one in report.files:
            name, inner, _ = one.name.partition("/")
            if inner and one.state is FileState.QUARANTINED:
                self._odd.setdefault(name, []).append(one)

    def of(self, dropped: _Dropped) -> _Move:
        """Say where it goes, and why it or a batch in it is quarantined."""
        stamps = {path.name: stamp for path, stamp in dropped.stamps.items()}
        end = self._sent[dropped.name] if dropped.sent else self._files[dropped.name]
        if end.state is FileState.QUARANTINED:
            return _Move(to=QUARANTINED, reasons=f"{end.code}: {end.reason}\n", stamps=stamps)
        odd = self._odd.get(dropped.name, []) if dropped.sent else []
        reasons = "".join(f"{one.name} {one.code}: {one.reason}\n" for one in odd)
        return _Move(to=DONE, reasons=reasons, stamps=stamps)


class Inbox:
    """A folder from which this process alone takes in what is dropped, as long as it is entered."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._begun = folder / ".moving"
        self._lock: IO[str] | None = None
        self._stuck: dict[Path, Stamp] = {}

    def __enter__(self) -> Self:
        """Begin; raise InboxBusy when another process takes in from the folder, or InboxUnusable."""
        try:
            self._lock = (self._folder / ".lock").open("a", encoding="ascii")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.__exit__()
            raise InboxBusy(folder=self._folder) from None
        except OSError as error:
            raise InboxUnusable(folder=self._folder, reason=error.strerror) from None
        return self

    def __exit__(self, *_: object) -> None:
        if self._lock is not None:
            self._lock.close()

    def take_in(self, context: ClearingContext, *, settle_s: float = _SETTLE_S) -> IntakeReport | None:
        """Take in what lies there whole, and move it to ``done`` or ``quarantined`` in there.

        Files are moved after they were committed. Whoever is killed in between finds them again, as
        duplicates, and moves them then; a cover and its file that were being moved are moved on. Beside a
        file in ``quarantined`` another one says why, and so does one in ``done`` beside a sender's file of
        which batches are quarantined. None says that there was nothing.
        """
        self._go_on()
        read: list[_Dropped] = []
        refused: list[FileOutcome] = []
        now = time.time()
        whole = islice(self._whole(now - settle_s, now - _PATIENCE_S), _AT_ONCE)
        report = receive(context, _read(whole, now - _PATIENCE_S, read, refused))
        if not read:
            return None
        report = attrs.evolve(report, files=report.files + tuple(refused))
        told = _Told(report)
        self._move([told.of(dropped) for dropped in read])
        for folder in (self._folder / DONE, self._folder / QUARANTINED, self._folder):
            if folder.exists():
                sync_folder(folder)
        return report

    # ── what lies there ──────────────────────────────────────────────────────────────────────────

    def _whole(self, settled: float, patient: float) -> Iterator[Path]:
        """Give batch files, and covers whose file has arrived."""
        for path in sorted(self._folder.iterdir()):
            stamp = stamp_of(path)
            if path.name.startswith(".") or stamp is None or path.is_dir() or not _rests(stamp, settled):
                continue
            if self._stuck.get(path) == stamp:
                continue
            if path.name.endswith(COVER_SUFFIX):
                if _arrived(path, settled, patient):
                    yield path
            elif path.name.endswith(".ccb") and stamp_of(cover_of(path)) is None:
                # What has a cover is a sender's file, and no batch by itself.
                yield path

    # ── where it goes ────────────────────────────────────────────────────────────────────────────

    def _move(self, moves: Iterable[_Move]) -> None:
        """Move what is still as it was read. Pairs are written down first: a kill may come between two."""
        read = [one for one in moves if self._as_read(one)]
        pairs = [attrs.asdict(one) for one in read if len(one.stamps) > 1]
        if pairs and not self._write_down(pairs):
            for one in read:
                self._stuck |= self._paths(one)
            return
        for one in read:
            if self._as_read(one):
                self._carry(one)
        self._begun.unlink(missing_ok=True)

    def _write_down(self, pairs: list[dict[str, Any]]) -> bool:
        # Whoever is killed here has moved nothing yet.
        try:
            with self._begun.open("wb") as file:
                append_durably(file, json.dumps(pairs).encode())
        except OSError as error:
            _log.warning("%s cannot be written: %s", readable(str(self._begun)), error.strerror)
            return False
        return True

    def _paths(self, move: _Move) -> dict[Path, Stamp]:
        return {self._folder / name: stamp for name, stamp in move.stamps.items()}

    def _as_read(self, move: _Move) -> bool:
        first = self._folder / next(iter(move.stamps))
        covered = first != cover_of(first) and stamp_of(cover_of(first)) is not None
        return not covered and all(stamp_of(path) == stamp for path, stamp in self._paths(move).items())

    def _go_on(self) -> None:
        """Move what somebody was killed over: what of a pair is still there, and is still what it was."""
        try:
            begun = [_Move.read(one) for one in json.loads(self._begun.read_bytes())]
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            _log.warning("%s cannot be read: %s", readable(str(self._begun)), error)
            begun = []
        for one in begun:
            found = {name: stamp_of(self._folder / name) for name in one.stamps}
            if all(there in (None, one.stamps[name]) for name, there in found.items()):
                there = {name: stamp for name, stamp in one.stamps.items() if found[name] is not None}
                self._carry(attrs.evolve(one, stamps=there))
        self._begun.unlink(missing_ok=True)

    def _carry(self, move: _Move) -> None:
        """Move files that belong together, the one that says that they are there first."""
        to = self._folder / move.to
        try:
            to.mkdir(exist_ok=True)
            reasons = move.reasons
            for name, stamp in move.stamps.items():
                _moved(self._folder / name, stamp, to, reasons)
                reasons = ""
        except OSError as error:
            self._stuck |= self._paths(move)
            first = readable(str(self._folder / next(iter(move.stamps))))
            _log.warning("%s was taken in and cannot be moved: %s", first, error.strerror)


def _read(
    paths: Iterable[Path], patient: float, read: list[_Dropped], refused: list[FileOutcome]
) -> Iterator[File]:
    """Read files one by one, and note which; what cannot be read is ``refused`` and stops no other."""
    for path in paths:
        stamp = stamp_of(path)
        if stamp is None:
            continue
        try:
            arrival = arrive(path)
        except FileChanging:
            continue
        except FileUnreadable as error:
            refused.append(unread(error))
            beside = path.with_name(path.name.removesuffix(COVER_SUFFIX))
            found = {path: stamp, beside: stamp_of(beside)}
            stamps = {one: there for one, there in found.items() if there is not None}
            read.append(_Dropped(stamps=stamps, name=refused[-1].name))
            continue
        name, data = arrival.source
        if not isinstance(name, Cover) and len(data) > batch_length(data) and not _rests(stamp, patient):
            # A batch has an end. More than one is a sender's file, and its cover is on its way.
            continue
        sent = isinstance(name, Cover)
        called = name.file if isinstance(name, Cover) else kept_name(name)
        read.append(_Dropped(stamps=arrival.stamps, name=called, sent=sent))
        yield arrival.source


def _rests(stamp: Stamp, before: float) -> bool:
    return stamp.written_ns <= before * 1e9


def _arrived(path: Path, settled: float, patient: float) -> bool:
    """Say whether a cover's file is there: as long as the cover says, or so old that nothing will come.

    Of a cover that says nothing the file is awaited too, so that both end beside one another.
    """
    own = stamp_of(path.with_name(path.name.removesuffix(COVER_SUFFIX)))
    try:
        cover = read_cover(read_arrived(path, most=MOST_COVER_BYTES)[0])
    except FileChanging:
        return False
    except (CoverInvalid, FileUnreadable):
        alone = stamp_of(path)
        return _rests(own, settled) if own is not None else alone is not None and _rests(alone, patient)
    if cover_of(path.with_name(cover.file)) != path:
        return True
    return own is not None and ((own.size == cover.size and _rests(own, settled)) or _rests(own, patient))


def _moved(path: Path, stamp: Stamp, to: Path, reasons: str) -> None:
    """Move a file, behind the ``reasons``; what took its place in this very moment is put back."""
    target = _free(to, path.name)
    said = target.with_name(target.name + ".txt")
    if reasons:
        said.write_text(reasons, "utf-8")
    path.rename(target)
    there = stamp_of(target)
    if there is not None and not stamp.moved_to(there):
        target.rename(_free(path.parent, path.name))
        if reasons:
            said.unlink()


def _free(folder: Path, name: str) -> Path:
    """Find a name that nothing has yet: the same one may come again with other content."""
    target, count = folder / name, 1
    while stamp_of(target) is not None:
        count += 1
        target = folder / f"{name}.{count}"
    return target
