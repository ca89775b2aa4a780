"""Keep the uses that were counted last, until something came that may change them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING

import attrs
from sqlalchemy import func, select

from citycard.city.uses import Span, UsesBy, count_uses
from citycard.clearing.tables import clearing_run
from citycard.ledger.tables import ledger
from citycard.registry.tables import card_closing, partner, partner_change, terminal
from citycard.store import reading

if TYPE_CHECKING:
    from citycard.city.city import City

__all__ = ["UsesBook"]

_KEPT = 8


@attrs.define
class UsesBook:
    """Counts of a city by span: of days that are over, they change only with what clearing closes.

    Every report of the same days, of whatever district and domain, is made of the same counts.
    """

    city: City
    _kept: OrderedDict[tuple[object, ...], UsesBy] = attrs.field(factory=OrderedDict, init=False)
    _lock: Lock = attrs.field(factory=Lock, init=False)

    def read(self, spans: Sequence[Span]) -> dict[Span, UsesBy]:
        """Give the counts as ``count_uses`` does."""
        keys = self._keys(spans)
        with self._lock:
            found = {span: self._kept[key] for span, key in keys.items() if key in self._kept}
        found |= count_uses(self.city, [span for span in keys if span not in found])
        with self._lock:
            for span, key in keys.items():
                self._kept[key] = found[span]
                self._kept.move_to_end(key)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return found

    def _keys(self, spans: Sequence[Span]) -> dict[Span, tuple[object, ...]]:
        """Give for each span what stands for everything that its counts depend on."""
        today = self.city.now_local().date()
        with reading(self.city.engine) as conn:
            closed = select(func.max(clearing_run.c.number)).where(clearing_run.c.state == "closed")
            posted = conn.scalar(select(ledger.c.posted_seq))
            written = (
                conn.scalar(closed),
                conn.scalar(select(func.max(partner_change.c.seq))),
                *(
                    conn.scalar(select(func.count()).select_from(table))
                    for table in (partner, terminal, card_closing)
                ),
                self.city.plugins.epoch,
            )
        # A payment is made today: nothing is paid on a day that is over.
        return {span: (span, *written, posted if span.until >= today else None) for span in spans}
