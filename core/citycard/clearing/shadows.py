"""Find debits that took a card's shadow below zero: the city never put that money on the card (C04).

It is asked only of cards that may come to that. Whatever was loaded onto a card is known of all of them, so
that most are known to have enough without looking into the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from sqlalchemy import Connection, select

from citycard.clearing.bucket import Bucket, Known, Loads, States
from citycard.clearing.casetables import clearing_adjustment
from citycard.clearing.codes import Code
from citycard.clearing.columns import Array
from citycard.clearing.verdicts import ACCEPTED, Verdicts
from citycard.ledger.tables import account, balance
from citycard.store.bulk import select_in
from citycard.wallet.addresses import card_purse

__all__ = ["debited_purses", "doubtful_cards", "note_shadows", "purses_of"]


def debited_purses(conn: Connection) -> frozenset[str]:
    """Give the addresses of the purses from which people's decisions took something."""
    debit = clearing_adjustment.c.debit
    return frozenset(conn.scalars(select(debit).where(debit.startswith("card/")).distinct()))


def doubtful_cards(
    bucket: Bucket, states: States, loads: Loads, issued: Array, closed_at: Array, debited: frozenset[str]
) -> list[str]:
    """Give the cards whose proven loads may not cover all that they spent, or that gave money back."""
    loaded_fen = np.zeros(len(bucket.asns), np.int64)
    np.add.at(loaded_fen, loads.card[loads.proven], loads.amount_fen[loads.proven])
    np.subtract.at(loaded_fen, bucket.card, bucket.amount_fen)
    doubtful = (loaded_fen < states.spent_fen) | ~np.isnat(closed_at)
    if debited:
        doubtful |= np.array([card_purse(asn) in debited for asn in bucket.asns], bool)
    return [bucket.asns[one] for one in np.flatnonzero(doubtful & issued).tolist()]


def purses_of(conn: Connection, asns: Iterable[str]) -> dict[str, int]:
    """Give what the purses of cards hold, in fen; one that was never opened holds nothing."""
    found = dict.fromkeys(asns, 0)
    held_fen = (balance.c.cr_posted_fen - balance.c.dr_posted_fen).label("held_fen")
    query = select(account.c.owner, held_fen).join(balance, balance.c.account_id == account.c.id)
    addresses = [card_purse(asn) for asn in found]
    found |= {row.owner: int(row.held_fen) for row in select_in(conn, query, account.c.address, addresses)}
    return found


def note_shadows(bucket: Bucket, verdicts: Verdicts, known: Known, short: Array) -> None:
    """Note C04 on each accepted debit with which its card's shadow went below zero.

    ``short`` says of each card whether that was said while its shadow was not up again, and is kept so. A
    load that was only begun counts while it may be on the card. One that is taken back takes the shadow below
    zero without a debit: then C04 is noted on the card's next one.
    """
    count, loads = len(bucket.asns), known.loads
    held_fen, asked = np.zeros(count, np.int64), np.zeros(count, bool)
    for place, asn in enumerate(bucket.asns if known.purses else ()):
        if asn in known.purses:
            held_fen[place], asked[place] = known.purses[asn], True
    begun = ~loads.proven
    np.add.at(held_fen, loads.card[begun], loads.amount_fen[begun])
    order = bucket.by_card
    places = order[ACCEPTED[verdicts.final()][order] & asked[bucket.card[order]]]
    card, amount_fen = bucket.card[places], bucket.amount_fen[places]
    paid_fen = np.cumsum(amount_fen)
    begins = np.diff(card, prepend=-1) != 0
    firsts = np.flatnonzero(begins)
    earlier_fen = np.repeat((paid_fen - amount_fen)[firsts], np.diff(np.r_[firsts, len(card)]))
    before_fen = held_fen - known.states.spent_fen
    left_fen = before_fen[card] - (paid_fen - earlier_fen)
    said = (left_fen < 0) & ((left_fen + amount_fen >= 0) | (begins & ~short[card]))
    verdicts.decide(places[said], Code.C04)
    short[card[said]] = True
    np.subtract.at(before_fen, card, amount_fen)
    short &= asked & (before_fen < 0)
