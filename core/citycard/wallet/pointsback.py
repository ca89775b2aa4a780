"""Give back points that were used: into the lots they came from, and their money to where that came from.

What was bought with them is given back, too, or a part of it. The ledger keeps how much of a use came back:
each of its transfers is taken back by the way it came, and never more of it than was posted.
"""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from sqlalchemy import Connection, func, insert, select, update

from citycard.errors import Phrase, PointsRefused
from citycard.ids import derived_id
from citycard.ledger import reversal
from citycard.ledger.records import Transfer
from citycard.ledger.tables import transfer
from citycard.store.bulk import select_in
from citycard.wallet.acts import Act, noted_before
from citycard.wallet.context import WalletContext
from citycard.wallet.lots import Lot
from citycard.wallet.online import AccountStatus, hold_account
from citycard.wallet.points import take_back
from citycard.wallet.tables import points_act, points_lot

__all__ = ["give_points_back"]


def give_points_back(
    conn: Connection, context: WalletContext, identity: UUID, use: UUID, points: int, *, actor: str = ""
) -> int:
    """Give back so many of the points of a use, once for each ``identity``; return the fen that came back.

    It happens in the transaction of what is given back with them. Each goes into the lot that it was taken
    from, the lot that lapses last before the others, and can be used as long as that; where its last day is
    over, or the account is closed, it lapses at once. The partner gives back what it was paid for them, and
    the issuer what was left over. Raise PointsRefused for more than the use has left.
    """
    lots, used = _used(conn, use)
    if not lots:
        raise PointsRefused(scheme="?", reason=Phrase("no points were used under id {id}", id=use))
    number, scheme = lots[0].number, lots[0].scheme
    content = {"use": str(use), "points": points}
    act = Act(id=identity, kind="points-back", number=number, actor=actor, content=content, words=content)
    if noted_before(conn, act, context.clock.now()):
        return _came_back_fen(conn, identity)
    account = hold_account(conn, number)
    lots, used = _used(conn, use)
    parts = _split(conn, use, lots, used, points)
    if parts is None:
        raise PointsRefused(
            scheme=scheme,
            reason=Phrase("{points} points are more than use {id} has left", points=points, id=use),
        )
    at, money = context.now_local(), Counter[str]()
    moved, rows = [], []
    for lot, part in parts:
        taken, paid_fen = used[lot.id]
        # What a partner was paid for a lot is so many whole fen for each of its points.
        back_fen = paid_fen // taken * part
        money["paid"] += back_fen
        money["left over"] += part * lot.rate_fen - back_fen
        moved.append((f"lot {lot.id}", part))
        left = points_lot.c.unused + part
        conn.execute(update(points_lot).where(points_lot.c.id == lot.id).values(unused=left))
        row = {"id": identity, "lot": lot.id, "kind": "use", "partner": _partner(conn, use), "points": part}
        rows.append(row | {"amount_fen": back_fen, "at": at})
    moved += [(why, fen) for why, fen in money.items() if fen]
    context.ledger.post_all(conn, _reversals(conn, context, identity, use, moved))
    conn.execute(insert(points_act), rows)
    _lapse(conn, context, parts, closed=account.status is AccountStatus.CLOSED)
    return money["paid"]


def _used(conn: Connection, use: UUID) -> tuple[list[Lot], dict[UUID, tuple[int, int]]]:
    """Give the lots of a use, which lapses last first; and of each the points taken, and the fen paid."""
    mine = (points_act.c.id == use, points_act.c.kind == "use", points_act.c.points < 0)
    used = {row.lot: (-row.points, row.amount_fen) for row in conn.execute(select(points_act).where(*mine))}
    rows = select_in(conn, select(points_lot), points_lot.c.id, list(used))
    lots = [Lot(**row._mapping) for row in rows]  # noqa: SLF001 - the documented way to read a row by name
    return sorted(lots, key=lambda lot: (lot.expires_on, lot.earned_at, lot.id), reverse=True), used


def _split(
    conn: Connection, use: UUID, lots: list[Lot], used: dict[UUID, tuple[int, int]], points: int
) -> list[tuple[Lot, int]] | None:
    """Say how many points go into which lot; None when that is none, or more than was used and is left."""
    moved = {derived_id("points", use, f"lot {lot.id}"): lot for lot in lots}
    sums = select(transfer.c.reverses, func.sum(transfer.c.amount_fen).label("points"))
    query = sums.group_by(transfer.c.reverses)
    back = {row.reverses: int(row.points) for row in select_in(conn, query, transfer.c.reverses, list(moved))}
    parts, rest = [], points
    for identity, lot in moved.items():
        part = min(rest, used[lot.id][0] - back.get(identity, 0))
        if part > 0:
            parts.append((lot, part))
            rest -= part
    return parts if parts and not rest else None


def _reversals(
    conn: Connection, context: WalletContext, identity: UUID, use: UUID, moved: list[tuple[str, int]]
) -> list[Transfer]:
    posted = context.ledger.find(conn, [derived_id("points", use, why) for why, _ in moved])
    at = context.now_local()
    return [
        reversal(
            posted[derived_id("points", use, why)].transfer,
            id=derived_id("points", identity, why),
            amount_fen=amount,
            code=posted[derived_id("points", use, why)].transfer.code,
            event_time=at,
            business_date=at.date(),
            ref=f"points/{identity}",
            group=derived_id("points", identity),
        )
        for why, amount in moved
    ]


def _lapse(conn: Connection, context: WalletContext, parts: list[tuple[Lot, int]], *, closed: bool) -> None:
    over = [lot.id for lot, _ in parts if closed or lot.expires_on < context.today()]
    rows = select_in(conn, select(points_lot), points_lot.c.id, over)
    take_back(conn, context, [Lot(**row._mapping) for row in rows])  # noqa: SLF001 - a Row's own way


def _partner(conn: Connection, use: UUID) -> str:
    return str(conn.scalar(select(points_act.c.partner).where(points_act.c.id == use).limit(1)))


def _came_back_fen(conn: Connection, identity: UUID) -> int:
    total = func.coalesce(func.sum(points_act.c.amount_fen), 0)
    return int(conn.scalar(select(total).where(points_act.c.id == identity)) or 0)
