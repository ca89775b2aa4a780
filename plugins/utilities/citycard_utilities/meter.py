"""A prepaid meter that takes credit from a card, once, and gives the card where it stands.

The meter is a terminal with a SAM. Credit is its own when the card has proved that it noted the taking: the
card's record and the meter's memory name the counter of the purchase that was taken last, and only a higher
one is taken. A card that leaves the field in between is finished when it comes back, whichever of the two
was written.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from citycard import codec
from citycard.city.till import Sale, Till, Visit
from citycard.files import write_whole
from citycard.terminal import Reader
from citycard_utilities.errors import MeterForeign
from citycard_utilities.macs import CardKey, signed_usage
from citycard_utilities.prepaid import read_prepaid
from citycard_utilities.rules import METER
from citycard_utilities.sectors import MeterFacts, Prepaid, sector_name
from citycard_utilities.settings import Biller

__all__ = ["Meter", "MeterMemory"]


@attrs.frozen(kw_only=True)
class MeterMemory:
    """What a meter remembers: credit left, and all it ever counted, in hundredths.

    ``counters`` says of each card, by its 8-byte number in hexadecimal, which purchase was taken last.
    """

    left: int = 0
    reading: int = 0
    counters: Mapping[str, int] = attrs.field(factory=dict)


class Meter:
    """Be meter ``number`` (12 digits) of a biller, behind a till, with its memory in a file."""

    def __init__(self, till: Till, biller: Biller, number: str, keys: CardKey, memory: Path) -> None:
        self.till, self._biller, self.number, self._keys, self._path = till, biller, number, keys, memory
        self.memory = MeterMemory(**json.loads(memory.read_text())) if memory.exists() else MeterMemory()

    @property
    def open(self) -> bool:
        """Say whether the valve is open: there is credit left."""
        return self.memory.left > 0

    def use(self, units: int) -> int:
        """Count hundredths of units, as many as there is credit for, and return how many flowed."""
        flowed = min(units, self.memory.left)
        self._remember(left=self.memory.left - flowed, reading=self.memory.reading + flowed)
        return flowed

    def tap(self, card: Reader, at: dt.datetime) -> int:
        """Take the credit of a card and tell it where the meter stands; return the hundredths taken.

        Raise MeterForeign, PrepaidForged, CardRefused or CardRemoved.
        """
        before = self.memory.left
        written: list[tuple[bytes, Prepaid]] = []

        def decide(visit: Visit) -> Sale:
            sale, record = self._decide(visit)
            written.append((visit.asn8, record))
            return sale

        self.till.serve(card, at, decide)
        if not written:
            # The tap before had written the card and never knew: now it is looked at anew.
            self.till.serve(card, at, decide)
        self._take(*written[-1])
        return self.memory.left - before

    def _decide(self, visit: Visit) -> tuple[Sale, Prepaid]:
        record = read_prepaid(visit, self._biller, self._keys)
        if (record.biller, record.meter) != (self._biller.number, self.number):
            found = f"{record.biller}/{record.meter}"
            raise MeterForeign(asn=visit.asn, found=found, meter=self.number)
        if record.taken == record.counter:
            # Where this memory does not know of it, the tap that wrote it was torn: it counts now.
            self._take(visit.asn8, record)
        last = self._last(visit.asn8)
        units = record.units if record.counter > last else 0
        after = codec.evolve(
            record,
            taken=max(record.counter, last),
            reading=self.memory.reading,
            left=self.memory.left + units,
            read_at=visit.at,
        )
        after = signed_usage(self._keys, visit.asn8, after)
        facts = MeterFacts(
            biller=self._biller.number,
            meter=self.number,
            counter=after.taken,
            units=units,
            reading=after.reading,
            left=after.left,
        )
        writes = {sector_name(self._biller.kind): after}
        return Sale(service=METER, amount_fen=0, facts=facts, writes=writes), after

    def _last(self, asn8: bytes) -> int:
        return self.memory.counters.get(asn8.hex(), 0)

    def _take(self, asn8: bytes, record: Prepaid) -> None:
        """Make the credit of a card the meter's own; once for each counter."""
        if record.counter > self._last(asn8):
            counters = {**self.memory.counters, asn8.hex(): record.counter}
            self._remember(left=self.memory.left + record.units, counters=counters)

    def _remember(self, **changes: Any) -> None:
        memory = attrs.evolve(self.memory, **changes)
        write_whole(self._path, json.dumps(attrs.asdict(memory)).encode())
        self.memory = memory
