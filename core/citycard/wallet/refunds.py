"""Refunds of purchases: who gives back how much of what, and where it goes; each written once, for ever."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, insert, select

from citycard.errors import PurchaseRefundConflict, PurchaseRefundUnknown
from citycard.ids import derived_id
from citycard.ledger.chart import AccountCode, TransferCode
from citycard.ledger.following import reversal
from citycard.ledger.ledger import Ledger
from citycard.ledger.records import AccountSpec, Transfer
from citycard.money import split
from citycard.store.bulk import select_in
from citycard.wallet.addresses import TRUST_BANK
from citycard.wallet.tables import purchase_refund, purchase_refund_part

__all__ = [
    "Destination",
    "Purchase",
    "PurchaseShare",
    "Refund",
    "RefundPart",
    "find_refund",
    "known_refund",
    "parts_of",
    "post_refund",
    "refunds_of",
    "write_refund",
]

_COMPARED = ("purchase", "amount_fen", "destination", "target", "reason", "approved_by", "evidence")


class Destination(StrEnum):
    """Where a refund goes.

    ``account``: the holder's online account; ``bank``: a bank account; ``cash``: at the desk; ``purse``: it
    is owed, and loaded when the card is next held to a reader that does so.
    """

    ACCOUNT = "account"
    BANK = "bank"
    CASH = "cash"
    PURSE = "purse"


@attrs.frozen(kw_only=True)
class PurchaseShare:
    """What one partner got of a purchase, and the transfer that paid it."""

    partner: str
    amount_fen: int
    posted: Transfer


@attrs.frozen(kw_only=True)
class Purchase:
    """A purchase that can be refunded: a cleared record, or a payment from an online account.

    ``owner`` is the number of the card or the account, ``owed`` the address of what is owed to its holder.
    Of a payment, it is what the account itself paid, and ``payment`` its id: what was given back of it in any
    way stands there.
    """

    id: str
    owner: str
    amount_fen: int
    owed: str
    shares: tuple[PurchaseShare, ...]
    payment: UUID | None = None


@attrs.frozen(kw_only=True)
class RefundPart:
    """What one partner gave back, and the transfer that took it."""

    partner: str
    amount_fen: int
    transfer: UUID


@attrs.frozen(kw_only=True)
class Refund:
    """A refund of a purchase, or of a part of it.

    ``target`` is the online account's number, or the bank account in words; empty otherwise. ``approved_by``
    and ``evidence`` say who allowed it and on what ground.
    """

    id: UUID
    purchase: str
    owner: str
    amount_fen: int
    destination: Destination = attrs.field(converter=Destination)
    target: str
    reason: str
    approved_by: str
    evidence: str
    actor: str
    at: datetime
    parts: tuple[RefundPart, ...] = ()


def parts_of(refund: Refund, purchase: Purchase) -> tuple[RefundPart, ...]:
    """Say what each partner gives back; the parts are the whole.

    The shares of the purchase are what each partner still has of it, and together no less than the refund.
    """
    left = [share.amount_fen for share in purchase.shares]
    amounts = split(refund.amount_fen, left)
    return tuple(
        RefundPart(
            partner=share.partner,
            amount_fen=amount_fen,
            transfer=derived_id("refund", refund.id, share.partner),
        )
        for share, amount_fen in zip(purchase.shares, amounts, strict=True)
        if amount_fen
    )


def post_refund(
    conn: Connection,
    ledger: Ledger,
    refund: Refund,
    purchase: Purchase,
    account: str,
    *,
    at: datetime,
    before: Sequence[Transfer] = (),
) -> None:
    """Take a refund from the partners by the way it came, and on to where it goes, all or nothing.

    ``account`` is the address of an online account, where it goes there. What goes to a bank account is owed
    until it is ordered. ``before`` is what comes back to the partner from whom it had passed a part on to.
    ``at`` is local.
    """
    group = derived_id("refund", refund.id)
    shares = {share.partner: share for share in purchase.shares}
    transfers = list(before)
    backs = [
        reversal(
            shares[part.partner].posted,
            id=part.transfer,
            amount_fen=part.amount_fen,
            code=TransferCode.REFUND,
            event_time=at,
            business_date=at.date(),
            ref=f"refund/{refund.id}",
            group=group,
        )
        for part in refund.parts
    ]
    transfers += backs
    came_from = backs[0].credit_address
    ways: Mapping[Destination, Sequence[tuple[str, str, TransferCode]]] = {
        Destination.ACCOUNT: [(came_from, account, TransferCode.REFUND_CREDITED)],
        Destination.PURSE: [(came_from, purchase.owed, TransferCode.REFUND_OWED)],
        Destination.BANK: [(came_from, purchase.owed, TransferCode.REFUND_OWED)],
        Destination.CASH: [
            (came_from, purchase.owed, TransferCode.REFUND_OWED),
            (purchase.owed, TRUST_BANK, TransferCode.REFUND_PAID),
        ],
    }
    for place, (debit, credit, code) in enumerate(ways[refund.destination]):
        if debit == credit:  # an online payment that goes back into its own account
            continue
        transfers.append(
            Transfer(
                id=derived_id("refund", refund.id, "way", place),
                debit_address=debit,
                credit_address=credit,
                amount_fen=refund.amount_fen,
                code=code,
                event_time=at,
                business_date=at.date(),
                ref=f"refund/{refund.id}",
                group=group,
            )
        )
    ledger.open_accounts(
        conn,
        [
            AccountSpec(address=purchase.owed, code=AccountCode.REFUNDS_DUE, owner=purchase.owner),
            AccountSpec(address=TRUST_BANK, code=AccountCode.TRUST_BANK),
        ],
    )
    ledger.post_all(conn, transfers)


def write_refund(conn: Connection, refund: Refund) -> None:
    """Write a refund and its parts down."""
    row = attrs.asdict(refund, recurse=False, filter=lambda field, _: field.name != "parts")
    conn.execute(insert(purchase_refund), row | {"destination": refund.destination.value})
    parts = [attrs.asdict(part) | {"refund": refund.id} for part in refund.parts]
    conn.execute(insert(purchase_refund_part), parts)


def known_refund(conn: Connection, wanted: Refund) -> Refund | None:
    """Give the refund with this id as it was given, or None; raise PurchaseRefundConflict for another one."""
    found = _read(conn, purchase_refund.c.id, [wanted.id])
    if not found:
        return None
    for field in _COMPARED:
        if getattr(found[0], field) != getattr(wanted, field):
            raise PurchaseRefundConflict(id=wanted.id, field=field)
    return found[0]


def find_refund(conn: Connection, identity: UUID) -> Refund:
    """Give a refund; raise PurchaseRefundUnknown."""
    found = _read(conn, purchase_refund.c.id, [identity])
    if not found:
        raise PurchaseRefundUnknown(id=identity)
    return found[0]


def refunds_of(conn: Connection, *, purchase: str | None = None, owner: str | None = None) -> list[Refund]:
    """Give the refunds of a purchase, or of a card or account, oldest first."""
    if purchase is not None:
        return _read(conn, purchase_refund.c.purchase, [purchase])
    return _read(conn, purchase_refund.c.owner, [owner])


def _read(conn: Connection, column: Any, keys: Sequence[Any]) -> list[Refund]:
    rows = sorted(
        select_in(conn, select(purchase_refund), column, keys), key=lambda row: (row.at, str(row.id))
    )
    parts: dict[UUID, list[RefundPart]] = defaultdict(list)
    query = select(purchase_refund_part)
    for row in select_in(conn, query, purchase_refund_part.c.refund, [row.id for row in rows]):
        parts[row.refund].append(
            RefundPart(partner=row.partner, amount_fen=row.amount_fen, transfer=row.transfer)
        )
    return [
        Refund(
            **row._mapping,  # noqa: SLF001 - the documented way to read a row by name
            parts=tuple(sorted(parts[row.id], key=lambda part: part.partner)),
        )
        for row in rows
    ]
