"""The stock of blank cards, counted like money: every move takes from one place and puts into another.

``supplier``, ``used`` and ``spoiled`` are places too, so that the cards of a lot always add up to its size.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from uuid import UUID

import attrs
from sqlalchemy import Connection, func, insert, select

from citycard.errors import RegistryConflict, RegistryInvalid, StockShort
from citycard.registry import tables
from citycard.registry.adding import require
from citycard.store.bulk import insert_missing
from citycard.store.engine import write_alone

__all__ = [
    "SPOILED",
    "STORE",
    "SUPPLIER",
    "USED",
    "LotCount",
    "StockLot",
    "move_stock",
    "receive_stock",
    "stock_at",
    "stock_report",
]

SUPPLIER, STORE, USED, SPOILED = "supplier", "store", "used", "spoiled"
_ENDS = frozenset({SUPPLIER, USED, SPOILED})


@attrs.frozen(kw_only=True)
class StockLot:
    """Blank cards that came together, in one box or several: ``size`` cards from ``supplier``."""

    name: str = attrs.field(validator=attrs.validators.matches_re(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"))
    supplier: str
    size: int
    received_on: date


@attrs.frozen(kw_only=True)
class LotCount:
    """A lot's cards: ``held`` by place, ``used`` and ``spoiled``; together they are ``size``."""

    lot: str
    supplier: str
    size: int
    held: dict[str, int]
    used: int
    spoiled: int

    @property
    def adds_up(self) -> bool:
        """Say whether every card that came is somewhere."""
        return self.size == sum(self.held.values()) + self.used + self.spoiled


def receive_stock(conn: Connection, lot: StockLot, *, id: UUID, actor: str, at: datetime) -> bool:  # noqa: A002
    """Take a lot into the store and say whether it is new; raise RegistryConflict when it differs."""
    if lot.size <= 0:
        raise RegistryInvalid(
            record="lot", key=lot.name, field="size", value=lot.size, expected="at least one card"
        )
    if not insert_missing(conn, tables.stock_lot, [attrs.asdict(lot)]):
        known = conn.execute(select(tables.stock_lot).where(tables.stock_lot.c.name == lot.name)).one()
        for field in ("supplier", "size"):
            existing, wanted = getattr(known, field), getattr(lot, field)
            if existing != wanted:
                raise RegistryConflict(
                    record="lot", key=lot.name, field=field, existing=str(existing), wanted=str(wanted)
                )
        return False
    _write(conn, id, lot.name, SUPPLIER, STORE, lot.size, "received", actor, at)
    return True


def move_stock(
    conn: Connection,
    lot: str,
    source: str,
    target: str,
    cards: int,
    *,
    id: UUID,  # noqa: A002
    reason: str,
    actor: str,
    at: datetime,
) -> bool:
    """Move blank cards and say whether this move is new: one ``id`` is one move for ever.

    ``target`` is a counter or an outlet, or ``used`` or ``spoiled``. Raise StockShort when the source has
    fewer, RegistryMissing for the lot, RegistryInvalid for a move out of ``used`` or ``spoiled``, and
    RegistryConflict when this ``id`` is another move.
    """
    require(conn, tables.stock_lot, [lot])
    write_alone(conn, tables.stock_move)
    moves = tables.stock_move
    known = conn.execute(select(moves).where(moves.c.id == id)).one_or_none()
    if known is not None:
        for field, wanted in {"lot": lot, "source": source, "target": target, "cards": cards}.items():
            existing = getattr(known, field)
            if existing != wanted:
                raise RegistryConflict(
                    record="move", key=lot, field=field, existing=str(existing), wanted=str(wanted)
                )
        return False
    if source in _ENDS or target in {SUPPLIER, source} or cards <= 0:
        raise RegistryInvalid(
            record="move",
            key=lot,
            field="cards",
            value=f"{cards} from {source} to {target}",
            expected="at least one card from a place that holds some to another place",
        )
    held = _held(conn, lot).get(source, 0)
    if held < cards:
        raise StockShort(place=source, held=held, lot=lot, wanted=cards)
    _write(conn, id, lot, source, target, cards, reason, actor, at)
    return True


def stock_at(conn: Connection, lot: str, place: str) -> int:
    """Count the blank cards of a lot at a place."""
    return _held(conn, lot).get(place, 0)


def stock_report(conn: Connection) -> list[LotCount]:
    """Count every lot, by name: where its cards are."""
    lots = conn.execute(select(tables.stock_lot).order_by(tables.stock_lot.c.name))
    counts = []
    for lot in lots:
        held = _held(conn, lot.name)
        used, spoiled = held.pop(USED, 0), held.pop(SPOILED, 0)
        held.pop(SUPPLIER, None)
        counts.append(
            LotCount(
                lot=lot.name,
                supplier=lot.supplier,
                size=lot.size,
                held={place: cards for place, cards in sorted(held.items()) if cards},
                used=used,
                spoiled=spoiled,
            )
        )
    return counts


def _held(conn: Connection, lot: str) -> dict[str, int]:
    moves = tables.stock_move
    held: dict[str, int] = defaultdict(int)
    for column, sign in ((moves.c.target, 1), (moves.c.source, -1)):
        query = select(column.label("place"), func.sum(moves.c.cards).label("cards"))
        for row in conn.execute(query.where(moves.c.lot == lot).group_by(column)):
            held[row.place] += sign * int(row.cards)
    return dict(held)


def _write(
    conn: Connection,
    key: UUID,
    lot: str,
    source: str,
    target: str,
    cards: int,
    reason: str,
    actor: str,
    at: datetime,
) -> None:
    row = {"id": key, "lot": lot, "source": source, "target": target, "cards": cards}
    conn.execute(insert(tables.stock_move), row | {"reason": reason, "actor": actor, "at": at})
