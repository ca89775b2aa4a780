"""Pay a bill with the card at a kiosk, offline: from the slip's bar code, or from what an office looked up.

The bar code of a slip is ``UB1|<biller>|<bill>|<household>|<fen>|<due>|<check>``: the biller's number, the
amount that is open, the due date (YYYYMMDD), and two check digits over all before them
(modulo 97, as ISO 7064 does it, over the bytes of the text).
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import attrs

from citycard.errors import CodecError, Phrase
from citycard_utilities.bills import BillView
from citycard_utilities.errors import BillSettled, CardFromElsewhere, SlipInvalid
from citycard_utilities.rules import BILL
from citycard_utilities.sectors import BillFacts
from citycard_utilities.services import NUMBERS
from citycard_utilities.settings import UtilitySettings

if TYPE_CHECKING:
    from citycard.city.till import Asked, Sale, Visit
    from citycard.terminal.views import Debit

__all__ = ["Slip", "pay_slip", "slip_of"]

_MARK, _PARTS = "UB1", 7
_MOST_FEN = 0xFFFFFFFF


@attrs.frozen(kw_only=True)
class Slip:
    """What a kiosk knows of a bill: biller by number, bill, household, what is open of it, when it is due."""

    biller: int
    bill: str
    household: str
    amount_fen: int
    due: dt.date

    @property
    def barcode(self) -> str:
        """Write the text of the bar code."""
        body = "|".join(
            (
                _MARK,
                str(self.biller),
                self.bill,
                self.household,
                str(self.amount_fen),
                f"{self.due:%Y%m%d}",
            )
        )
        return f"{body}|{_check(body)}"

    @classmethod
    def read(cls, barcode: str) -> Slip:
        """Read a bar code; raise SlipInvalid."""
        parts = barcode.strip().split("|")
        if len(parts) != _PARTS or parts[0] != _MARK:
            raise SlipInvalid(
                reason=Phrase("expected {parts} parts that begin with {mark}", parts=_PARTS, mark=_MARK)
            )
        if parts[-1] != _check(barcode.strip().rpartition("|")[0]):
            raise SlipInvalid(reason="its check digits do not fit: scan it again")
        try:
            due = dt.datetime.strptime(parts[5], "%Y%m%d").date()  # noqa: DTZ007 - a day, not a moment
            slip = cls(
                biller=int(parts[1]),
                bill=parts[2],
                household=parts[3],
                amount_fen=int(parts[4]),
                due=due,
            )
            slip.facts()
        except (ValueError, CodecError) as wrong:
            raise SlipInvalid(reason=str(wrong)) from None
        if not 0 < slip.amount_fen <= _MOST_FEN:
            raise SlipInvalid(reason=Phrase("{amount_fen} fen is no amount", amount_fen=slip.amount_fen))
        return slip

    def facts(self) -> BillFacts:
        """Give the facts of the record that pays it."""
        return BillFacts(biller=self.biller, bill=self.bill, due=self.due, household=self.household)


def slip_of(settings: UtilitySettings, view: BillView) -> Slip:
    """Make the slip of what is open of a bill; raise BillSettled."""
    rest_fen = view.to_pay_fen - view.late_fen
    if not rest_fen:
        raise BillSettled(bill=view.bill, biller=view.biller, state=view.state)
    return Slip(
        biller=settings.biller(view.biller).number,
        bill=view.bill,
        household=view.household,
        amount_fen=rest_fen,
        due=view.due,
    )


def pay_slip(slip: Slip) -> Asked:
    """Decide at a till that a card pays a slip, with the late fee of the day.

    A tap that was torn before is this slip's only where it paid this bill. Raise CardFromElsewhere for a card
    of another city: whether its debit counts is known days later, and the bill would be open until then.
    """
    from citycard.card.codec import encode
    from citycard.city.till import Asked, Sale

    def decide(visit: Visit) -> Sale:
        if not visit.at_home:
            raise CardFromElsewhere(asn=visit.asn)
        facts = slip.facts()
        quote = visit.price(BILL, facts, list_price_fen=slip.amount_fen)
        return Sale(service=BILL, amount_fen=quote.amount_fen, facts=facts, list_price_fen=slip.amount_fen)

    def again(debit: Debit) -> bool:
        return debit.plan.service == NUMBERS[BILL] and debit.plan.facts == encode(slip.facts())

    return Asked(decide, again)


def _check(body: str) -> str:
    """Give the check digits of a text, read as one large number."""
    rest = 0
    for letter in body.encode():
        rest = (rest * 256 + letter) % 97
    return f"{98 - rest * 100 % 97:02d}"
