"""New chips for a play, personalised ahead of the taps by a second process where there is a second core.

Personalising a card takes about as long as its tap. The other process opens the same city, makes the cards
in the order in which they appear, and hands their memory over; what a card is does not depend on who made it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import attrs

from citycard.chip import Chip
from citycard.errors import CitycardError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from citycard.city import City

__all__ = ["ChipMaker", "NewCard", "chip_maker"]

_PIECE = 64
_WORTH_IT = 3_000
_CORES = 2


@attrs.frozen
class NewCard:
    """A card to be made: serial number, product, first day."""

    asn: str
    product: str
    on: date


class ChipMaker(Protocol):
    """Makes the chips of new cards."""

    def chip(self, card: NewCard) -> Chip:
        """Give the personalised chip of a card; ask in the order in which the cards were announced."""
        ...


@contextmanager
def chip_maker(city: City, cards: Sequence[NewCard]) -> Iterator[ChipMaker]:
    """Give a maker for these cards, in this order; with two cores and many cards, one that works ahead."""
    here = _Here(city)
    if len(cards) < _WORTH_IT or (os.cpu_count() or 1) < _CORES:
        yield here
        return
    from multiprocessing import get_context

    context = get_context(
        "spawn"
    )  # a fresh process: nothing of this one's connections and threads goes along
    receiver, sender = context.Pipe(duplex=False)
    worker = context.Process(target=_work, args=(city.folder, list(cards), sender), daemon=True)
    worker.start()
    sender.close()
    try:
        yield _Ahead(here, receiver)
    finally:
        receiver.close()
        worker.terminate()
        worker.join()


class _Here:
    """Makes each chip when it is asked for."""

    def __init__(self, city: City) -> None:
        self._make = city.issuing.chip

    def chip(self, card: NewCard) -> Chip:
        return self._make(card.asn, card.product, card.on)


class _Ahead:
    """Takes over chips that the other process has made."""

    def __init__(self, here: _Here, receiver: Connection) -> None:
        self._here = here
        self._receiver = receiver
        self._ready: list[tuple[str, bytes]] = []
        self._templates: dict[str, Chip] = {}
        self._gone = False

    def chip(self, card: NewCard) -> Chip:
        memory = self._next(card.asn)
        template = self._templates.get(card.product)
        if memory is None or template is None:
            chip = self._here.chip(card)
            self._templates.setdefault(card.product, chip.clone())
            return chip
        # Cards of one product have their files at the same places, so that only the bytes differ.
        chip = template.clone()
        chip.eeprom.cells[:] = memory
        return chip

    def _next(self, asn: str) -> bytes | None:
        if not self._ready and not self._gone:
            try:
                self._ready = self._receiver.recv()
                self._ready.reverse()
            except (EOFError, OSError):
                # The other process ended early; this one goes on alone.
                self._gone = True
        if self._ready and self._ready[-1][0] == asn:
            return self._ready.pop()[1]
        return None


def _work(folder: Path, cards: Sequence[NewCard], sender: Connection) -> None:
    import signal

    from citycard.city import City

    # When somebody breaks the play off, the first process ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        city = City.open(folder)
    except CitycardError:
        return  # the first process makes the cards itself; whatever is wrong shows there
    try:
        make = city.issuing.chip
        for start in range(0, len(cards), _PIECE):
            piece = cards[start : start + _PIECE]
            chips = [(card.asn, make(card.asn, card.product, card.on)) for card in piece]
            sender.send([(asn, bytes(chip.eeprom.cells)) for asn, chip in chips])
    except (BrokenPipeError, CitycardError):
        pass  # the play was broken off, or goes on by itself
    finally:
        city.close()
