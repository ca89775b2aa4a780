"""What is kept of each play: its draft, its batches, its cards, and in the end its summary.

The draft is the point of no return: it is written last and at once, and then the loads are posted in one
transaction. A draft without its loads never happened, and is played again.
"""

from __future__ import annotations

import fcntl
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from citycard.store import reading
from citycard_transit.cardbox import TerminalState, read_box, write_box, write_whole
from citycard_transit.summary import Played

if TYPE_CHECKING:
    from citycard.city import City
    from citycard_transit.play import BatchFile, Outcome

__all__ = ["Draft", "Playbook"]

_DRAFT, _BATCHES, _CARDS, _SUMMARY = "draft.json", "batches.zip", "cards.box", "summary.json"


@attrs.frozen(kw_only=True)
class Draft:
    """A play that is done but not yet cleared. ``first_load`` is the card and counter of its first load."""

    number: int
    played: Played
    manifest: Mapping[str, Any]
    first_load: tuple[str, int] | None


class Playbook:
    """The plays of one city, each in a folder named after the digest of its taps."""

    def __init__(self, city: City, digest: str) -> None:
        self._city = city
        self._plays = city.folder / "transit" / "plays"
        self._folder = self._plays / digest[:32]

    def summary(self) -> dict[str, Any] | None:
        """Give the summary of this play, when it went all the way."""
        stored: dict[str, Any] | None = _read(self._folder / _SUMMARY)
        return stored

    def draft(self) -> Draft | None:
        """Give the draft of this play, when it counts."""
        return self._counting(self._folder)

    def batches(self) -> list[tuple[str, bytes]]:
        """Give the batch files of this play by name."""
        with zipfile.ZipFile(self._folder / _BATCHES) as archive:
            return [(name, archive.read(name)) for name in archive.namelist()]

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until no other play is under way here: two would go on from the same cards and batches."""
        self._plays.mkdir(parents=True, exist_ok=True)
        with (self._plays / ".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def write_draft(
        self, outcome: Outcome, manifest: Mapping[str, Any], first_load: tuple[str, int] | None, *, keep: bool
    ) -> None:
        """Write down a play; ``keep`` its cards for plays to come. The draft is written last."""
        self._folder.mkdir(parents=True, exist_ok=True)
        # A draft whose loads were never posted must go before these are: they may be under the same
        # counter of its first card, and would make it look as if it had happened.
        for folder in sorted(self._plays.glob("*/")):
            if self._counting(folder) is None:
                (folder / _DRAFT).unlink(missing_ok=True)
        write_whole(self._folder / _BATCHES, _archive(outcome.batches))
        if keep:
            write_box(self._folder / _CARDS, self._city.vault, outcome.images, outcome.terminals)
        number = 1 + max((draft.number for _, draft in self._all()), default=0)
        draft = Draft(number=number, played=outcome.played, manifest=manifest, first_load=first_load)
        write_whole(self._folder / _DRAFT, json.dumps(attrs.asdict(draft), ensure_ascii=False).encode())

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """Write down what the play came to in the end; its batches are with clearing by now."""
        write_whole(self._folder / _SUMMARY, json.dumps(summary, ensure_ascii=False, indent=2).encode())
        (self._folder / _BATCHES).unlink(missing_ok=True)

    def earlier(self) -> tuple[dict[str, bytes], dict[str, TerminalState]]:
        """Give the cards and terminals as the plays so far left them; a later play's state stands."""
        images: dict[str, bytes] = {}
        terminals: dict[str, TerminalState] = {}
        for folder, _ in sorted(self._all(), key=lambda pair: pair[1].number):
            if folder != self._folder and (folder / _CARDS).exists():
                cards, states = read_box(folder / _CARDS, self._city.vault)
                images |= cards
                terminals |= states
        return images, terminals

    def _all(self) -> Iterator[tuple[Path, Draft]]:
        for folder in sorted(self._plays.glob("*/")):
            draft = self._counting(folder)
            if draft is not None:
                yield folder, draft

    def _counting(self, folder: Path) -> Draft | None:
        stored = _read(folder / _DRAFT)
        if stored is None:
            return None
        first = stored["first_load"]
        draft = Draft(
            number=stored["number"],
            played=Played.of(stored["played"]),
            manifest=stored["manifest"],
            first_load=(first[0], first[1]) if first else None,
        )
        return draft if draft.first_load is None or self._posted(*draft.first_load) else None

    def _posted(self, asn: str, counter: int) -> bool:
        from citycard.wallet.loadbook import loads_of

        with reading(self._city.engine) as conn:
            return any(load.online_atc == counter for load in loads_of(conn, asn))


def _archive(batches: Sequence[BatchFile]) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for batch in batches:
            archive.writestr(zipfile.ZipInfo(batch.name), batch.content)
    return buffer.getvalue()


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
