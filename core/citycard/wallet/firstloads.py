"""The first loads of very many new cards, paid in cash at the city's counter: one posting for all of them."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
from sqlalchemy import Connection

from citycard.ids import derived_hex
from citycard.ledger.firsts import Firsts, posted_firsts
from citycard.ledger.ledger import Ledger
from citycard.store.bulk import insert_from
from citycard.wallet.addresses import card_purse
from citycard.wallet.load import Load, LoadMoney, LoadState
from citycard.wallet.loadbook import LOAD_COLUMNS, plain
from citycard.wallet.loadmoney import load_transfer, purse_account
from citycard.wallet.payer import PayerKind
from citycard.wallet.tables import load

__all__ = ["keep_firsts"]


def keep_firsts(
    conn: Connection, ledger: Ledger, like: Load, asns: Sequence[str], amounts_fen: Sequence[int]
) -> None:
    """Write proven loads like one, each on its card and of its amount, and take their money.

    A card that has a purse account is an error of the database.
    """
    assert like.state is LoadState.PROVEN
    assert like.payer.kind is PayerKind.CASH
    taken = attrs.evolve(like, money=LoadMoney.TAKEN)
    at, mac1 = str(like.at), like.mac1
    ledger.open_accounts(conn, [like.payer.account])
    firsts = Firsts(
        account=purse_account(like),
        transfer=load_transfer(like),
        ids=[derived_hex("load", asn, like.online_atc, mac1, like.terminal, at) for asn in asns],
        addresses=[card_purse(asn) for asn in asns],
        owners=asns,
        amounts_fen=amounts_fen,
    )
    with posted_firsts(conn, firsts, now=ledger.clock.now()) as arrived:
        same = {name: plain(getattr(taken, name)) for name in LOAD_COLUMNS}
        new = {"id": arrived.c.id, "asn": arrived.c.owner, "amount_fen": arrived.c.amount_fen}
        insert_from(conn, load, arrived.c.id, **same | new)
