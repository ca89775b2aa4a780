"""What clearing took from each card. In the ledger it is one sum of all cards: ``cards/spent``.

A card's shadow is what its purse account holds less what the card spent. A run writes what cards spent beside
their states, in files that its rows name: so the sum in the ledger and its parts change together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, select

from citycard.clearing.columns import BUCKETS, bucket_of
from citycard.clearing.postings import spend_id
from citycard.clearing.tables import clearing_part, clearing_run
from citycard.errors import AccountMissing
from citycard.ledger.chart import AccountCode
from citycard.ledger.records import PostedTransfer
from citycard.ledger.tables import account, balance
from citycard.wallet.addresses import card_purse

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from citycard.clearing.context import ClearingContext
    from citycard.ledger.ledger import Ledger

__all__ = ["lowest_shadows", "purse_fen", "run_spends", "spent_fen"]


def purse_fen(ledger: Ledger, folder: Path, conn: Connection, asn: str) -> int:
    """Return a card's shadow: what ought to be on the card, or was when it was given up; 0 when unknown."""
    try:
        held_fen = ledger.balance_fen(conn, card_purse(asn))
    except AccountMissing:
        held_fen = 0
    return held_fen - spent_fen(folder, conn, [asn]).get(asn, 0)


def spent_fen(
    folder: Path, conn: Connection, asns: Sequence[str], *, until: int | None = None
) -> dict[str, int]:
    """Return what cards spent, those that spent anything, up to a run (included) or up to now."""
    found: dict[str, int] = {}
    buckets = sorted({bucket_of(asn) for asn in asns})
    for table in _states(folder, conn, buckets, until):
        found |= _of(table, asns)
    return found


def lowest_shadows(
    folder: Path, conn: Connection, *, below_fen: int | None, limit: int
) -> list[tuple[str, int]]:
    """Give the lowest shadows of all cards with their ASN; only those below a sum, where one is given."""
    import duckdb
    import pyarrow as pa
    import pyarrow.compute as pc

    purses = (account.c.code == int(AccountCode.CARD_FLOAT)) & (account.c.owner != "")
    held = select(account.c.owner, balance.c.cr_posted_fen - balance.c.dr_posted_fen).where(purses)
    rows = conn.execute(held.join(balance, balance.c.account_id == account.c.id)).all()
    names = pa.array([row[0] for row in rows], pa.string())
    moved = [pa.table({"asn": names, "fen": pa.array([int(row[1]) for row in rows], pa.int64())})]
    moved += [
        pa.table({"asn": table["asn"], "fen": pc.negate(table["spent_fen"])})
        for table in _states(folder, conn, None, None)
    ]
    with duckdb.connect() as engine:
        engine.register("moved", pa.concat_tables(moved))
        found: list[tuple[str, int]] = engine.execute(
            "SELECT asn, sum(fen)::BIGINT AS shadow_fen FROM moved GROUP BY asn"
            " HAVING $below IS NULL OR shadow_fen < $below ORDER BY shadow_fen, asn LIMIT $limit",
            {"below": below_fen, "limit": limit},
        ).fetchall()
    return found


def run_spends(context: ClearingContext, conn: Connection) -> list[tuple[int, PostedTransfer]]:
    """Give each closed run that took anything from cards, in order, and its transfer of that."""
    closed = select(clearing_run.c.number).where(clearing_run.c.state == "closed")
    runs = {spend_id(run): run for run in conn.scalars(closed.order_by(clearing_run.c.number))}
    posted = context.ledger.find(conn, list(runs))
    return [(run, posted[identity]) for identity, run in runs.items() if identity in posted]


def _states(
    folder: Path, conn: Connection, buckets: Sequence[int] | None, until: int | None
) -> Iterator[pa.Table]:
    from citycard.clearing.files import read_columns

    bucket = clearing_part.c.share % BUCKETS
    newest = select(bucket.label("bucket"), func.max(clearing_part.c.run).label("run"))
    if buckets is not None:
        newest = newest.where(bucket.in_(buckets))
    if until is not None:
        newest = newest.where(clearing_part.c.run <= until)
    last = newest.group_by(bucket).subquery()
    same = (bucket == last.c.bucket) & (clearing_part.c.run == last.c.run)
    for path in conn.scalars(
        select(clearing_part.c.cards).join(last, same).order_by(clearing_part.c.share)
    ).all():
        yield read_columns(folder / path, ["asn", "spent_fen"])


def _of(table: pa.Table, asns: Sequence[str]) -> dict[str, int]:
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = table.filter(pc.is_in(table["asn"], value_set=pa.array(asns, pa.string())))
    return dict(zip(rows["asn"].to_pylist(), rows["spent_fen"].to_pylist(), strict=True))
