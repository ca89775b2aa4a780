"""The partners with what they earned and are owed, and their statements run by run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, func, select

from citycard import registry
from citycard.clearing.statements import Statement, statement_of
from citycard.clearing.tables import clearing_run, statement
from citycard.ledger.chart import AccountCode
from citycard.store import reading
from citycard.wallet.addresses import partner_payable
from citycard.web.views import PartnerView

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["read_partners", "read_statement"]

_RUNS = 30


def read_partners(city: City) -> tuple[PartnerView, ...]:
    """Read every partner, the one that earned most first."""
    with reading(city.engine) as conn:
        sums = _sums(conn)
        owed = city.ledger.balances(conn, AccountCode.PAYABLE_TO_PARTNERS)
        views = [_view(partner, sums, owed) for partner in registry.partners(conn)]
    return tuple(sorted(views, key=lambda view: (-view.gross_fen, view.name)))


def read_statement(city: City, name: str) -> tuple[PartnerView, tuple[Statement, ...]]:
    """Read a partner and its latest statements, newest first; raise RegistryMissing."""
    with reading(city.engine) as conn:
        partner = registry.find_partner(conn, name)
        view = _view(partner, _sums(conn), city.ledger.balances(conn, AccountCode.PAYABLE_TO_PARTNERS))
        runs = (
            select(statement.c.run)
            .join(clearing_run, clearing_run.c.number == statement.c.run)
            .where(statement.c.partner == name, clearing_run.c.state == "closed")
            .order_by(statement.c.run.desc())
            .limit(_RUNS)
        )
        numbers = list(conn.scalars(runs))
    return view, tuple(statement_of(city, name, number) for number in numbers)


def _sums(conn: Connection) -> Mapping[str, Row[Any]]:
    columns = [
        func.sum(statement.c[name]).label(name) for name in ("records", "gross_fen", "fee_fen", "net_fen")
    ]
    rows = conn.execute(select(statement.c.partner, *columns).group_by(statement.c.partner))
    return {row.partner: row for row in rows}


def _view(partner: registry.Partner, sums: Mapping[str, Row[Any]], owed: Mapping[str, int]) -> PartnerView:
    total = sums.get(partner.id)
    return PartnerView(
        id=partner.id,
        name=partner.name,
        kind=partner.kind,
        status=partner.status.value,
        records=int(total.records) if total else 0,
        gross_fen=int(total.gross_fen) if total else 0,
        fee_fen=int(total.fee_fen) if total else 0,
        net_fen=int(total.net_fen) if total else 0,
        unpaid_fen=owed.get(partner_payable(partner.id), 0),
        has_account=bool(partner.account_no and partner.bank_bic),
    )
