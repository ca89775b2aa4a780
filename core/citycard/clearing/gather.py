"""Gather what is known about the cards and terminals of a bucket, so that judging it can be pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property, partial
from itertools import groupby, pairwise
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, func, select

from citycard.card.enums import CardKind
from citycard.clearing.bucket import (
    NO_DAY,
    NO_TRIP,
    Bucket,
    Issuer,
    Known,
    Listing,
    Loads,
    States,
    TerminalStanding,
    foreign_records,
)
from citycard.clearing.columns import (
    ASN_SIZE,
    BUCKETS,
    PLACES,
    SLICES,
    Array,
    lie_in,
    packed,
    records_of,
    stored_records,
    whole,
)
from citycard.clearing.context import Worker
from citycard.clearing.files import literal, read_columns, read_named, read_tables
from citycard.clearing.keeping import asked_by, rows_of
from citycard.clearing.sequence import Gap
from citycard.clearing.settled import settled_of
from citycard.clearing.shadows import debited_purses, doubtful_cards, purses_of
from citycard.clearing.tables import clearing_part, gap, segment
from citycard.clearing.verify import mac_versions
from citycard.errors import ArchiveDamaged
from citycard.registry.cities import lists_held, other_cities
from citycard.registry.records import CardStatus, TerminalStatus
from citycard.registry.tables import blacklist, blacklist_list, card, card_status_change, sam, terminal
from citycard.store.bulk import columns_at, select_in
from citycard.wallet.addresses import city_payee
from citycard.wallet.load import LoadState
from citycard.wallet.tables import load

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["Reader", "read_bucket"]

_MAC_HOLDS = "mac_holds"
# What stands beside the bytes of records in segments. Those of before say nothing of MACs.
_READ = {
    "readable": np.bool_,
    "batch_terminal": np.int64,
    "batch_number": np.int64,
    "line": np.int32,
    _MAC_HOLDS: np.bool_,
}
# What states that were written before it was followed do not have.
_ADDED = (
    ("riding", NO_TRIP, pa.int32()),
    ("spent_day", NO_DAY, pa.int32()),
    ("spent_today_fen", 0, pa.int64()),
    ("day_whole", False, pa.bool_()),
    # Where a shadow is below zero, it was said then.
    ("short", True, pa.bool_()),
)
_CLOSED = frozenset({CardStatus.REPLACED.value, CardStatus.RETURNED.value})


def read_bucket(
    worker: Worker,
    number: int,
    segments: Sequence[Any],
    slices: range = range(SLICES),
    *,
    checked: set[str] | None = None,
) -> Bucket:
    """Read the records of one bucket from the segments that rows name; of none, when nothing new came in.

    Of a bucket with very many records only some slices are read. ``checked`` has the paths of those that
    need not be looked at again, and gets the others. Raise ArchiveDamaged for one that is not there, or has
    not the records that its row says.
    """
    honoured = mac_versions(worker.vault)
    read = [_read_segment(worker.folder, row, slices, honoured, checked) for row in segments]
    columns = {
        name: np.concatenate([np.zeros(0, kind), *(found[name] for _, found in read)])
        for name, kind in _READ.items()
    }
    days = np.array([row.business_date for row in segments], "datetime64[D]")
    return Bucket(
        number=number,
        slices=slices,
        records=records_of(b"".join(raws for raws, _ in read)),
        signer=columns.pop("batch_terminal"),
        batch=columns.pop("batch_number"),
        day=np.repeat(days, [len(found["line"]) for _, found in read]),
        **columns,
    )


def _read_segment(
    folder: Path, row: Any, slices: range, honoured: frozenset[int], checked: set[str] | None
) -> tuple[memoryview, dict[str, Array]]:
    """Read the bytes of records and what stands beside them; nothing else of the file stays in memory."""
    choose = partial(rows_of, slices=slices) if len(slices) < SLICES else None
    found = read_named(folder, row.path, ["raw", *_READ], choose, checked)
    if found.rows != row.records:
        raise ArchiveDamaged(path=folder / row.path)
    table, records = found.table, whole(stored_records(found.table["raw"]))
    # Who could change a file could say of any MAC that it holds: it is believed of what is as it was, and
    # while each key by which it may hold is honoured.
    believed = found.named and asked_by(table) <= honoured
    columns: dict[str, Array] = {name: np.zeros(len(records), kind) for name, kind in _READ.items()}
    for name in set(table.column_names) & columns.keys() - (set() if believed else {_MAC_HOLDS}):
        columns[name] = table[name].cast(pa.from_numpy_dtype(_READ[name])).to_numpy()
    if choose and not found.chosen:
        mine = np.flatnonzero(lie_in(slices, records[:, PLACES["asn"]]))
        records, columns = records.take(mine, axis=0), {name: one[mine] for name, one in columns.items()}
    # Rows that were chosen keep all that was read with them.
    return (records.copy() if found.chosen else records).data, columns


@attrs.frozen(kw_only=True)
class Reader:
    """Read what is known, in one transaction that sees one state of the store."""

    conn: Connection
    folder: Path
    timezone: ZoneInfo
    from_intake: int
    deferred: frozenset[int] = frozenset()
    #: Terminals hand in records of every bucket: each is asked for once.
    _met: dict[int, TerminalStanding] = attrs.field(factory=dict, init=False)
    #: Segments that were looked at: of a bucket that is cut each piece reads them all.
    checked: set[str] = attrs.field(factory=set, init=False)
    _debited: frozenset[str] = attrs.field(init=False)

    @_debited.default
    def _read_debited(self) -> frozenset[str]:
        return debited_purses(self.conn)

    @cached_property
    def _engine(self) -> DuckDBPyConnection:
        # To open one takes as long as to find the records of a bucket in it.
        import duckdb

        return duckdb.connect()

    def known(self, bucket: Bucket) -> Known:
        """Gather everything about one bucket."""
        asns, issuers = bucket.asns, self._issuers()
        gaps = self._gaps(asns)
        issued, test_cards, expires_on, closed_at = self._cards(asns)
        states, unseen = self._states(bucket)
        loads = self._loads(asns)
        doubtful = doubtful_cards(bucket, states, loads, issued, closed_at, self._debited)
        return Known(
            terminals=self._terminals(bucket),
            issued=issued,
            test_cards=test_cards,
            expires_on=expires_on,
            closed_at=closed_at,
            states=states,
            unseen=unseen,
            loads=loads,
            listings=self._listings(asns),
            gaps=gaps,
            issuers=issuers,
            deferred=self.deferred,
            earlier=self._earlier(bucket, states, gaps, issuers),
            settled=settled_of(self.conn, bucket),
            purses=purses_of(self.conn, doubtful),
        )

    def _terminals(self, bucket: Bucket) -> dict[int, TerminalStanding]:
        query = select(terminal.c.number, terminal.c.partner, terminal.c.status, sam.c.revoked_at)
        query = query.outerjoin(sam, sam.c.terminal == terminal.c.number)
        numbers = np.unique(np.r_[bucket.signer, bucket.terminal[bucket.readable]]).tolist()
        for number in np.unique(bucket.signer[bucket.from_city]).tolist():
            if number not in self._met:
                self._met[number] = self._city(f"{number:04d}")
        unmet = [f"{number:012d}" for number in numbers if number not in self._met]
        for row in select_in(self.conn, query, terminal.c.number, unmet):
            self._met[int(row.number)] = TerminalStanding(
                partner=row.partner,
                revoked=row.status == TerminalStatus.REVOKED.value,
                sam_revoked_at=self._local(row.revoked_at) if row.revoked_at else None,
            )
        return {number: self._met[number] for number in numbers if number in self._met}

    def _city(self, code: str) -> TerminalStanding:
        lists = lists_held(self.conn, code, "theirs")
        return TerminalStanding(partner=city_payee(code), revoked=False, lists=lists)

    def _issuers(self) -> list[Issuer]:
        return [
            Issuer(issuer, city.valid_from, city.valid_to)
            for city in other_cities(self.conn)
            for issuer in city.issuers
        ]

    def _cards(self, asns: Sequence[str]) -> tuple[Array, Array, Array, Array]:
        """Say which cards were issued, and which for tests; their last days, and from when one is closed."""
        columns = select(
            card.c.status != CardStatus.STOCK.value,
            card.c.kind == CardKind.TEST,
            card.c.expires_on,
            card.c.status.in_(sorted(_CLOSED)),
        )
        kinds = (pa.bool_(), pa.bool_(), pa.date32(), pa.bool_())
        places, issued, for_tests, days, shut = columns_at(self.conn, columns, card.c.asn, asns, kinds)
        at = places.to_numpy()
        was_issued, test_cards = np.zeros(len(asns), bool), np.zeros(len(asns), bool)
        was_issued[at], test_cards[at] = issued.to_numpy(), for_tests.to_numpy()
        expires_on = np.full(len(asns), np.datetime64("NaT", "D"))
        expires_on[at] = days.to_numpy()
        closed_at = np.full(len(asns), np.datetime64("NaT", "s"))
        closed = at[shut.to_numpy()].tolist()
        for place, moment in self._closings([asns[one] for one in closed]).items():
            closed_at[closed[place]] = moment
        return was_issued, test_cards, expires_on, closed_at

    def _closings(self, asns: Sequence[str]) -> dict[int, datetime]:
        # A card can be closed as one is made; then it has no change, and was closed for ever.
        changes = select(card_status_change.c.asn, func.max(card_status_change.c.at).label("at"))
        changes = changes.where(card_status_change.c.after.in_(_CLOSED)).group_by(card_status_change.c.asn)
        found = {
            row.asn: self._local(row.at)
            for row in select_in(self.conn, changes, card_status_change.c.asn, asns)
        }
        never = datetime.min  # noqa: DTZ901 - local time, as on cards
        return {place: found.get(asn, never) for place, asn in enumerate(asns)}

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

    def _loads(self, asns: Sequence[str]) -> Loads:
        proof = load.c.state == LoadState.PROVEN.value
        query = select(load.c.online_atc, load.c.amount_fen, proof, load.c.at)
        query = query.where(load.c.state != LoadState.REVERSED.value)
        kinds = (pa.int64(), pa.int64(), pa.bool_(), pa.timestamp("us"))
        places, online_atc, amount_fen, proven, at = columns_at(self.conn, query, load.c.asn, asns, kinds)
        card, counter = places.to_numpy(), online_atc.to_numpy()
        order = np.lexsort((counter, card))
        return Loads(
            card=card[order],
            online_atc=counter[order],
            amount_fen=amount_fen.to_numpy()[order],
            proven=proven.to_numpy()[order],
            at=at.to_numpy()[order].astype("datetime64[s]"),
        )

    def _gaps(self, asns: Sequence[str]) -> dict[str, list[Gap]]:
        query = select(gap).where(gap.c.kind == "card", gap.c.closed_run.is_(None))
        found: dict[str, list[Gap]] = defaultdict(list)
        for row in select_in(self.conn, query, gap.c.owner, asns):
            found[row.owner].append(Gap(row.from_no, row.to_no, row.estimate_fen))
        for gaps in found.values():
            gaps.sort(key=lambda one: one.first)
        return found

    def _states(self, bucket: Bucket) -> tuple[States, pa.Table | None]:
        """Give where the cards of the bucket stand, and the states of those that are not in it."""
        states = States.new(len(bucket.asns))
        table = read_tables(self.folder, self._last_parts(bucket))
        if table is None:
            return states, None
        if len(bucket.slices) < SLICES:
            asns = packed(table["asn"].combine_chunks(), ASN_SIZE)
            table = table.filter(pa.array(lie_in(bucket.slices, asns)))
        places = pc.index_in(pa.array(bucket.asns, pa.string()), table["asn"].combine_chunks())
        found = np.flatnonzero(places.is_valid())
        rows = places.drop_null().to_numpy()
        for name, unknown, kind in _ADDED:
            if name not in table.column_names:
                table = table.append_column(name, pa.array(np.full(table.num_rows, unknown), kind))
        for name in attrs.fields_dict(States):
            getattr(states, name)[found] = table[name].to_numpy()[rows]
        others = np.ones(table.num_rows, bool)
        others[rows] = False
        # All of the bucket, not only today's cards: the run writes the whole bucket's states again.
        return states, table.filter(pa.array(others))

    def _last_parts(self, bucket: Bucket) -> list[str]:
        """Give where the states of these cards were written last, however the bucket was cut then."""
        mine = clearing_part.c.share % BUCKETS == bucket.number
        last = select(func.max(clearing_part.c.run)).where(mine).scalar_subquery()
        rows = select(clearing_part.c.share, clearing_part.c.cards).where(mine, clearing_part.c.run == last)
        parts = self.conn.execute(rows.order_by(clearing_part.c.share)).all()
        firsts = [*(part.share // BUCKETS for part in parts), SLICES]
        return [
            part.cards
            for part, (first, after) in zip(parts, pairwise(firsts), strict=True)
            if first < bucket.slices.stop and bucket.slices.start < after
        ]

    def _earlier(
        self,
        bucket: Bucket,
        states: States,
        gaps: Mapping[str, list[Gap]],
        issuers: Sequence[Issuer],
    ) -> dict[str, dict[int, frozenset[bytes]]]:
        """Find the earlier records that new ones might repeat: those whose counter the card has passed.

        How far a card of another city has come is not known here.
        """
        counter = bucket.counter
        foreign = foreign_records(bucket, issuers)
        passed = np.flatnonzero((counter <= states.counter[bucket.card]) | foreign)
        suspects = {
            (bucket.asns[one], number)
            for one, number in zip(bucket.card[passed].tolist(), counter[passed].tolist(), strict=True)
            if not any(gap.first <= number <= gap.last for gap in gaps.get(bucket.asns[one], ()))
        }
        paths = self.conn.scalars(
            select(segment.c.path).where(
                segment.c.bucket == bucket.number, segment.c.intake <= self.from_intake
            )
        ).all()
        found: dict[str, dict[int, set[bytes]]] = defaultdict(lambda: defaultdict(set))
        if suspects and paths:
            files = [self.folder / path for path in paths]
            for asn, number, raw in _search(self._engine, files, sorted(suspects)):
                found[asn][number].add(raw)
        return {
            asn: {number: frozenset(raws) for number, raws in numbers.items()}
            for asn, numbers in found.items()
        }


def _search(
    engine: DuckDBPyConnection, paths: list[Path], suspects: list[tuple[str, int]]
) -> list[tuple[str, int, bytes]]:
    """Give the bytes of records by their cards and counters: only of files that have one, they are long."""
    wanted = pa.table({"asn": [asn for asn, _ in suspects], "counter": [counter for _, counter in suspects]})
    engine.register("wanted", wanted)
    found = engine.execute(
        "SELECT filename, file_row_number, asn, counter"
        " FROM read_parquet($paths, hive_partitioning = false, filename = true, file_row_number = true)"
        " JOIN wanted USING (asn, counter) WHERE readable ORDER BY ALL",
        {"paths": [literal(path) for path in paths]},
    ).fetchall()
    rows: list[tuple[str, int, bytes]] = []
    for name, group in groupby(found, key=itemgetter(0)):
        raws = read_columns(Path(name), ["raw"])["raw"]
        rows += [(asn, counter, raws[place].as_py()) for _, place, asn, counter in group]
    return rows
