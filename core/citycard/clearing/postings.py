"""Turn a run into transfers: from what is on cards into the window, out of the window to the partners.

Ids follow from run, kind and party, so that posting a run again finds its own transfers. The control account
``control/window`` is the hinge: what goes in comes out, and it stands at zero after every run.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Connection

from citycard.clearing.reports import PartnerTotal
from citycard.ids import derived_id
from citycard.ledger.chart import AccountCode, TransferCode
from citycard.ledger.ledger import Ledger
from citycard.ledger.records import AccountSpec, Transfer
from citycard.wallet.addresses import (
    CARDS_SPENT,
    CITY_PREFIX,
    CONTROL_WINDOW,
    INCOME_CLEARING_FEE,
    TRANSIT_SETTLEMENT,
    payable_of,
)

__all__ = ["post_run", "spend_id", "transfer_ids"]


def spend_id(run: int) -> UUID:
    """Give the id of the transfer of all that a run accepted of cards."""
    return derived_id("clearing", run, "spend")


def transfer_ids(run: int, partner: str) -> dict[str, UUID]:
    """Give the ids of a run's transfers for one partner, by kind."""
    return {kind: derived_id("clearing", run, kind, partner) for kind in ("payable", "fee", "settlement")}


def post_run(
    conn: Connection,
    ledger: Ledger,
    run: int,
    spent_fen: int,
    partners: Sequence[PartnerTotal],
    *,
    at: datetime,
    business_date: date,
) -> None:
    """Open the accounts that are missing and post every transfer of a run; the window then stands at zero.

    ``spent_fen`` is what all cards spent, one transfer that is never refused: the money is gone from them.
    How much each card spent is kept with its state (``spent``).
    """
    specs = [
        AccountSpec(address=payable_of(total.partner), code=_payable_code(total.partner), owner=total.partner)
        for total in partners
    ]
    specs += [
        AccountSpec(address=CARDS_SPENT, code=AccountCode.CARD_FLOAT),
        AccountSpec(address=CONTROL_WINDOW, code=AccountCode.WINDOW_NET),
        AccountSpec(address=INCOME_CLEARING_FEE, code=AccountCode.FEES),
        AccountSpec(address=TRANSIT_SETTLEMENT, code=AccountCode.SETTLEMENT_IN_TRANSIT),
    ]
    ledger.open_accounts(conn, specs)
    moves = [(spend_id(run), CARDS_SPENT, CONTROL_WINDOW, spent_fen, TransferCode.SPEND)]
    for total in partners:
        moves += _partner_moves(run, total)
    ledger.post_all(
        conn,
        [
            Transfer(
                id=identity,
                debit_address=debit,
                credit_address=credit,
                amount_fen=amount_fen,
                code=code,
                event_time=at,
                business_date=business_date,
                ref=f"clearing/{run}",
            )
            for identity, debit, credit, amount_fen, code in moves
            if amount_fen
        ],
    )
    assert ledger.balance_fen(conn, CONTROL_WINDOW) == 0


def _payable_code(payee: str) -> AccountCode:
    other_city = payee.startswith(CITY_PREFIX)
    return AccountCode.PAYABLE_TO_OTHER_CITIES if other_city else AccountCode.PAYABLE_TO_PARTNERS


def _partner_moves(run: int, total: PartnerTotal) -> list[tuple[UUID, str, str, int, TransferCode]]:
    payable, ids = payable_of(total.partner), transfer_ids(run, total.partner)
    return [
        (ids["payable"], CONTROL_WINDOW, payable, total.gross_fen, TransferCode.PAYABLE),
        (ids["fee"], payable, INCOME_CLEARING_FEE, total.fee_fen, TransferCode.FEE),
        (ids["settlement"], payable, TRANSIT_SETTLEMENT, total.paid_fen, TransferCode.SETTLEMENT),
    ]
