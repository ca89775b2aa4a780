"""A kiosk of the property company: it writes rights onto cards, takes day codes, and bills paid by purse.

It is online: what a card is to carry, and what is owed, stand in the city's books.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from uuid import UUID

import attrs

from citycard.city.till import Asked, Receipt, Sale, Till, Visit
from citycard.errors import CardRemoved, CitycardError
from citycard.ids import new_id
from citycard.store import reading, writing
from citycard.terminal.views import Debit
from citycard_community.billing import (
    PURSE,
    BillPayment,
    ask_payment,
    drop_payment,
    fee_facts,
    finish_payment,
)
from citycard_community.errors import DayCodeRefused
from citycard_community.fees import FEE, WRITE
from citycard_community.granting import rights_of_card, signed_form
from citycard_community.rights import card_rights, key_of, sign, signing_version
from citycard_community.running import settings_of
from citycard_community.sectors import RIGHTS, CardRights, FeeFacts, Right
from citycard_community.services import NUMBERS
from citycard_community.units import renew_owner
from citycard_community.visits import use_code

if TYPE_CHECKING:
    from citycard.city import City
    from citycard.terminal.reader import Reader

__all__ = ["Collected", "Kiosk", "Paid"]

_WRONG_CODES = 5
_CODES_WAIT = dt.timedelta(minutes=10)


@attrs.frozen(kw_only=True)
class Collected:
    """What a card carries now."""

    receipt: Receipt
    rights: tuple[Right, ...]


@attrs.frozen(kw_only=True)
class Paid:
    """A bill that was paid from a purse."""

    receipt: Receipt
    payment: BillPayment


class Kiosk:
    """A kiosk at a till that is registered; ``city`` is what it is online with."""

    def __init__(self, till: Till, city: City) -> None:
        self.till, self._city = till, city
        self._settings = settings_of(city)
        self._unsure: dict[tuple[str, int], UUID] = {}
        self._wrong: list[dt.datetime] = []

    def collect(self, card: Reader, at: dt.datetime) -> Collected:
        """Write onto the card in the reader what its holder has a right to, and nothing else.

        Raise CardLacksSector, CardRefused, SlotsFull.
        """
        written: list[Right] = []

        def decide(visit: Visit) -> Sale:
            self._finish(visit.finished)
            record, written[:] = self._carried(visit)
            visit.read(RIGHTS.name)
            return Sale(service=WRITE, amount_fen=visit.price(WRITE).amount_fen, writes={RIGHTS.name: record})

        receipt = self.till.serve(card, at, Asked(decide, _never))
        return Collected(receipt=receipt, rights=tuple(written))

    def use_code(self, card: Reader, code: str, at: dt.datetime) -> Collected:
        """Give a visitor's card the right that a day code is good for.

        Raise DayCodeRefused, also for every code once five were wrong within ten minutes.
        """
        self._wrong = [one for one in self._wrong if at - one < _CODES_WAIT]
        written: list[Right] = []

        def decide(visit: Visit) -> Sale:
            self._finish(visit.finished)
            if len(self._wrong) >= _WRONG_CODES:
                raise DayCodeRefused
            try:
                use_code(self._city, self._settings, code, visit.asn)
            except DayCodeRefused:
                self._wrong.append(at)
                raise
            record, written[:] = self._carried(visit)
            return Sale(service=WRITE, amount_fen=visit.price(WRITE).amount_fen, writes={RIGHTS.name: record})

        receipt = self.till.serve(card, at, Asked(decide, _never))
        return Collected(receipt=receipt, rights=tuple(written))

    def pay(self, card: Reader, bill: int, at: dt.datetime, amount_fen: int | None = None) -> Paid:
        """Pay a bill from the purse in the reader, all that is owed without an amount.

        A card that was taken away too early is not charged twice: pay again with the same card. Raise what
        ``billing.ask_payment`` raises, CardRefused or CardRemoved.
        """
        asked: list[BillPayment] = []

        def again(debit: Debit) -> bool:
            found = _payment_of(debit)
            return found is not None and found == self._unsure.get((debit.asn, bill))

        def decide(visit: Visit) -> Sale:
            self._finish(visit.finished)
            identity = self._unsure.setdefault((visit.asn, bill), new_id())
            asked[:] = [
                ask_payment(
                    self._city,
                    self._settings,
                    identity,
                    visit.asn,
                    bill,
                    amount_fen,
                    way=PURSE,
                    terminal=self.till.number,
                )
            ]
            facts = fee_facts(self._city, self._settings, asked[0])
            price = visit.price(FEE, facts, list_price_fen=asked[0].amount_fen)
            return Sale(
                service=FEE, amount_fen=price.amount_fen, list_price_fen=asked[0].amount_fen, facts=facts
            )

        try:
            receipt = self.till.serve(card, at, Asked(decide, again))
        except CardRemoved:
            # Nobody knows yet whether it was paid: the card's next tap or its record tells.
            raise
        except CitycardError:
            for one in asked:
                drop_payment(self._city, one.id)
            self._forget(asked)
            raise
        identity = asked[0].id if asked else self._unsure[receipt.debit.asn, bill]
        done = finish_payment(self._city, self._settings, identity)
        self._forget([done])
        return Paid(receipt=receipt, payment=done)

    def _finish(self, debit: Debit | None) -> None:
        """Take note of a payment whose card was taken away too early, and that turns out to be made."""
        identity = None if debit is None else _payment_of(debit)
        if identity is not None:
            self._forget([finish_payment(self._city, self._settings, identity)])

    def _carried(self, visit: Visit) -> tuple[CardRights, list[Right]]:
        today = visit.at.date()
        with writing(self._city.engine) as conn:
            renew_owner(conn, self._settings, visit.asn, today)
        with reading(self._city.engine) as conn:
            booked = rights_of_card(conn, visit.asn, today)
        vault = self._city.vault
        key, version = key_of(vault, visit.asn8), signing_version(vault)
        signed = [sign(signed_form(one, self._settings), visit.asn, key, version) for one in booked]
        return card_rights(signed, visit.asn, today), signed

    def _forget(self, asked: list[BillPayment]) -> None:
        for one in asked:
            self._unsure.pop((one.asn, one.bill), None)


def _never(_debit: Debit) -> bool:
    """Write rights anew after a tap that was torn: it costs nothing, and the books may say others by now."""
    return False


def _payment_of(debit: Debit) -> UUID | None:
    """Give the payment that a debit is of; None for anything but a fee."""
    if debit.plan.service != NUMBERS[FEE]:
        return None
    return UUID(bytes=debit.plan.read(FeeFacts).payment)
