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
    bucket: Bucket, states: States, loads: Loads, issued: Array, closed_at: Array, debited: Iterable[str]
) -> list[str]:
    """Give the cards whose loads may not cover what they spent with this run, or that gave money back."""
    count = len(bucket.asns)
    loaded_fen = np.zeros(count, np.int64)
    np.add.at(loaded_fen, loads.card, loads.amount_fen)
    np.subtract.at(loaded_fen, bucket.card, bucket.amount_fen)
    doubtful = (loaded_fen < states.spent_fen) | ~np.isnat(closed_at)
    gave = frozenset(debited)
    if gave:
        doubtful |= np.array([card_purse(asn) in gave for asn in bucket.asns], bool)
    return [bucket.asns[one] for one in np.flatnonzero(doubtful & issued).tolist()]


def purses_of(conn: Connection, asns: Iterable[str]) -> dict[str, int]:
    """Give what the purses of cards hold, in fen; one that was never opened holds nothing."""
    found = dict.fromkeys(asns, 0)
    held_fen = (balance.c.cr_posted_fen - balance.c.dr_posted_fen).label("held_fen")
    query = select(account.c.owner, held_fen).join(balance, balance.c.account_id == account.c.id)
    addresses = [card_purse(asn) for asn in found]
    found |= {row.owner: int(row.held_fen) for row in select_in(conn, query, account.c.address, addresses)}
    return found


def note_shadows(bucket: Bucket, verdicts: Verdicts, known: Known) -> None:
    """Note C04 on each accepted debit with which its card's shadow went below zero."""
    if not known.purses:
        return
    held_fen, asked = np.zeros(len(bucket.asns), np.int64), np.zeros(len(bucket.asns), bool)
    for place, asn in enumerate(bucket.asns):
        if asn in known.purses:
            held_fen[place], asked[place] = known.purses[asn], True
    order = bucket.by_card
    places = order[ACCEPTED[verdicts.final()][order] & asked[bucket.card[order]]]
    card, amount_fen = bucket.card[places], bucket.amount_fen[places]
    paid_fen = np.cumsum(amount_fen)
    begins = np.flatnonzero(np.diff(card, prepend=-1))
    earlier_fen = np.repeat((paid_fen - amount_fen)[begins], np.diff(np.r_[begins, len(card)]))
    left_fen = held_fen[card] - known.states.spent_fen[card] - (paid_fen - earlier_fen)
    verdicts.decide(places[(left_fen < 0) & (left_fen + amount_fen >= 0)], Code.C04)
