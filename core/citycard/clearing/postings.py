"""Turn a run into transfers: out of the purses into the window, out of the window to the partners.

Ids follow from run, kind and party, so that posting a run again finds its own transfers. The control account
``control/window`` is the hinge: what goes in comes out, and it stands at zero after every run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Connection

from citycard.clearing.reports import PartnerTotal
from citycard.ids import derived_id
from citycard.ledger.chart import AccountCode, TransferCode
from citycard.ledger.ledger import Ledger
from citycard.ledger.records import AccountSpec, Transfer
from citycard.wallet.addresses import (
    CONTROL_WINDOW,
    INCOME_CLEARING_FEE,
    TRANSIT_SETTLEMENT,
    card_purse,
    partner_payable,
)

__all__ = ["post_run", "transfer_ids"]


def transfer_ids(run: int, partner: str) -> dict[str, UUID]:
    """Give the ids of a run's transfers for one partner, by kind."""
    return {kind: derived_id("clearing", run, kind, partner) for kind in ("payable", "fee", "settlement")}


def post_run(
    conn: Connection,
    ledger: Ledger,
    run: int,
    spends: Mapping[str, tuple[int, datetime]],
    partners: Sequence[PartnerTotal],
    *,
    at: datetime,
    business_date: date,
) -> None:
    """Open the accounts that are missing and post every transfer of a run; the window then stands at zero.

    ``spends`` gives the accepted fen of each card with the time of its last tap. A card's shadow is never
    refused: the money is gone from the card.
    """
    specs = [AccountSpec(address=card_purse(asn), code=AccountCode.CARD_FLOAT, owner=asn) for asn in spends]
    specs += [
        AccountSpec(
            address=partner_payable(total.partner), code=AccountCode.PAYABLE_TO_PARTNERS, owner=total.partner
        )
        for total in partners
    ]
    specs += [
        AccountSpec(address=CONTROL_WINDOW, code=AccountCode.WINDOW_NET),
        AccountSpec(address=INCOME_CLEARING_FEE, code=AccountCode.FEES),
        AccountSpec(address=TRANSIT_SETTLEMENT, code=AccountCode.SETTLEMENT_IN_TRANSIT),
    ]
    ledger.open_accounts(conn, specs)
    transfers = [
        Transfer(
            id=derived_id("clearing", run, "spend", asn),
            debit_address=card_purse(asn),
            credit_address=CONTROL_WINDOW,
            amount_fen=amount_fen,
            code=TransferCode.SPEND,
            event_time=last,
            business_date=business_date,
            ref=f"clearing/{run}",
        )
        for asn, (amount_fen, last) in sorted(spends.items())
    ]
    for total in partners:
        transfers += _partner_transfers(run, total, at, business_date)
    ledger.post_all(conn, transfers)
    assert ledger.balance_fen(conn, CONTROL_WINDOW) == 0


def _partner_transfers(run: int, total: PartnerTotal, at: datetime, business_date: date) -> list[Transfer]:
    payable, ids = partner_payable(total.partner), transfer_ids(run, total.partner)
    moves = (
        ("payable", CONTROL_WINDOW, payable, total.gross_fen, TransferCode.PAYABLE),
        ("fee", payable, INCOME_CLEARING_FEE, total.fee_fen, TransferCode.FEE),
        ("settlement", payable, TRANSIT_SETTLEMENT, total.paid_fen, TransferCode.SETTLEMENT),
    )
    return [
        Transfer(
            id=ids[kind],
            debit_address=debit,
            credit_address=credit,
            amount_fen=amount_fen,
            code=code,
            event_time=at,
            business_date=business_date,
            ref=f"clearing/{run}",
        )
        for kind, debit, credit, amount_fen, code in moves
        if amount_fen
    ]
