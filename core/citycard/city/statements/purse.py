"""A card's shadow in a period: what its account says, less what each clearing run took from the card."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import attrs

from citycard.city.statements.accounts import Passage, passage
from citycard.clearing.queries import CardTap, taps_of_runs
from citycard.clearing.spent import run_spends, spent_fen
from citycard.ledger.chart import Side
from citycard.ledger.history import number_at
from citycard.ledger.records import PostedTransfer
from citycard.wallet.addresses import card_purse

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from citycard.city.city import City
    from citycard.city.statements.records import Period

__all__ = ["Purse", "purse"]


@attrs.frozen(kw_only=True)
class Purse:
    """A card's shadow in a period: its way, what moved it oldest first, and the taps of each run among that.

    For each run ``moved`` has one transfer of what the run took from this card.
    """

    way: Passage
    moved: Sequence[PostedTransfer]
    taps: Mapping[int, Sequence[CardTap]]


def purse(conn: Connection, city: City, asn: str, period: Period) -> Purse | None:
    """Look at a card's shadow in a period; None when nothing ever came onto the card or was spent."""
    since, until = period.moments(city.timezone)
    first, last = number_at(conn, since), number_at(conn, until)
    runs = [(run, posted) for run, posted in run_spends(city, conn) if posted.posted_seq <= last]
    before = [run for run, posted in runs if posted.posted_seq <= first]
    opening_fen, closing_fen = (
        spent_fen(city.folder, conn, [asn], until=some[-1]).get(asn, 0) if some else 0
        for some in (before, [run for run, _ in runs])
    )
    way = passage(conn, city, card_purse(asn), period)
    if way is None:
        if not closing_fen:
            return None
        way = Passage(
            city=city,
            address=card_purse(asn),
            since=since,
            until=until,
            last=last,
            side=Side.CREDIT,
            opening_fen=0,
            closing_fen=0,
        )
    taps = _taps(city, asn, [run for run, _ in runs[len(before) :]]) if closing_fen != opening_fen else {}
    spends = [_taken(posted, asn, taps[run]) for run, posted in runs if run in taps]
    return Purse(
        way=attrs.evolve(
            way, opening_fen=way.opening_fen - opening_fen, closing_fen=way.closing_fen - closing_fen
        ),
        moved=sorted([*way.transfers(conn), *spends], key=lambda posted: posted.posted_seq),
        taps=taps,
    )


def _taps(city: City, asn: str, runs: Sequence[int]) -> Mapping[int, Sequence[CardTap]]:
    taps: dict[int, list[CardTap]] = defaultdict(list)
    for tap in taps_of_runs(city, asn, range(runs[0], runs[-1] + 1)):
        taps[tap.run].append(tap)
    return {run: found for run, found in taps.items() if any(tap.amount_fen for tap in found)}


def _taken(posted: PostedTransfer, asn: str, taps: Sequence[CardTap]) -> PostedTransfer:
    mine = attrs.evolve(
        posted.transfer,
        debit_address=card_purse(asn),
        amount_fen=sum(tap.amount_fen for tap in taps),
        event_time=max(tap.at for tap in taps),
    )
    return attrs.evolve(posted, transfer=mine)
