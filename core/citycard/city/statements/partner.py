"""Everything in a partner's payable in a period: what runs cleared and paid, and what else moved there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import attrs
from sqlalchemy import select

from citycard import registry
from citycard.city.statements.accounts import Passage, passage
from citycard.city.statements.explained import Names, entry_of, names_of, reason_of, run_of
from citycard.city.statements.records import Entry, Period, Said, Section, Statement
from citycard.clearing.tables import statement as cleared
from citycard.ledger.chart import TransferCode
from citycard.ledger.records import PostedTransfer
from citycard.store import reading
from citycard.wallet.addresses import partner_payable

if TYPE_CHECKING:
    from citycard.city.city import City

__all__ = ["partner_statement"]

_SHOWN = 4
_WITH_REASONS = frozenset(
    {
        TransferCode.REFUND,
        TransferCode.EXCEPTION_ACCEPTED,
        TransferCode.DISPUTE_UPHELD,
        TransferCode.DISPUTE_GIVEN_BACK,
    }
)


@attrs.frozen
class _Run:
    records: int
    account_no: str
    end_to_end: str


def partner_statement(city: City, partner: str, period: Period) -> Statement:
    """Give the statement of a partner; raise RegistryMissing when there is no such partner.

    Its lines are read while they are taken, so that a large one is never in memory as a whole.
    """
    address = partner_payable(partner)
    with reading(city.engine) as conn:
        found = registry.find_partner(conn, partner)
        names = names_of(conn, city.timezone)
        through = passage(conn, city, address, period)
        query = select(cleared.c.run, cleared.c.records, cleared.c.account_no, cleared.c.end_to_end)
        rows = conn.execute(query.where(cleared.c.partner == partner))
        runs = {row.run: _Run(row.records, row.account_no, row.end_to_end) for row in rows}
    named = city.config.city
    return Statement(
        kind="partner",
        subject=partner,
        title=Said("Statement of a partner", "合作方对账单"),
        name=Said(found.name, found.name),
        city=Said(named.name, named.name_zh or named.name),
        period=period,
        made_at=city.now_local(),
        sections=(_section(city, address, through, names, runs),),
    )


def _section(
    city: City, address: str, through: Passage | None, names: Names, runs: Mapping[int, _Run]
) -> Section:
    def entries() -> Iterator[Entry]:
        for posted in through.streamed() if through is not None else ():
            entry = _explained(posted, address, names, runs)
            if posted.transfer.code in _WITH_REASONS:
                with reading(city.engine) as conn:
                    entry = attrs.evolve(entry, why=reason_of(conn, posted.transfer.ref) or entry.why)
            yield entry

    return Section(
        address=address,
        title=Said("Owed to the partner", "应付合作方款"),
        opening_fen=through.opening_fen if through is not None else 0,
        closing_fen=through.closing_fen if through is not None else 0,
        entries=entries,
    )


def _explained(posted: PostedTransfer, address: str, names: Names, runs: Mapping[int, _Run]) -> Entry:
    entry = entry_of(posted, address, names)
    run = run_of(posted)
    found = runs.get(run) if run is not None else None
    if found is None:
        return entry
    why = entry.why
    if posted.transfer.code == TransferCode.PAYABLE:
        why = Said(f"{why.en}, {found.records} records", f"{why.zh}，{found.records}笔")
    elif posted.transfer.code == TransferCode.SETTLEMENT:
        tail = found.account_no[-_SHOWN:]
        why = Said(
            f"{why.en}, to the account ending {tail}, reference {found.end_to_end}",
            f"{why.zh}，付至尾号{tail}账户，参考号{found.end_to_end}",
        )
    return attrs.evolve(entry, why=why)
