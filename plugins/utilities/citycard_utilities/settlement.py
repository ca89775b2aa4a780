"""What a clearing run settled with a biller, bill by bill, held against clearing's statement and the ledger.

The ledger's account of what the biller is owed is walked from the settlement before to this one. Each of its
movements is explained by receipts, credit sold, or money that went back; what nothing here explains stands
there as ``other``, with its reference, so that the sum is always the ledger's.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, select

from citycard.errors import AccountMissing, Phrase, RunUnknown, StatementUnknown
from citycard.ledger import PostedTransfer, TransferCode
from citycard.store import reading
from citycard.store.bulk import select_in
from citycard.wallet import partner_payable
from citycard_utilities.errors import SettlementMissing
from citycard_utilities.receipts import CARD
from citycard_utilities.settings import UtilitySettings
from citycard_utilities.tables import meter_credit, receipt, returned

if TYPE_CHECKING:
    from citycard.city import City
    from citycard.clearing.statements import Statement

__all__ = ["Item", "Settlement", "settlement_of"]

PREPAID, BACK, OTHER = "prepaid", "back", "other"
_PAGE = 5000


@attrs.frozen(kw_only=True)
class Item:
    """One line of what was settled: ``amount_fen`` is what the biller got, negative for what went back.

    ``applied_fen`` paid the bill, of it ``late_fen`` for being late; ``over_fen`` is kept for the
    household's next bill, or waits for its bill or for its way back.
    """

    what: str
    reference: str
    bill: str
    household: str
    at: dt.datetime
    amount_fen: int
    applied_fen: int = 0
    late_fen: int = 0
    over_fen: int = 0


@attrs.frozen(kw_only=True)
class Settlement:
    """What a run settled with a biller: opening, items, fees, what was paid, and what is left.

    ``differences`` says in words what does not agree with clearing or the ledger; there must be none.
    """

    biller: str
    run: int
    day: dt.date
    opening_fen: int
    items: tuple[Item, ...]
    fee_fen: int
    paid_fen: int
    closing_fen: int
    end_to_end: str
    account_no: str
    differences: tuple[str, ...]

    @property
    def sum_fen(self) -> int:
        """Sum the items."""
        return sum(item.amount_fen for item in self.items)

    def total_fen(self, what: str) -> int:
        """Sum the items of a kind: card, account, mandate, prepaid, back or other."""
        return sum(item.amount_fen for item in self.items if item.what == what)


def settlement_of(city: City, settings: UtilitySettings, biller: str, run: int | None = None) -> Settlement:
    """Give what a run settled with a biller; of its latest one unless told. Raise SettlementMissing."""
    from citycard.clearing.statements import read_statement

    settings.biller(biller)
    with reading(city.engine) as conn:
        try:
            told = read_statement(conn, biller, run)
        except (RunUnknown, StatementUnknown) as missing:
            which = Phrase("no run") if run is None else Phrase("run {run}", run=run)
            raise SettlementMissing(run=which, biller=biller) from missing
        moves, opening_fen = _moves(city, conn, told)
        return _settled(conn, told, moves, opening_fen)


@attrs.frozen(kw_only=True)
class _Move:
    """A movement of what the biller is owed: the transfer, and by how much; below zero it got less."""

    posted: PostedTransfer
    change_fen: int

    @property
    def id(self) -> UUID:
        return self.posted.transfer.id

    @property
    def ref(self) -> str:
        return self.posted.transfer.ref


def _moves(city: City, conn: Connection, told: Statement) -> tuple[list[_Move], int]:
    """Give the movements of a run, oldest first, and the balance before them."""
    from citycard.clearing.tables import statement

    last = _number(city, conn, told.partner, told.run)
    query = select(statement.c.run).where(statement.c.partner == told.partner, statement.c.run < told.run)
    first = next(
        filter(
            None,
            (
                _number(city, conn, told.partner, run)
                for run in conn.scalars(query.order_by(statement.c.run.desc()))
            ),
        ),
        0,
    )
    address = partner_payable(told.partner)
    try:
        balance_fen = city.ledger.balance_fen(conn, address)
    except AccountMissing:
        return [], 0
    found: list[_Move] = []
    for move in _back(city, conn, address):
        if move.posted.posted_seq <= first:
            break
        balance_fen -= move.change_fen
        if move.posted.posted_seq <= last:
            found.append(move)
    return found[::-1], balance_fen


def _number(city: City, conn: Connection, biller: str, run: int) -> int:
    """Give the ledger's number of the last transfer by which a run settled with a biller; 0 for none."""
    from citycard.clearing.postings import transfer_ids

    posted = city.ledger.find(conn, list(transfer_ids(run, biller).values()))
    return max((one.posted_seq for one in posted.values()), default=0)


def _back(city: City, conn: Connection, address: str) -> Iterator[_Move]:
    """Walk back what moved on an account, newest first."""
    before = None
    while page := city.ledger.transfers_of(conn, address, limit=_PAGE, before=before):
        for posted in page:
            moved = posted.transfer
            if moved.kind.moves:
                sign = 1 if moved.credit_address == address else -1
                yield _Move(posted=posted, change_fen=sign * moved.amount_fen)
        before = page[-1].posted_seq


def _settled(conn: Connection, told: Statement, moves: list[_Move], opening_fen: int) -> Settlement:
    from citycard.clearing.adjusting import adjustments_of_run
    from citycard.clearing.postings import transfer_ids

    ids = transfer_ids(told.run, told.partner)
    by_id = {move.id: move.change_fen for move in moves}
    own = set(ids.values())
    day = _day(moves, own)
    adjusted = {one.id: one.about for one in adjustments_of_run(conn, told.run, told.partner)}
    rest = [move for move in moves if move.id not in own]
    fees = [move for move in rest if move.posted.transfer.code == TransferCode.FEE]
    rest = [move for move in rest if move.posted.transfer.code != TransferCode.FEE]
    fee_fen = -(by_id.get(ids["fee"], 0) + sum(move.change_fen for move in fees))
    gross_fen, paid_fen = by_id.get(ids["payable"], 0), -by_id.get(ids["settlement"], 0)
    cleared = list(_cleared(conn, told, set(adjusted.values())))
    left_fen = gross_fen - sum(item.amount_fen for item in cleared)
    if left_fen:
        # The biller may sell more than bills: what other services brought it stands in one line.
        cleared.append(_other(f"clearing/{told.run}", left_fen, day))
    items = [*cleared, *_explained(conn, rest, adjusted)]
    closing_fen = opening_fen + sum(by_id.values())
    settled = Settlement(
        biller=told.partner,
        run=told.run,
        day=day,
        opening_fen=opening_fen,
        items=tuple(sorted(items, key=lambda item: (item.at, item.reference, item.amount_fen))),
        fee_fen=fee_fen,
        paid_fen=paid_fen,
        closing_fen=closing_fen,
        end_to_end=told.end_to_end,
        account_no=told.account_no,
        differences=(),
    )
    return attrs.evolve(settled, differences=tuple(_differences(settled, told, gross_fen)))


def _day(moves: Sequence[_Move], own: set[UUID]) -> dt.date:
    """Give the business day of a run: that of its own postings, or of the last that moved before it."""
    days = [(move.id in own, move.posted.transfer.business_date) for move in moves]
    return max(days, default=(True, dt.date.min))[1]


def _cleared(conn: Connection, told: Statement, adjusted: set[str]) -> Iterator[Item]:
    """Give what the run's own records brought."""
    query = select(receipt).where(
        receipt.c.biller == told.partner, receipt.c.run == told.run, receipt.c.channel == CARD
    )
    for row in conn.execute(query):
        if row.id not in adjusted:
            yield _item(row, row.amount_fen)
    query = select(meter_credit).where(meter_credit.c.biller == told.partner, meter_credit.c.run == told.run)
    for row in conn.execute(query):
        yield Item(
            what=PREPAID,
            reference=row.record,
            bill="",
            household=row.meter,
            at=row.at,
            amount_fen=row.amount_fen,
            applied_fen=row.amount_fen,
        )


def _explained(conn: Connection, moves: Sequence[_Move], adjusted: dict[UUID, str]) -> Iterator[Item]:
    """Explain what moved beside the run's own postings: payments online, money that went back, decisions."""
    sums: dict[str, int] = defaultdict(int)
    times: dict[str, dt.datetime] = {}
    for move in moves:
        key = f"adjusted/{move.id}" if move.id in adjusted else move.ref
        sums[key] += move.change_fen
        times[key] = move.posted.transfer.event_time
    keys = [key.partition("/")[2] for key in sums]
    paid = {row.id: row for row in select_in(conn, select(receipt), receipt.c.id, keys)}
    abouts = {f"adjusted/{identity}": about for identity, about in adjusted.items()}
    about = {
        row.id: row for row in select_in(conn, select(receipt), receipt.c.id, sorted(set(abouts.values())))
    }
    uuids = [UUID(key) for key in keys if _is_uuid(key)]
    backs = {row.id: row for row in select_in(conn, select(returned), returned.c.id, uuids)}
    for key, change_fen in sums.items():
        kind, _, name = key.partition("/")
        if kind == "payment" and name in paid:
            yield _item(paid[name], change_fen)
        elif kind == "refund" and _is_uuid(name) and UUID(name) in backs:
            row = backs[UUID(name)]
            yield Item(
                what=BACK,
                reference=row.receipt,
                bill=row.bill,
                household="",
                at=times[key],
                amount_fen=change_fen,
            )
        elif key in abouts and abouts[key] in about:
            row = about[abouts[key]]
            yield attrs.evolve(_item(row, change_fen), what=CARD if change_fen > 0 else BACK)
        else:
            reference = abouts.get(key, key)
            yield _other(reference, change_fen, times[key].date())


def _item(row: Any, amount_fen: int) -> Item:
    return Item(
        what=row.channel,
        reference=row.id,
        bill=row.bill,
        household=row.household,
        at=row.at,
        amount_fen=amount_fen,
        applied_fen=row.applied_fen,
        late_fen=row.late_fen,
        over_fen=row.credited_fen + row.open_fen,
    )


def _other(reference: str, amount_fen: int, day: dt.date) -> Item:
    at = dt.datetime.combine(day, dt.time())
    return Item(what=OTHER, reference=reference, bill="", household="", at=at, amount_fen=amount_fen)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _differences(settled: Settlement, told: Statement, gross_fen: int) -> Iterator[str]:
    """Say what of the ledger, the statement and the items does not agree."""
    adds_up = settled.opening_fen + settled.sum_fen - settled.fee_fen - settled.paid_fen
    online_fen = settled.sum_fen - gross_fen
    for name, ours, theirs in (
        ("gross, ledger and statement", gross_fen, told.gross_fen),
        ("paid, ledger and statement", settled.paid_fen, told.net_fen + told.carried_fen - told.held_fen),
        ("closing, items and ledger", adds_up, settled.closing_fen),
        (
            "carried, items and statement",
            settled.opening_fen + online_fen - (settled.fee_fen - told.fee_fen),
            told.carried_fen,
        ),
    ):
        if ours != theirs and not (name.startswith("paid") and not told.end_to_end):
            yield f"{name}: {ours} fen and {theirs} fen"
