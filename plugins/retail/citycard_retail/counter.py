"""A counter in a shop: sells to cards offline, and takes back the sale before while its batch is open.

A card cannot give money back by itself. A void is a record of 0 fen, made with the card and in the batch of
the sale, and what was paid is owed to the card when both were cleared.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import attrs

from citycard.city.till import Asked, Receipt, Sale, Till, Visit
from citycard.errors import CardRemoved, Phrase
from citycard.terminal.views import Debit
from citycard_retail.errors import MerchantUnknown, NothingToVoid, SaleFinished
from citycard_retail.sectors import LastSale, SaleFacts, SaleState, VoidFacts
from citycard_retail.services import NUMBERS, SALE, VOID

if TYPE_CHECKING:
    from citycard.terminal.reader import Reader

__all__ = ["Counter"]

_SECTOR = "retail"


@attrs.define
class _Last:
    receipt: int
    asn: str
    counter: int
    amount_fen: int
    at: datetime


class Counter:
    """Sell with a till of a merchant; raise MerchantUnknown when its configuration does not name it.

    ``next_receipt`` is the till's own number of its next sale, ``last_receipt`` that of the one before.
    """

    def __init__(self, till: Till, *, next_receipt: int = 1) -> None:
        self.till, self.next_receipt = till, next_receipt
        self.last_receipt = 0
        self._last: _Last | None = None
        self._merchant()

    @property
    def number(self) -> str:
        """Return the terminal's number."""
        return self.till.number

    def sell(self, reader: Reader, at: datetime, asked_fen: int, *, receipt: int | None = None) -> Receipt:
        """Let the card in a reader pay what is asked, less what is taken off for it.

        A sale whose card was taken away too early is asked for again with its ``receipt`` (``last_receipt``),
        and is not charged twice. Without it this is another sale. Raise SaleFinished where the sale before
        turns out to be paid and was of the same sum, or with its receipt of another one: void that first. And
        what ``Till.serve`` raises.
        """
        mine, number = self._merchant(), self.next_receipt if receipt is None else receipt
        facts = SaleFacts(tier=int(mine["tier"]), mcc=str(mine["mcc"]), receipt=number)

        def decide(visit: Visit) -> Sale:
            self._note(visit.finished)
            self._refuse_paid(visit.finished, asked_fen, receipt)
            visit.read(_SECTOR)
            amount_fen = visit.price(SALE, facts, list_price_fen=asked_fen).amount_fen
            sold = LastSale(
                state=SaleState.SOLD,
                terminal=self.till.number,
                receipt=number,
                amount_fen=amount_fen,
                sold_at=at,
            )
            return Sale(
                service=SALE,
                amount_fen=amount_fen,
                facts=facts,
                list_price_fen=asked_fen,
                writes={_SECTOR: sold},
            )

        def again(debit: Debit) -> bool:
            if not _is(debit, SALE) or debit.plan.list_price_fen != asked_fen:
                return False
            return debit.plan.read(SaleFacts).receipt == number

        try:
            done = self.till.serve(reader, at, Asked(decide, again))
        except CardRemoved:
            # Whether it is paid, the card says when it comes back: the number stands for this sale.
            self.last_receipt, self.next_receipt = number, max(self.next_receipt, number + 1)
            raise
        self._sold(done.debit)
        return done

    def void(self, reader: Reader, at: datetime) -> Receipt:
        """Take back the sale before, with the card that paid it; raise NothingToVoid.

        It is refused when the batch was closed meanwhile, when another card is in the reader, and when the
        card says that it was voided.
        """
        last = self._last
        if last is None:
            raise NothingToVoid(reason="there is no sale before in the open batch: refund it instead")
        facts = VoidFacts(
            counter=last.counter, receipt=last.receipt, amount_fen=last.amount_fen, sold_at=last.at
        )

        def decide(visit: Visit) -> Sale:
            if visit.finished is not None:
                self._note(visit.finished)
                told = "the tap before was finished just now: look at its receipt, ask again"
                raise NothingToVoid(reason=told)
            if visit.asn != last.asn:
                raise NothingToVoid(reason="another card paid the sale before")
            found = visit.read(_SECTOR)
            here = (SaleState.SOLD, self.till.number, last.receipt)
            if (found.state, found.terminal, found.receipt) != here:
                raise NothingToVoid(reason="the card says that this was not its last sale, or was voided")
            return Sale(
                service=VOID,
                amount_fen=0,
                facts=facts,
                writes={
                    _SECTOR: LastSale(
                        state=SaleState.VOIDED,
                        terminal=found.terminal,
                        receipt=found.receipt,
                        amount_fen=found.amount_fen,
                        sold_at=found.sold_at,
                    )
                },
            )

        def again(debit: Debit) -> bool:
            return _is(debit, VOID) and debit.plan.read(VoidFacts).receipt == last.receipt

        done = self.till.serve(reader, at, Asked(decide, again))
        self._last = None
        return done

    def close(self, business_date: date, at: datetime | None = None) -> bytes | None:
        """Write the batch file; what is in it can be refunded and no more voided."""
        self._last = None
        return self.till.close(business_date, at)

    def _note(self, done: Debit | None) -> None:
        """Note what a tap before turns out to have done."""
        if done is None:
            return
        if _is(done, SALE):
            self._sold(done)
        else:
            self._last = None

    def _refuse_paid(self, done: Debit | None, asked_fen: int, receipt: int | None) -> None:
        """Ask whoever sells, where the sale before is paid, and may be the one that is meant."""
        if done is None or not _is(done, SALE):
            return
        paid = done.plan.read(SaleFacts).receipt
        if paid == receipt or (receipt is None and done.plan.list_price_fen == asked_fen):
            raise SaleFinished(receipt=paid, asn=done.asn, amount_fen=done.amount_fen)

    def _sold(self, debit: Debit) -> None:
        receipt = self.last_receipt = debit.plan.read(SaleFacts).receipt
        self.next_receipt = max(self.next_receipt, receipt + 1)
        self._last = _Last(receipt, debit.asn, debit.counter, debit.amount_fen, debit.at)

    def _merchant(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] | None = self.till.configured("retail", "tills").get(self.till.number)
        if found is None:
            raise MerchantUnknown(what=Phrase("terminal {number}", number=self.till.number))
        return found


def _is(debit: Debit, service: str) -> bool:
    return debit.plan.service == NUMBERS[service]
