"""A merchant's statement of a run: every sale with its fee, by till and online, and what it adds up to.

It is read from clearing and the ledger, not kept, and must come out at what clearing paid, to the fen.
Clearing is imported by whoever reads one: endpoints are declared without it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from itertools import takewhile
from typing import TYPE_CHECKING
from uuid import UUID

import attrs
from sqlalchemy import Connection

from citycard.ledger import PostedTransfer, Transfer
from citycard.ledger.chart import TransferCode
from citycard.money import yuan
from citycard.store import reading
from citycard.wallet import partner_payable
from citycard.wallet.paymentbook import payment_named
from citycard_retail.errors import StatementDiffers
from citycard_retail.market import Market
from citycard_retail.merchants import merchants
from citycard_retail.refunds import GivenBack, find_given_back
from citycard_retail.services import NUMBERS, SALE

if TYPE_CHECKING:
    from citycard.clearing import Statement

__all__ = ["CSV_COLUMNS", "MerchantStatement", "MerchantStatementLine", "merchant_statement", "statement_csv"]

CSV_COLUMNS = ("at", "kind", "reference", "amount", "fee", "net")
"""The columns of ``statement_csv``; amounts are yuan with two decimals, below zero what goes out."""

_CLEARING, _REFUND = "clearing/", "refund/"
_PAGE = 500
_MOST_RECORDS = 10_000_000
_KINDS = {
    TransferCode.ACCOUNT_PAID: "online",
    TransferCode.SUBSIDY_SPENT: "online",
    TransferCode.HOLD_CAPTURED: "online",
    TransferCode.ACCOUNT_GIVEN_BACK: "returned",
    TransferCode.SUBSIDY_GIVEN_BACK: "returned",
    TransferCode.REFUND: "returned",
}


@attrs.frozen(kw_only=True)
class MerchantStatementLine:
    """One sale, or what came back, or what else moved: ``net_fen`` is what of it is the merchant's.

    ``kind`` is till, online, returned, fee or other; ``reference`` the record, or what the ledger refers to.
    """

    at: datetime
    kind: str
    reference: str
    amount_fen: int
    fee_fen: int
    net_fen: int


@attrs.frozen(kw_only=True)
class MerchantStatement:
    """What a run came to for a merchant: ``opening_fen`` and all ``net_fen`` together are what was owed.

    ``paid_fen`` of it was paid under ``end_to_end``; nothing when the merchant cannot be paid, or owes.
    """

    partner: str
    name: str
    run: int
    tier: str
    till_sales: int
    till_fen: int
    till_fee_fen: int
    online_sales: int
    online_fen: int
    online_fee_fen: int
    returned_fen: int
    returned_fee_fen: int
    other_fen: int
    opening_fen: int
    owed_fen: int
    paid_fen: int
    end_to_end: str
    lines: tuple[MerchantStatementLine, ...] = attrs.field(repr=False)


def merchant_statement(market: Market, partner: str, run: int | None = None) -> MerchantStatement:
    """Give a merchant's statement of a run, of its last one unless told.

    Raise MerchantUnknown, RunUnknown, StatementUnknown, or StatementDiffers, which must not happen.
    """
    from citycard.clearing import statement_of

    with reading(market.city.engine) as conn:
        merchant = merchants(market, conn, partner=partner)[0]
    cleared = statement_of(market.city, partner, run)
    tills = _till_lines(market, cleared)
    with reading(market.city.engine) as conn:
        moved, before = _moved(market, conn, cleared)
        given = _given_back(conn, moved)
        references = {posted.transfer.id: _reference(conn, posted.transfer) for posted in moved}
    opening_fen = _rest_fen(statement_of(market.city, partner, before)) if before is not None else 0
    lines = (*tills, *_ledger_lines(partner, moved, given, references))
    owed_fen = opening_fen + sum(line.net_fen for line in lines)
    if owed_fen != cleared.net_fen + cleared.carried_fen:
        raise StatementDiffers(
            partner=partner,
            run=cleared.run,
            lines_fen=owed_fen,
            clearing_fen=cleared.net_fen + cleared.carried_fen,
        )
    sums = {kind: [line for line in lines if line.kind == kind] for kind in ("till", "online", "returned")}
    others = [line for line in lines if line.kind in {"fee", "other"}]
    return MerchantStatement(
        partner=partner,
        name=merchant.name,
        run=cleared.run,
        tier=merchant.tier,
        till_sales=len(sums["till"]),
        till_fen=sum(line.amount_fen for line in sums["till"]),
        till_fee_fen=sum(line.fee_fen for line in sums["till"]),
        online_sales=len(sums["online"]),
        online_fen=sum(line.amount_fen for line in sums["online"]),
        online_fee_fen=sum(line.fee_fen for line in sums["online"]),
        returned_fen=-sum(line.amount_fen for line in sums["returned"]),
        returned_fee_fen=-sum(line.fee_fen for line in sums["returned"]),
        other_fen=sum(line.net_fen for line in others),
        opening_fen=opening_fen,
        owed_fen=owed_fen,
        paid_fen=owed_fen - _rest_fen(cleared),
        end_to_end=cleared.end_to_end,
        lines=lines,
    )


def statement_csv(statement: MerchantStatement) -> Iterator[str]:
    """Give a statement as CSV (RFC 4180), a row at a time that ends with CR LF."""
    yield _row(CSV_COLUMNS)
    for line in statement.lines:
        amounts = (yuan(line.amount_fen), yuan(line.fee_fen), yuan(line.net_fen))
        yield _row((line.at.isoformat(), line.kind, line.reference, *amounts))


def _rest_fen(cleared: Statement) -> int:
    """Say what stayed payable after a run."""
    return cleared.held_fen if cleared.end_to_end else cleared.net_fen + cleared.carried_fen


# ── tills ────────────────────────────────────────────────────────────────────────────────────────


def _till_lines(market: Market, cleared: Statement) -> list[MerchantStatementLine]:
    from citycard.clearing.drilldown import Drill, partner_records

    drill = Drill(partner=cleared.partner, run=cleared.run)
    lines = []
    for record in partner_records(market.city, drill, limit=_MOST_RECORDS):
        parts = dict(record.parts)
        net_fen = parts.get(cleared.partner, 0)
        if not net_fen and not record.parts:
            continue
        mine = record.service == NUMBERS[SALE]
        fee = parts.get(market.settings.fees_partner, 0) if mine else 0
        lines.append(
            MerchantStatementLine(
                at=record.at,
                kind="till" if mine else "other",
                reference=record.id,
                amount_fen=net_fen + fee,
                fee_fen=fee,
                net_fen=net_fen,
            )
        )
    if cleared.fee_fen:
        # The city takes a clearing fee of its own from this kind of partner (``[clearing]``).
        at = max((line.at for line in lines), default=market.city.now_local())
        lines.append(
            MerchantStatementLine(
                at=at,
                kind="fee",
                reference=f"{_CLEARING}{cleared.run}",
                amount_fen=0,
                fee_fen=cleared.fee_fen,
                net_fen=-cleared.fee_fen,
            )
        )
    return lines


# ── the ledger ───────────────────────────────────────────────────────────────────────────────────


def _moved(market: Market, conn: Connection, cleared: Statement) -> tuple[list[PostedTransfer], int | None]:
    """Give what else moved before the run and after the one before that moved something, and that one."""
    ends = _first_of_run(market, conn, cleared.run)
    found = list(
        takewhile(lambda posted: not _other_run(posted, cleared.run), _walk(market, conn, cleared, ends))
    )
    last = next(_walk(market, conn, cleared, found[-1].posted_seq if found else ends), None)
    before = _run_of(last) if last is not None else None
    return [posted for posted in reversed(found) if posted.transfer.kind.moves], before


def _walk(
    market: Market, conn: Connection, cleared: Statement, before: int | None
) -> Iterator[PostedTransfer]:
    address = partner_payable(cleared.partner)
    while page := market.city.ledger.transfers_of(conn, address, limit=_PAGE, before=before):
        yield from page
        before = page[-1].posted_seq


def _first_of_run(market: Market, conn: Connection, run: int) -> int | None:
    """Give the number of the first transfer that a run posted, None when it posted nothing."""
    from citycard.clearing import statements_of
    from citycard.clearing.postings import spend_id, transfer_ids

    names = [one.partner for one in statements_of(market.city, run)]
    ids = [spend_id(run), *(each for name in names for each in transfer_ids(run, name).values())]
    return min((one.posted_seq for one in market.city.ledger.find(conn, ids).values()), default=None)


def _run_of(posted: PostedTransfer) -> int | None:
    number = posted.transfer.ref.removeprefix(_CLEARING)
    return int(number) if number != posted.transfer.ref and number.isdigit() else None


def _other_run(posted: PostedTransfer, run: int) -> bool:
    return _run_of(posted) not in {None, run}


def _given_back(conn: Connection, moved: list[PostedTransfer]) -> dict[str, GivenBack]:
    """Find what retail gave back, by reference: of a till's sale the ledger has the merchant's share."""
    found = {}
    for reference in {posted.transfer.ref for posted in moved}:
        if reference.startswith(_REFUND):
            known = find_given_back(conn, UUID(reference.removeprefix(_REFUND)))
            if known is not None:
                found[reference] = known
    return found


def _reference(conn: Connection, transfer: Transfer) -> str:
    """Say what a transfer is of: a captured hold is a payment of its own, as its fee says."""
    if transfer.code == TransferCode.HOLD_CAPTURED:
        paid = payment_named(conn, transfer.id)
        if paid is not None:
            return f"payment/{paid.id}"
    return transfer.ref or str(transfer.id)


def _ledger_lines(
    partner: str,
    moved: list[PostedTransfer],
    given: dict[str, GivenBack],
    references: dict[UUID, str],
) -> Iterator[MerchantStatementLine]:
    """Make a line of each sale and each return, with the fee that moved along with it."""
    address = partner_payable(partner)
    groups: dict[str, list[Transfer]] = {}
    for posted in moved:
        groups.setdefault(references[posted.transfer.id], []).append(posted.transfer)
    for reference, transfers in groups.items():
        amount_fen = fee = net_fen = 0
        kind = "fee" if all(one.code == TransferCode.FEE for one in transfers) else "other"
        for one in transfers:
            change_fen = one.amount_fen if one.credit_address == address else -one.amount_fen
            net_fen += change_fen
            if one.code == TransferCode.FEE:
                fee -= change_fen
            else:
                amount_fen += change_fen
                kind = _KINDS.get(TransferCode(one.code), kind) if one.code in _CODES else kind
        if reference in given:
            amount_fen, fee = -given[reference].amount_fen, -given[reference].fee_fen
        yield MerchantStatementLine(
            at=transfers[0].event_time,
            kind=kind,
            reference=reference,
            amount_fen=amount_fen,
            fee_fen=fee,
            net_fen=net_fen,
        )


_CODES = frozenset(int(code) for code in _KINDS)


def _row(fields: tuple[object, ...]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(fields)
    return written.getvalue()
