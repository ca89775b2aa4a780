"""What a record comes to after adjustments and refunds: who has how much of it, and what can still move."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import attrs
from sqlalchemy import Connection

from citycard.clearing.adjusting import adjustments_about
from citycard.clearing.casecodes import Party
from citycard.clearing.codes import State
from citycard.clearing.records import ClearedRecord
from citycard.wallet.addresses import card_purse, card_refund
from citycard.wallet.refunds import refunds_of

__all__ = ["Standing", "holdings", "standing_of"]


@attrs.frozen(kw_only=True)
class Standing:
    """Where the money of a record stands, in fen.

    ``card_fen`` is what its card paid, ``returned_fen`` what its holder got back of that, by refunds and by
    disputes; ``got_fen`` is what each partner has of it.
    """

    amount_fen: int
    card_fen: int
    returned_fen: int
    got_fen: Mapping[str, int]

    def left_fen(self, party: Party, partner: str) -> int:
        """Give the most that a party can claim: of what the card paid, or of what the partner did not get."""
        if party is Party.HOLDER:
            return self.card_fen - self.returned_fen
        return self.amount_fen - self.got_fen.get(partner, 0)


def holdings(conn: Connection, record: str, parts: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Give what each partner has of a record, in fen: what a run gave it, after all that came later."""
    got: dict[str, int] = defaultdict(int, parts)
    for one in adjustments_about(conn, about=record):
        for address, change_fen in ((one.credit, one.amount_fen), (one.debit, -one.amount_fen)):
            if address.startswith("partner/"):
                got[address.split("/")[1]] += change_fen
    for refund in refunds_of(conn, purchase=record):
        for part in refund.parts:
            got[part.partner] -= part.amount_fen
    return dict(got)


def standing_of(conn: Connection, record: ClearedRecord) -> Standing:
    """Add up everything that a run, decisions, disputes and refunds made of a record."""
    accepted = record.state is State.ACCEPTED
    card_fen = record.amount_fen if accepted else 0
    returned_fen = 0
    for one in adjustments_about(conn, about=record.id):
        card_fen += one.amount_fen * (one.debit == card_purse(record.card))
        returned_fen += one.amount_fen * (one.credit == card_refund(record.card))
    returned_fen += sum(refund.amount_fen for refund in refunds_of(conn, purchase=record.id))
    return Standing(
        # Of a copy nothing is owed: the record itself may be paid.
        amount_fen=0 if record.state is State.DUPLICATE else record.amount_fen,
        card_fen=card_fen,
        returned_fen=returned_fen,
        got_fen=holdings(conn, record.id, record.parts if accepted else ()),
    )
