"""The card office: issue, lost, block, unblock, replace, return; each one step that is taken once.

A step locks the card's row, changes its status with reason and name, moves its money and puts it on or takes
it off the blacklist, all in one transaction. Taken again it changes nothing.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from uuid import UUID

from citycard import registry
from citycard.city.cardmoney import CardMoney
from citycard.errors import OfficeRefused, Phrase
from citycard.registry import CardClosing, CardStatus
from citycard.store import writing
from citycard.wallet.online import move_account

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from citycard.city.city import City

__all__ = ["Office"]

_OUT = frozenset({CardStatus.ISSUED, CardStatus.LOST, CardStatus.BLOCKED})


class Office:
    """A city's card office at one desk; ``actor`` is who works there, as every history says."""

    def __init__(self, city: City, actor: str) -> None:
        self._city = city
        self._actor = actor

    def issue(self, asn: str, *, holder: UUID | None = None, reason: str = "sold") -> registry.Card:
        """Give a card out of the stock to a holder, or to nobody named; its deposit and price are taken.

        Raise StatusRefused when the card is not in stock, OfficeRefused when somebody else has it.
        """
        with writing(self._city.engine) as conn:
            card = self._held(conn, asn)
            if card.status is CardStatus.ISSUED and card.holder == holder:
                return card
            if card.status is not CardStatus.STOCK:
                raise OfficeRefused(
                    asn=asn,
                    reason=Phrase("it is {status}: only a card in stock is issued", status=card.status),
                )
            product = self._city.issuing.product(card.product)
            money = CardMoney(self._city, conn)
            money.sold(asn, deposit_fen=product.deposit_fen, price_fen=product.price_fen)
            return self._given(conn, asn, holder, reason)

    def lost(self, asn: str, *, reason: str = "reported lost") -> registry.Card:
        """Take note that a card is lost; terminals refuse it from the next blacklist on, which is out now."""
        return self._stopped(asn, CardStatus.LOST, reason)

    def block(self, asn: str, *, reason: str) -> registry.Card:
        """Block a card; terminals refuse it from the next blacklist on, which is out now."""
        return self._stopped(asn, CardStatus.BLOCKED, reason)

    def block_within(self, conn: Connection, asn: str, *, reason: str) -> None:
        """Block a card in a transaction of somebody else's step; one that was given up is refused already."""
        card = self._held(conn, asn)
        if card.status in {CardStatus.ISSUED, CardStatus.LOST}:
            self._become(conn, asn, CardStatus.BLOCKED, reason)
        self._refuse_at_terminals(conn, asn, reason)

    def unblock(self, asn: str, *, reason: str) -> registry.Card:
        """Let a lost or blocked card be what it was before; StatusRefused when it was given up meanwhile."""
        with writing(self._city.engine) as conn:
            card = self._held(conn, asn)
            if card.status in {CardStatus.ISSUED, CardStatus.STOCK}:
                return card
            wanted = CardStatus.ISSUED if _was_out(conn, asn) else CardStatus.STOCK
            card = self._become(conn, asn, wanted, reason)
            registry.unblacklist_cards(conn, [asn])
            registry.publish_blacklist(conn, at=self._city.clock.now())
            return card

    def replace(self, asn: str, new: str, *, reason: str, fee_fen: int | None = None) -> CardClosing:
        """Give a card of the stock in place of one that is lost, broken or blocked.

        Deposit, holder and the card's own rights pass over at once; the balance when the last taps of the old
        card have come in (``settle_due``). ``fee_fen`` is the city's replacement fee unless given. Raise
        OfficeRefused and StatusRefused.
        """
        if fee_fen is not None and fee_fen < 0:
            raise OfficeRefused(
                asn=asn,
                reason=Phrase("a fee of {fee_fen} fen would be paid out: name 0 or more", fee_fen=fee_fen),
            )
        config = self._city.config.cards
        with writing(self._city.engine) as conn:
            old, successor = self._held(conn, min(asn, new)), self._held(conn, max(asn, new))
            if old.asn != asn:
                old, successor = successor, old
            known = registry.find_closing(conn, asn)
            if known is not None and known.successor == new:
                return known
            if known is not None or old.status not in _OUT:
                raise OfficeRefused(
                    asn=asn, reason=Phrase("it is {status}: it cannot be replaced", status=old.status)
                )
            self._check_was_out(conn, asn)
            if successor.status is not CardStatus.STOCK:
                raise OfficeRefused(
                    asn=new, reason=Phrase("it is {status}: take a card in stock", status=successor.status)
                )
            self._become(conn, asn, CardStatus.REPLACED, reason)
            self._refuse_at_terminals(conn, asn, reason)
            money = CardMoney(self._city, conn)
            money.fee(asn, config.replacement_fee_fen if fee_fen is None else fee_fen)
            money.deposit_moved(asn, new)
            move_account(conn, asn, new)
            self._given(conn, new, old.holder, f"replaces {asn}")
            self._carry_rights(conn, asn, new)
            return self._closing(conn, asn, new)

    def give_back(self, asn: str, *, reason: str = "returned") -> CardClosing:
        """Take a card back; deposit and balance are owed when its last taps have come in (``settle_due``)."""
        with writing(self._city.engine) as conn:
            card = self._held(conn, asn)
            known = registry.find_closing(conn, asn)
            if known is not None and known.successor is None:
                return known
            if known is not None or card.status not in _OUT:
                raise OfficeRefused(
                    asn=asn, reason=Phrase("it is {status}: it cannot be taken back", status=card.status)
                )
            self._check_was_out(conn, asn)
            self._become(conn, asn, CardStatus.RETURNED, reason)
            self._refuse_at_terminals(conn, asn, reason)
            return self._closing(conn, asn, None)

    def _check_was_out(self, conn: Connection, asn: str) -> None:
        if not _was_out(conn, asn):
            raise OfficeRefused(asn=asn, reason="it was never issued: it is blocked in the stock")

    def _held(self, conn: Connection, asn: str) -> registry.Card:
        return registry.hold_card(conn, asn)

    def _become(self, conn: Connection, asn: str, wanted: CardStatus, reason: str) -> registry.Card:
        return registry.set_card_status(
            conn, asn, wanted, reason=reason, actor=self._actor, at=self._city.clock.now()
        )

    def _given(self, conn: Connection, asn: str, holder: UUID | None, reason: str) -> registry.Card:
        self._become(conn, asn, CardStatus.ISSUED, reason)
        if holder is not None:
            registry.assign_card(conn, asn, holder)
        return registry.find_card(conn, asn)

    def _stopped(self, asn: str, wanted: CardStatus, reason: str) -> registry.Card:
        with writing(self._city.engine) as conn:
            card = self._become(conn, asn, wanted, reason)
            self._refuse_at_terminals(conn, asn, reason)
            return card

    def _refuse_at_terminals(self, conn: Connection, asn: str, reason: str) -> None:
        registry.blacklist_cards(conn, [asn], reason=reason)
        registry.publish_blacklist(conn, at=self._city.clock.now())

    def _carry_rights(self, conn: Connection, old: str, new: str) -> None:
        today = self._city.now_local().date()
        registry.carry_entitlements(conn, old, new, on=today)

    def _closing(self, conn: Connection, asn: str, successor: str | None) -> CardClosing:
        days = dt.timedelta(days=self._city.config.cards.clearing_days)
        closing = CardClosing(
            asn=asn,
            successor=successor,
            opened_at=self._city.clock.now(),
            due_on=self._city.now_local().date() + days,
        )
        registry.add_closing(conn, closing)
        return closing


def _was_out(conn: Connection, asn: str) -> bool:
    """Say whether a card was ever issued; one that was registered without having been in stock was."""
    steps = registry.card_history(conn, asn)
    issued = any(step.after is CardStatus.ISSUED for step in steps)
    return issued or not any(step.before is CardStatus.STOCK for step in steps)
