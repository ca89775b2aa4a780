"""Points schemes of partners: who issues them, who takes them, and at what rate one becomes another."""

from __future__ import annotations

from typing import Any

import attrs
from sqlalchemy import Connection, func, insert, select, update

from citycard.errors import Phrase, SchemeConflict, SchemeUnknown, WalletInvalid
from citycard.ledger.chart import AccountCode, Guard
from citycard.ledger.ledger import Ledger
from citycard.ledger.records import AccountSpec
from citycard.wallet.addresses import points_fund, points_issued
from citycard.wallet.lots import ExchangeRate, Scheme
from citycard.wallet.tables import points_acceptance, points_lot, points_rate, points_scheme

__all__ = [
    "POINTS",
    "SchemeReport",
    "accept_points",
    "acceptances",
    "add_scheme",
    "exchange_rate",
    "exchange_rates",
    "fen_per_point",
    "find_scheme",
    "report_scheme",
    "schemes_by_partner",
    "set_exchange_rate",
]

#: The currency of points in the ledger.
POINTS = "PTS"


@attrs.frozen(kw_only=True)
class SchemeReport:
    """Where the points of a scheme are, and the money behind them.

    ``points`` and ``worth_fen`` are those of living lots; ``issued`` and ``fund_fen`` are the ledger's.
    ``difference`` must be 0: the lots are the points issued, and the fund is what they are worth.
    """

    scheme: Scheme
    lots: int
    points: int
    worth_fen: int
    issued: int
    fund_fen: int

    @property
    def difference(self) -> int:
        """Give by how much ledger and lots differ."""
        return abs(self.points - self.issued) + abs(self.worth_fen - self.fund_fen)


def add_scheme(conn: Connection, ledger: Ledger, wanted: Scheme) -> bool:
    """Make the scheme of a partner and open its accounts; say whether it is new.

    Raise SchemeConflict when there is one with other terms.
    """
    known = schemes_by_partner(conn).get(wanted.partner)
    if known is not None:
        for field in attrs.fields(Scheme):
            if getattr(known, field.name) != getattr(wanted, field.name):
                raise SchemeConflict(scheme=wanted.partner, field=field.name)
        return False
    conn.execute(insert(points_scheme), attrs.asdict(wanted))
    ledger.open_accounts(
        conn,
        [
            AccountSpec(
                address=points_fund(wanted.partner),
                code=AccountCode.POINTS_FUND,
                guard=Guard.DEBITS_WITHIN_CREDITS,
                owner=wanted.partner,
            ),
            AccountSpec(
                address=points_issued(wanted.partner),
                code=AccountCode.POINTS_ISSUED,
                owner=wanted.partner,
                currency=POINTS,
            ),
        ],
    )
    return True


def schemes_by_partner(conn: Connection) -> dict[str, Scheme]:
    """Give every scheme by its partner, in that order."""
    rows = conn.execute(select(points_scheme).order_by(points_scheme.c.partner))
    return {row.partner: Scheme(**row._mapping) for row in rows}  # noqa: SLF001 - a Row's own way


def find_scheme(conn: Connection, partner: str) -> Scheme:
    """Give the scheme of a partner; raise SchemeUnknown."""
    found = schemes_by_partner(conn).get(partner)
    if found is None:
        what = Phrase("points scheme of partner {partner!r}", partner=partner[:64])
        raise SchemeUnknown(what=what, remedy="citycard points scheme makes one")
    return found


def accept_points(conn: Connection, scheme: str, partner: str, fen: int) -> None:
    """Let a partner take the points of a scheme for so many fen each, from now on; raise SchemeUnknown."""
    find_scheme(conn, scheme)
    if fen <= 0:
        _refuse("acceptance", "fen_per_point", fen, "1 fen or more")
    mine = (points_acceptance.c.scheme == scheme) & (points_acceptance.c.partner == partner)
    _put(conn, points_acceptance, mine, {"scheme": scheme, "partner": partner}, {"fen_per_point": fen})


def fen_per_point(conn: Connection, scheme: str, partner: str) -> int | None:
    """Give what a partner promises for a point of a scheme, or None when it takes none."""
    mine = (points_acceptance.c.scheme == scheme) & (points_acceptance.c.partner == partner)
    found: int | None = conn.scalar(select(points_acceptance.c.fen_per_point).where(mine))
    return found


def acceptances(conn: Connection, scheme: str) -> dict[str, int]:
    """Give the partners that take the points of a scheme, and the fen each promises for a point."""
    query = select(points_acceptance).where(points_acceptance.c.scheme == scheme)
    return {
        row.partner: row.fen_per_point for row in conn.execute(query.order_by(points_acceptance.c.partner))
    }


def set_exchange_rate(conn: Connection, rate: ExchangeRate) -> None:
    """Let points of one scheme become points of another at a rate, from now on; raise SchemeUnknown."""
    find_scheme(conn, rate.source)
    find_scheme(conn, rate.target)
    if rate.source == rate.target:
        _refuse("exchange rate", "target", rate.target, "another scheme than the source")
    mine = (points_rate.c.source == rate.source) & (points_rate.c.target == rate.target)
    key = {"source": rate.source, "target": rate.target}
    _put(conn, points_rate, mine, key, {"give": rate.give, "get": rate.get})


def exchange_rate(conn: Connection, source: str, target: str) -> ExchangeRate:
    """Give the rate at which points of one scheme become points of another; raise SchemeUnknown."""
    mine = (points_rate.c.source == source) & (points_rate.c.target == target)
    row = conn.execute(select(points_rate).where(mine)).one_or_none()
    if row is None:
        what = Phrase(
            "rate for points of {source} in exchange for those of {target}",
            source=source[:64],
            target=target[:64],
        )
        raise SchemeUnknown(what=what, remedy="citycard points rate sets one")
    return ExchangeRate(**row._mapping)  # noqa: SLF001 - the documented way to read a row by name


def exchange_rates(conn: Connection) -> list[ExchangeRate]:
    """Give every rate, by both schemes."""
    rows = conn.execute(select(points_rate).order_by(points_rate.c.source, points_rate.c.target))
    return [ExchangeRate(**row._mapping) for row in rows]  # noqa: SLF001 - a Row's own way


def report_scheme(conn: Connection, ledger: Ledger, partner: str) -> SchemeReport:
    """Say where the points of a scheme are, and whether the fund is what they are worth."""
    found = find_scheme(conn, partner)
    living = select(
        func.count(),
        func.coalesce(func.sum(points_lot.c.unused), 0),
        func.coalesce(func.sum(points_lot.c.unused * points_lot.c.rate_fen), 0),
    ).where(points_lot.c.scheme == partner, points_lot.c.unused > 0)
    lots, points, worth_fen = conn.execute(living).one()
    return SchemeReport(
        scheme=found,
        lots=lots,
        points=int(points),
        worth_fen=int(worth_fen),
        issued=ledger.balance_fen(conn, points_issued(partner)),
        fund_fen=ledger.balance_fen(conn, points_fund(partner)),
    )


def _put(conn: Connection, table: Any, mine: Any, key: dict[str, Any], values: dict[str, Any]) -> None:
    if conn.execute(update(table).where(mine).values(values)).rowcount == 0:
        conn.execute(insert(table), key | values)


def _refuse(record: str, field: str, value: object, expected: str) -> None:
    raise WalletInvalid(record=record, field=field, value=value, expected=expected)
