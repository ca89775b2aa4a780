"""What a property fee comes to and what is owed of it on a day. Pure: values in, values out.

Late charge is counted in whole ten-thousandths of a fen, so that it is the same however often it is counted.
"""

from __future__ import annotations

import datetime as dt

import attrs

from citycard.money import percent_of
from citycard_community.settings import PropertyFee

__all__ = ["Bill", "accrued", "fee_fen", "paid"]

_PARTS = 10_000
_PERCENT_PARTS = _PARTS // 100
_HUNDREDTHS = 100


@attrs.frozen(kw_only=True)
class Bill:
    """A bill: ``paid_fen`` of ``amount_fen``, and the late charge counted up to ``accrued_on``."""

    id: int
    unit: int
    month: dt.date
    amount_fen: int
    due_on: dt.date
    paid_fen: int = 0
    late_parts: int = 0
    late_paid_fen: int = 0
    accrued_on: dt.date

    @property
    def late_fen(self) -> int:
        """Return the late charge so far, rounded half up to a whole fen, and never below what was paid."""
        return max((self.late_parts + _PARTS // 2) // _PARTS, self.late_paid_fen)

    @property
    def owed_fen(self) -> int:
        """Return what is owed, late charge included."""
        return self.amount_fen - self.paid_fen + self.late_fen - self.late_paid_fen


def fee_fen(area: int, fen_per_m2: int) -> int:
    """Give a month's fee for an area in hundredths of a square metre, rounded half up to a whole fen."""
    return percent_of(fen_per_m2, area, denominator=_HUNDREDTHS)


def accrued(bill: Bill, fee: PropertyFee, today: dt.date) -> Bill:
    """Count the late charge up to a day: so much of what is unpaid for each day after the due day, capped."""
    since = max(bill.accrued_on, bill.due_on)
    days = max((today - since).days, 0)
    most = max(bill.amount_fen * fee.late_cap_percent * _PERCENT_PARTS, bill.late_parts)
    parts = bill.late_parts + days * (bill.amount_fen - bill.paid_fen) * fee.late_bp_per_day
    return attrs.evolve(bill, late_parts=min(parts, most), accrued_on=max(bill.accrued_on, today))


def paid(bill: Bill, amount_fen: int) -> tuple[Bill, int]:
    """Pay a part of what is owed, late charge first; give the bill after it and how much was late charge."""
    assert 0 < amount_fen <= bill.owed_fen
    late_fen = min(amount_fen, bill.late_fen - bill.late_paid_fen)
    after = attrs.evolve(
        bill,
        late_paid_fen=bill.late_paid_fen + late_fen,
        paid_fen=bill.paid_fen + amount_fen - late_fen,
    )
    return after, late_fen
