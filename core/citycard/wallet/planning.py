"""Who pays what: subsidies that fit first, the earliest to lapse before the others, then the account itself.

Pure: the plan of a payment, and of what goes back where when a part of it is given back.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

import attrs

__all__ = ["OWN_MONEY", "Part", "Pot", "Purpose", "Returned", "plan", "returns"]

#: The source of a part that is not paid by a programme.
OWN_MONEY = ""


@attrs.frozen(kw_only=True)
class Purpose:
    """What a subsidy may be spent for: at these partners, and at partners of these kinds."""

    partners: Collection[str] = ()
    partner_kinds: Collection[str] = ()

    def fits(self, partner: str, kind: str) -> bool:
        """Say whether it may be spent at a partner of that kind."""
        return partner in self.partners or kind in self.partner_kinds


@attrs.frozen(kw_only=True)
class Pot:
    """What an account has of one programme, and the last day on which it can be spent."""

    programme: str
    purpose: Purpose
    starts_on: date
    ends_on: date
    available_fen: int

    def fits(self, partner: str, kind: str, on: date) -> bool:
        """Say whether something of it can be spent at a partner on a day."""
        open_now = self.starts_on <= on <= self.ends_on and self.available_fen > 0
        return open_now and self.purpose.fits(partner, kind)


@attrs.frozen(kw_only=True)
class Part:
    """A part of a payment: the programme that pays it (``OWN_MONEY``: the account itself), and fen."""

    programme: str
    amount_fen: int


@attrs.frozen(kw_only=True)
class Returned:
    """What goes back of the part at ``place`` of a payment."""

    place: int
    amount_fen: int


def plan(
    amount_fen: int, pots: Sequence[Pot], own_fen: int, *, partner: str, kind: str, on: date
) -> tuple[Part, ...] | None:
    """Split a payment, or give None when all that fits together is too little."""
    left_fen, parts = amount_fen, []
    fitting = [pot for pot in pots if pot.fits(partner, kind, on)]
    for pot in sorted(fitting, key=lambda one: (one.ends_on, one.programme)):
        taken_fen = min(left_fen, pot.available_fen)
        if taken_fen:
            parts.append(Part(programme=pot.programme, amount_fen=taken_fen))
            left_fen -= taken_fen
    if left_fen > own_fen:
        return None
    if left_fen:
        parts.append(Part(programme=OWN_MONEY, amount_fen=left_fen))
    return tuple(parts)


def returns(amount_fen: int, left_fen: Sequence[int]) -> tuple[Returned, ...] | None:
    """Split what is given back over the parts of a payment, the part that was taken last first.

    ``left_fen`` is what of each part is not given back yet. So the citizen's own money, which was taken
    after the subsidies, comes back before them. Give None when the parts have not that much left.
    """
    found = []
    for place in range(len(left_fen) - 1, -1, -1):
        taken_fen = min(amount_fen, left_fen[place])
        if taken_fen:
            found.append(Returned(place=place, amount_fen=taken_fen))
            amount_fen -= taken_fen
    return None if amount_fen else tuple(found)
