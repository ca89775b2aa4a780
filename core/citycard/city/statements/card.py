"""All money of one card in a period: purse, online account, deposit, and what either side owes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import attrs
from sqlalchemy import select

from citycard import registry
from citycard.city.statements.accounts import Passage, passage
from citycard.city.statements.explained import Names, entry_of, names_of, reason_of, run_of
from citycard.city.statements.purse import purse
from citycard.city.statements.records import Entry, Period, Said, Section, Statement
from citycard.city.statements.words import TAPS
from citycard.clearing.queries import CardTap
from citycard.errors import OnlineAccountUnknown
from citycard.ledger.chart import TransferCode
from citycard.ledger.records import PostedTransfer
from citycard.ledger.tables import account
from citycard.store import reading
from citycard.terminal.record import RecordKind
from citycard.wallet.addresses import (
    account_refund,
    account_subsidy,
    card_deposit,
    card_refund,
    holder_claim,
    online_account,
)
from citycard.wallet.load import Load
from citycard.wallet.loadbook import loads_of
from citycard.wallet.online import find_account

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Connection

    from citycard.city.city import City

__all__ = ["card_statement"]

_KINDS = {kind.value: kind.name.lower() for kind in RecordKind}


def card_statement(city: City, asn: str, period: Period) -> Statement:
    """Give the statement of a card; raise RegistryMissing when there is no such card.

    A clearing run is one transfer for all cards: in its place stand this card's taps that the run accepted.
    A line is in the period in which it was booked, and says when it happened.
    """
    with reading(city.engine) as conn:
        card = registry.find_card(conn, asn)
        product = registry.find_product(conn, card.product)
        names = names_of(conn, city.timezone)
        loads = {load.id: load for load in loads_of(conn, asn)}
        found_purse = purse(conn, city, asn, period)
        passages = [(_PURSE, found_purse.way, found_purse.moved)] if found_purse is not None else []
        passages += [
            (title, found, found.transfers(conn))
            for title, address in _pockets(conn, asn)
            if (found := passage(conn, city, address, period)) is not None
        ]
        moved_at_all = [posted for _, _, moved in passages for posted in moved]
        reasons = {posted.transfer.ref: reason_of(conn, posted.transfer.ref) for posted in moved_at_all}
    taps = found_purse.taps if found_purse is not None else {}
    sections = tuple(
        _section(
            title,
            found,
            _Entries(
                city=city,
                names=names,
                loads=loads,
                taps=taps,
                reasons=reasons,
                posted=moved,
            ),
        )
        for title, found, moved in passages
        if moved or found.opening_fen or found.closing_fen or title is _PURSE
    )
    named = city.config.city
    return Statement(
        kind="card",
        subject=asn,
        title=Said("Statement of a card", "市民卡对账单"),
        name=Said(product.title, product.title_zh or product.title),
        city=Said(named.name, named.name_zh or named.name),
        period=period,
        made_at=city.now_local(),
        sections=sections,
    )


_PURSE = Said("Purse on the card", "卡上钱包")


def _pockets(conn: Connection, asn: str) -> Iterator[tuple[Said, str]]:
    """Name every account that belongs to a card beside its purse, and to the online account on it now."""
    number = _account_number(conn, asn)
    if number is not None:
        yield Said("Online account", "联机账户"), online_account(number)
        begins = account_subsidy(number, "")
        query = select(account.c.address).where(account.c.address > begins, account.c.address < f"{begins}~")
        for address in conn.scalars(query.order_by(account.c.address)).all():
            programme = address.removeprefix(begins)
            yield Said(f"Subsidy {programme}", f"补贴 {programme}"), address
    yield Said("Deposit", "押金"), card_deposit(asn)
    yield Said("Owed to the holder", "应退款"), card_refund(asn)
    if number is not None:
        yield Said("Owed to the holder of the online account", "联机账户应退款"), account_refund(number)
    yield Said("Owed by the holder", "持卡人欠款"), holder_claim(asn)


def _account_number(conn: Connection, asn: str) -> str | None:
    try:
        return find_account(conn, asn).number
    except OnlineAccountUnknown:
        return None


def _section(title: Said, found: Passage, entries: _Entries) -> Section:
    return Section(
        address=found.address,
        title=title,
        opening_fen=found.opening_fen,
        closing_fen=found.closing_fen,
        entries=lambda: entries.of(found),
    )


@attrs.frozen(kw_only=True)
class _Entries:
    """The transfers of one account of a card, explained."""

    city: City
    names: Names
    loads: Mapping[UUID, Load]
    taps: Mapping[int, Sequence[CardTap]]
    reasons: Mapping[str, Said | None]
    posted: Sequence[PostedTransfer]

    def of(self, found: Passage) -> Iterator[Entry]:
        for posted in self.posted:
            load = self.loads.get(posted.transfer.id)
            entry = entry_of(posted, found.address, self.names, load, side=found.side)
            entry = attrs.evolve(entry, why=self.reasons[posted.transfer.ref] or entry.why)
            run = run_of(posted)
            if posted.transfer.code == TransferCode.SPEND and run is not None:
                yield from self._spent(entry, self.taps.get(run, ()))
            else:
                yield entry

    def _spent(self, entry: Entry, taps: Sequence[CardTap]) -> Iterator[Entry]:
        """Put taps in the place of what a run took from the card; together they are the same amount."""
        entered: CardTap | None = None
        left_fen = -entry.amount_fen
        for tap in taps:
            if tap.amount_fen:
                left_fen -= tap.amount_fen
                yield self._tapped(entry, tap, entered)
            entered = tap if tap.kind == RecordKind.ENTRY else None
        if left_fen:  # records that are not there any more
            yield attrs.evolve(entry, amount_fen=-left_fen)

    def _tapped(self, entry: Entry, tap: CardTap, entered: CardTap | None) -> Entry:
        where = self.names.wheres.get(tap.terminal)
        owned = self.city.plugins.service(tap.service)
        title = owned.record.title if owned else f"service {tap.service}"
        title_zh = (owned.record.title_zh or title) if owned else f"服务{tap.service}"
        kind = TAPS.get(_KINDS.get(tap.kind, ""), Said("tap", "刷卡"))
        begun = self.names.wheres.get(entered.terminal) if entered is not None else None
        places = dict.fromkeys(one.place for one in (begun, where) if one is not None and one.place)
        return attrs.evolve(
            entry,
            at=tap.at,
            who=where.partner if where is not None else tap.terminal,
            where=" → ".join(places),
            why=Said(f"{title}, {kind.en}", f"{title_zh}，{kind.zh}"),
            amount_fen=-tap.amount_fen,
            reference=tap.id,
        )
