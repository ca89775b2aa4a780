"""Loads of which a terminal may have lost its note: the desk has written it all down."""

from __future__ import annotations

from citycard.card.files import TransactionType
from citycard.terminal.journal import TornDebit
from citycard.terminal.record import RecordPlan
from citycard.terminal.views import CardView
from citycard.wallet.load import Load

__all__ = ["torn_load"]


def torn_load(known: Load, card: CardView) -> TornDebit:
    """Make the note that a terminal would have kept of a load onto an opened card."""
    return TornDebit(
        asn=known.asn,
        issuer=card.issuer,
        card_kind=card.card_kind,
        counter=known.online_atc,
        balance_before_fen=known.balance_before_fen,
        amount_fen=known.amount_fen,
        tti=int(TransactionType.LOAD),
        serial=0,
        key_version=known.key_version,
        algorithm=0,
        terminal=known.terminal,
        at=known.at,
        plan=RecordPlan(),
    )
