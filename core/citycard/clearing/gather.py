"""Gather what is known about the cards and terminals of a bucket, so that judging it can be pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import attrs
from sqlalchemy import Connection, func, select

from citycard.clearing.bucket import Bucket, Known, Listing, TerminalStanding
from citycard.clearing.sequence import CardState, Gap, SpentLoad
from citycard.clearing.tables import clearing_part, gap, segment
from citycard.registry.records import CardStatus, TerminalStatus
from citycard.registry.tables import blacklist, blacklist_list, card, card_status_change, sam, terminal
from citycard.store.bulk import select_in
from citycard.wallet.load import LoadState
from citycard.wallet.tables import load

__all__ = ["Reader", "read_bucket"]

_CLOSED = frozenset({CardStatus.REPLACED.value, CardStatus.RETURNED.value})


def read_bucket(folder: Path, number: int, segments: Iterable[Any]) -> Bucket:
    """Read the records of one bucket from the segments that rows name."""
    from citycard.clearing.files import read_tables

    rows = list(segments)
    tables = []
    for row in rows:
        table = read_tables(folder, [row.path])
        assert table is not None
        assert table.num_rows == row.records
        tables.append(table.to_pydict() | {"business_date": [row.business_date] * table.num_rows})
    names = tables[0].keys()
    return Bucket(
        number=number, columns={name: [v for table in tables for v in table[name]] for name in names}
    )


@attrs.frozen(kw_only=True)
class Reader:
    """Read what is known, in one transaction that sees one state of the store."""

    conn: Connection
    folder: Path
    timezone: ZoneInfo
    from_intake: int

    def known(self, bucket: Bucket) -> Known:
        """Gather everything about one bucket."""
        asns = sorted({asn for asn in bucket.columns["asn"] if len(asn) == 20 and asn.isdigit()})  # noqa: PLR2004
        states = self._states(bucket.number)
        gaps = self._gaps(asns)
        return Known(
            terminals=self._terminals(bucket),
            cards=self._cards(asns),
            listings=self._listings(asns),
            states=states,
            gaps=gaps,
            loads=self._loads(asns),
            earlier=self._earlier(bucket, states, gaps),
        )

    def _terminals(self, bucket: Bucket) -> dict[str, TerminalStanding]:
        query = select(terminal.c.number, terminal.c.partner, terminal.c.status, sam.c.revoked_at)
        query = query.outerjoin(sam, sam.c.terminal == terminal.c.number)
        numbers = sorted({*bucket.columns["batch_terminal"], *bucket.columns["terminal"]})
        return {
            row.number: TerminalStanding(
                partner=row.partner,
                revoked=row.status == TerminalStatus.REVOKED.value,
                sam_revoked_at=self._local(row.revoked_at) if row.revoked_at else None,
            )
            for row in select_in(self.conn, query, terminal.c.number, numbers)
        }

    def _cards(self, asns: Sequence[str]) -> dict[str, datetime | None]:
        rows = list(select_in(self.conn, select(card.c.asn, card.c.status), card.c.asn, asns))
        closed = self._closings([row.asn for row in rows if row.status in _CLOSED])
        return {row.asn: closed.get(row.asn) for row in rows if row.status != CardStatus.STOCK.value}

    def _closings(self, asns: Sequence[str]) -> dict[str, datetime]:
        # A card can be closed as one is made; then it has no change, and was closed for ever.
        changes = select(card_status_change.c.asn, func.max(card_status_change.c.at).label("at"))
        changes = changes.where(card_status_change.c.after.in_(_CLOSED)).group_by(card_status_change.c.asn)
        found = {
            row.asn: self._local(row.at)
            for row in select_in(self.conn, changes, card_status_change.c.asn, asns)
        }
        return {asn: found.get(asn, datetime.min) for asn in asns}  # noqa: DTZ901 - local time, as on cards

    def _listings(self, asns: Sequence[str]) -> dict[str, list[Listing]]:
        query = select(blacklist, blacklist_list.c.published_at).join(
            blacklist_list, blacklist_list.c.number == blacklist.c.added_in
        )
        found: dict[str, list[Listing]] = defaultdict(list)
        for row in select_in(self.conn, query, blacklist.c.asn, asns):
            found[row.asn].append(Listing(row.added_in, row.removed_in, self._local(row.published_at)))
        return found

    def _local(self, moment: datetime) -> datetime:
        return moment.astimezone(self.timezone).replace(tzinfo=None)

    def _loads(self, asns: Sequence[str]) -> dict[str, list[SpentLoad]]:
        query = select(load.c.asn, load.c.online_atc, load.c.amount_fen, load.c.state, load.c.at)
        query = query.where(load.c.state != LoadState.REVERSED.value)
        found: dict[str, list[SpentLoad]] = defaultdict(list)
        for row in select_in(self.conn, query, load.c.asn, asns):
            proven = row.state == LoadState.PROVEN.value
            found[row.asn].append(SpentLoad(row.online_atc, row.amount_fen, proven, row.at))
        for loads in found.values():
            loads.sort(key=lambda one: one.online_atc)
        return found

    def _gaps(self, asns: Sequence[str]) -> dict[str, list[Gap]]:
        query = select(gap).where(gap.c.kind == "card", gap.c.closed_run.is_(None))
        found: dict[str, list[Gap]] = defaultdict(list)
        for row in select_in(self.conn, query, gap.c.owner, asns):
            found[row.owner].append(Gap(row.from_no, row.to_no, row.estimate_fen))
        for gaps in found.values():
            gaps.sort(key=lambda one: one.first)
        return found

    def _states(self, number: int) -> dict[str, CardState]:
        from citycard.clearing.files import read_tables

        latest = (
            select(clearing_part.c.cards)
            .where(clearing_part.c.bucket == number)
            .order_by(clearing_part.c.run.desc())
            .limit(1)
        )
        table = read_tables(self.folder, self.conn.scalars(latest).all())
        if table is None:
            return {}
        columns = table.to_pydict()
        rows = zip(
            columns["asn"], columns["counter"], columns["balance_fen"], columns["online_atc"], strict=True
        )
        # All of the bucket, not only today's cards: the run writes the whole bucket's states again.
        return {asn: CardState(counter, balance_fen, atc) for asn, counter, balance_fen, atc in rows}

    def _earlier(
        self, bucket: Bucket, states: Mapping[str, CardState], gaps: Mapping[str, list[Gap]]
    ) -> dict[str, dict[int, frozenset[bytes]]]:
        """Find the earlier records that new ones might repeat: those whose counter the card has passed."""
        suspects = {
            (asn, counter)
            for asn, counter in zip(bucket.columns["asn"], bucket.columns["counter"], strict=True)
            if asn in states
            and counter <= states[asn].counter
            and not any(one.first <= counter <= one.last for one in gaps.get(asn, ()))
        }
        paths = self.conn.scalars(
            select(segment.c.path).where(
                segment.c.bucket == bucket.number, segment.c.intake <= self.from_intake
            )
        ).all()
        found: dict[str, dict[int, set[bytes]]] = defaultdict(lambda: defaultdict(set))
        if suspects and paths:
            for asn, counter, raw in _search([self.folder / path for path in paths], sorted(suspects)):
                found[asn][counter].add(raw)
        return {
            asn: {counter: frozenset(raws) for counter, raws in counters.items()}
            for asn, counters in found.items()
        }


def _search(paths: list[Path], suspects: list[tuple[str, int]]) -> list[tuple[str, int, bytes]]:
    import duckdb
    import pyarrow as pa

    from citycard.clearing.files import literal

    wanted = pa.table({"asn": [asn for asn, _ in suspects], "counter": [counter for _, counter in suspects]})
    with duckdb.connect() as engine:
        engine.register("wanted", wanted)
        rows: list[tuple[str, int, bytes]] = engine.execute(
            "SELECT asn, counter, raw FROM read_parquet($paths, hive_partitioning = false)"
            " JOIN wanted USING (asn, counter) WHERE readable",
            {"paths": [literal(path) for path in paths]},
        ).fetchall()
    return rows
