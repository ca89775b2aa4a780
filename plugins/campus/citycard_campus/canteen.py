"""A canteen's till: the meal pot pays first, the purse the rest, offline, in one step of the card."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from citycard.card.codec import evolve
from citycard.city.till import Receipt, Sale, Visit
from citycard_campus.errors import BandClosed
from citycard_campus.fares import CANTEEN
from citycard_campus.posts import Post
from citycard_campus.sectors import ENROLMENT, Enrolment, MealFacts, Role

if TYPE_CHECKING:
    from citycard.terminal import Reader

__all__ = ["Canteen"]


class Canteen(Post):
    """Sell meals."""

    def sell(self, reader: Reader, at: dt.datetime, *, list_price_fen: int = 0) -> Receipt:
        """Sell the meal of the hour; between meals, something at ``list_price_fen``, which no pot pays.

        Raise BandClosed when nothing is served, DayLimitReached, MarkBroken, and what a till raises.
        """
        band = self.campus.settings.band_at(at)
        if band is None and not list_price_fen:
            bands = ", ".join(f"{one.name} {one.since} to {one.until}" for one in self.campus.settings.bands)
            raise BandClosed(at=f"{at:%H:%M}", bands=bands or "there are no meals")

        def meal(visit: Visit) -> Sale:
            return self._meal(visit, 0 if band else list_price_fen, served=band is not None)

        return self.serve(reader, at, meal)

    def _meal(self, visit: Visit, list_price_fen: int, *, served: bool) -> Sale:
        found = self.holder(visit)
        pupil = 0 if found.role is Role.GUEST else found.enrolment.pupil
        plain = MealFacts(school=self.school.number, role=found.role, pupil=pupil)
        price_fen = visit.price(CANTEEN, plain, list_price_fen=list_price_fen).amount_fen
        if found.role is Role.GUEST:
            return Sale(service=CANTEEN, amount_fen=price_fen, facts=plain, list_price_fen=list_price_fen)
        enrolment: Enrolment = found.enrolment
        pot_fen = min(price_fen, enrolment.pot_fen) if served and found.pot_open else 0
        if pot_fen:
            enrolment = evolve(enrolment, spent_fen=enrolment.spent_fen + pot_fen, uses=enrolment.uses + 1)
        facts = evolve(
            plain,
            pot_fen=pot_fen,
            uses=enrolment.uses if pot_fen else 0,
            spent_fen=enrolment.spent_fen,
            loaded_fen=enrolment.loaded_fen,
        )
        purse_fen = visit.price(CANTEEN, facts, list_price_fen=list_price_fen).amount_fen
        after = self.paying(enrolment, purse_fen, visit.at)
        return Sale(
            service=CANTEEN,
            amount_fen=purse_fen,
            facts=facts,
            list_price_fen=list_price_fen,
            writes={ENROLMENT.name: self.marked(visit, after, ENROLMENT.name)},
        )
