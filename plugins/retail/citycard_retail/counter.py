"""A counter in a shop: sells to cards offline, and takes back the sale before while its batch is open.

A card cannot give money back by itself. A void is a record of 0 fen, made with the card and in the batch of
the sale, and what was paid is owed to the card when both were cleared.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import attrs

from citycard.city.till import Receipt, Sale, Till, Visit
from citycard.errors import Phrase
from citycard_retail.errors import MerchantUnknown, NothingToVoid
from citycard_retail.sectors import LastSale, SaleFacts, SaleState, VoidFacts
from citycard_retail.services import NUMBERS, SALE, VOID

if TYPE_CHECKING:
    from collections.abc import Callable

    from citycard.terminal.reader import Reader

    Decide = Callable[[Visit], Sale]

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

    ``next_receipt`` is the till's own number of its next sale.
    """

    def __init__(self, till: Till, *, next_receipt: int = 1) -> None:
        self.till, self.next_receipt = till, next_receipt
        self._last: _Last | None = None
        self._asked_fen = 0
        self._merchant()

    @property
    def number(self) -> str:
        """Return the terminal's number."""
        return self.till.number

    def sell(self, reader: Reader, at: datetime, asked_fen: int) -> Receipt:
        """Let the card in a reader pay what is asked, less what is taken off for it.

        Raise what ``Till.serve`` raises.
        """
        mine, receipt, self._asked_fen = self._merchant(), self.next_receipt, asked_fen
        facts = SaleFacts(tier=int(mine["tier"]), mcc=str(mine["mcc"]), receipt=receipt)

        def decide(visit: Visit) -> Sale:
            visit.read(_SECTOR)
            amount_fen = visit.price(SALE, facts, list_price_fen=asked_fen).amount_fen
            sold = LastSale(
                state=SaleState.SOLD,
                terminal=self.till.number,
                receipt=receipt,
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

        done = self._serve(reader, at, decide, SALE)
        self._sold(done, receipt)
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

        done = self._serve(reader, at, decide, VOID)
        self._last = None
        return done

    def close(self, business_date: date, at: datetime | None = None) -> bytes | None:
        """Write the batch file; what is in it can be refunded and no more voided."""
        self._last = None
        return self.till.close(business_date, at)

    def _serve(self, reader: Reader, at: datetime, decide: Decide, service: str) -> Receipt:
        """Serve a card; where the tap before was something else and turns out to be done, serve it again."""
        done = self.till.serve(reader, at, decide)
        if not done.recovered or done.debit.plan.service == NUMBERS[service]:
            return done
        if done.debit.plan.service == NUMBERS[SALE]:
            self._sold(done, self.next_receipt)
        else:
            self._last = None
        if service == VOID:
            raise NothingToVoid(reason="the tap before was finished just now: look at its receipt, ask again")
        return self.sell(reader, at, self._asked_fen)

    def _sold(self, done: Receipt, receipt: int) -> None:
        debit = done.debit
        if self._last is not None and (self._last.asn, self._last.counter) == (debit.asn, debit.counter):
            return
        self.next_receipt = receipt + 1
        self._last = _Last(receipt, debit.asn, debit.counter, debit.amount_fen, debit.at)

    def _merchant(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] | None = self.till.configured("retail", "tills").get(self.till.number)
        if found is None:
            raise MerchantUnknown(what=Phrase("terminal {number}", number=self.till.number))
        return found
