"""Subsidy programmes: what for, until when, out of which budget, and where all of it is.

A programme's money lies in its fund until it is granted, then with the account it was granted to. What is
not spent in time goes back to the fund, and is not granted again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

import attrs
from sqlalchemy import ColumnElement, Connection, and_, func, insert, select

from citycard.errors import Phrase, ProgrammeConflict, ProgrammeUnknown, WalletInvalid
from citycard.ids import derived_id
from citycard.ledger.chart import AccountCode, Guard, TransferCode
from citycard.ledger.ledger import Ledger
from citycard.ledger.records import AccountSpec, Transfer
from citycard.ledger.tables import account, balance
from citycard.store.bulk import select_in
from citycard.store.engine import reading
from citycard.wallet.acts import Act, once
from citycard.wallet.addresses import TRUST_BANK, account_subsidy, subsidy_fund
from citycard.wallet.context import WalletContext
from citycard.wallet.online import available_fen
from citycard.wallet.planning import Pot, Purpose
from citycard.wallet.tables import (
    payment_part,
    subsidy_funding,
    subsidy_grant,
    subsidy_lapse,
    subsidy_programme,
)

__all__ = [
    "Programme",
    "ProgrammeReport",
    "add_programme",
    "find_programme",
    "fund_programme",
    "hold_programme",
    "note_funding",
    "note_lapse",
    "pots_of",
    "programmes_by_id",
    "report_programme",
    "subsidy_accounts",
]

_ID = re.compile(r"[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?")
_LONGEST_TEXT = 100


def _in_order(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


@attrs.frozen(kw_only=True)
class Programme:
    """A subsidy programme. It can be spent from ``starts_on`` through ``ends_on``, at the partners it names.

    ``funder`` pays for it; ``partners`` are ids, ``partner_kinds`` kinds such as ``bus`` or ``canteen``: at
    least one of both.
    """

    id: str
    title: str
    title_zh: str = ""
    funder: str
    partners: tuple[str, ...] = attrs.field(default=(), converter=_in_order)
    partner_kinds: tuple[str, ...] = attrs.field(default=(), converter=_in_order)
    starts_on: date
    ends_on: date

    def __attrs_post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            self._refuse("id", self.id, "lower-case letters, digits and . _ - inside, at most 64 characters")
        for name in ("title", "funder"):
            if not 0 < len(getattr(self, name).strip()) <= _LONGEST_TEXT:
                self._refuse(
                    name, getattr(self, name), Phrase("1 to {longest} characters", longest=_LONGEST_TEXT)
                )
        if not (self.partners or self.partner_kinds):
            self._refuse("partners", (), "a partner or a kind of partner at which it can be spent")
        if self.ends_on < self.starts_on:
            self._refuse(
                "ends_on", self.ends_on, Phrase("a day not before {starts_on}", starts_on=self.starts_on)
            )

    @property
    def purpose(self) -> Purpose:
        """Say what it can be spent for."""
        return Purpose(partners=self.partners, partner_kinds=self.partner_kinds)

    def over(self, on: date) -> bool:
        """Say whether nothing of it can be spent any more on a day."""
        return on > self.ends_on

    def _refuse(self, field: str, value: object, expected: str) -> None:
        raise WalletInvalid(
            record=Phrase("programme {id}", id=self.id), field=field, value=value, expected=expected
        )


@attrs.frozen(kw_only=True)
class ProgrammeReport:
    """Where the money of a programme is, in fen: budget = granted + left, granted = spent + lapsed + held.

    ``lapsed_fen`` went back to the fund, which holds ``fund_fen`` = left + lapsed. ``held_fen`` and
    ``fund_fen`` are the ledger's, the others are what was written down; ``difference_fen`` must be 0.
    """

    programme: Programme
    budget_fen: int
    granted_fen: int
    spent_fen: int
    lapsed_fen: int
    held_fen: int
    fund_fen: int
    accounts: int

    @property
    def left_fen(self) -> int:
        """Give what can still be granted."""
        return self.budget_fen - self.granted_fen

    @property
    def difference_fen(self) -> int:
        """Give by how much ledger and book differ."""
        missing_fen = self.granted_fen - self.spent_fen - self.lapsed_fen - self.held_fen
        return abs(missing_fen) + abs(self.left_fen + self.lapsed_fen - self.fund_fen)


def add_programme(conn: Connection, ledger: Ledger, wanted: Programme) -> bool:
    """Make a programme and open its fund; say whether it is new. Raise ProgrammeConflict when it differs."""
    known = programmes_by_id(conn).get(wanted.id)
    if known is not None:
        for field in attrs.fields(Programme):
            if getattr(known, field.name) != getattr(wanted, field.name):
                raise ProgrammeConflict(programme=wanted.id, field=field.name)
        return False
    row = attrs.asdict(wanted)
    row |= {"partners": list(wanted.partners), "partner_kinds": list(wanted.partner_kinds)}
    conn.execute(insert(subsidy_programme), row)
    ledger.open_accounts(
        conn,
        [
            AccountSpec(
                address=subsidy_fund(wanted.id),
                code=AccountCode.SUBSIDIES_HELD,
                guard=Guard.DEBITS_WITHIN_CREDITS,
                owner=wanted.funder,
            )
        ],
    )
    return True


def programmes_by_id(conn: Connection) -> dict[str, Programme]:
    """Give every programme by id, in that order."""
    rows = conn.execute(select(subsidy_programme).order_by(subsidy_programme.c.id))
    return {row.id: Programme(**row._mapping) for row in rows}  # noqa: SLF001 - a Row's own way


def find_programme(conn: Connection, programme: str) -> Programme:
    """Give one programme; raise ProgrammeUnknown."""
    found = programmes_by_id(conn).get(programme)
    if found is None:
        raise ProgrammeUnknown(programme=programme[:64])
    return found


def hold_programme(conn: Connection, programme: str) -> Programme:
    """Give one programme, held until the transaction ends, so that nobody else grants out of its budget."""
    mine = select(subsidy_programme.c.id).where(subsidy_programme.c.id == programme)
    conn.execute(mine.with_for_update())
    return find_programme(conn, programme)


def fund_programme(
    context: WalletContext, identity: UUID, programme: str, amount_fen: int, *, actor: str = ""
) -> ProgrammeReport:
    """Put money of the funder, paid in at the desk, into a programme's fund.

    What the funder pays into the trust account comes with the bank's statement: ``note_funding``.
    """
    if amount_fen <= 0:
        expected = "1 fen or more"
        raise WalletInvalid(
            record=Phrase("funding {id}", id=identity),
            field="amount_fen",
            value=amount_fen,
            expected=expected,
        )

    def work(conn: Connection) -> None:
        hold_programme(conn, programme)
        ledger = context.ledger
        ledger.open_accounts(conn, [AccountSpec(address=TRUST_BANK, code=AccountCode.TRUST_BANK)])
        fund = subsidy_fund(programme)
        ref = f"subsidy/{programme}"
        mine = derived_id("subsidy funding", identity)
        moved = context.transfer(mine, TRUST_BANK, fund, amount_fen, TransferCode.SUBSIDY_FUNDED, ref=ref)
        ledger.post_all(conn, [moved])
        row = {"id": identity, "programme": programme, "amount_fen": amount_fen}
        conn.execute(insert(subsidy_funding), row | {"at": context.now_local()})

    content = {"programme": programme, "amount_fen": amount_fen}
    once(context, Act(id=identity, kind="fund", actor=actor, content=content), work)
    with reading(context.engine) as conn:
        return report_programme(conn, context.ledger, programme)


def note_funding(conn: Connection, posted: Iterable[Transfer]) -> int:
    """Count what posted transfers credit to funds of programmes into their budgets; return how many were new.

    Whoever books what funders pay in, such as the bank's side, calls this in the same transaction.
    """
    funded = [one for one in posted if one.credit_address.startswith("subsidy/")]
    if not funded:
        return 0
    funds = {subsidy_fund(name): name for name in programmes_by_id(conn)}
    query = select(subsidy_funding.c.id)
    known = {row.id for row in select_in(conn, query, subsidy_funding.c.id, [one.id for one in funded])}
    rows = [
        {
            "id": one.id,
            "programme": funds[one.credit_address],
            "amount_fen": one.amount_fen,
            "at": one.event_time,
        }
        for one in funded
        if one.credit_address in funds and one.id not in known
    ]
    if rows:
        conn.execute(insert(subsidy_funding), rows)
    return len(rows)


def pots_of(conn: Connection, context: WalletContext, number: str) -> list[Pot]:
    """Give what an account has of each programme that it was granted something of, by programme."""
    granted = select(subsidy_grant.c.programme).where(subsidy_grant.c.number == number).distinct()
    names = set(conn.scalars(granted))
    return [
        Pot(
            programme=one.id,
            purpose=one.purpose,
            starts_on=one.starts_on,
            ends_on=one.ends_on,
            available_fen=available_fen(conn, context, account_subsidy(number, one.id)),
        )
        for one in programmes_by_id(conn).values()
        if one.id in names
    ]


def note_lapse(
    conn: Connection,
    context: WalletContext,
    identity: UUID,
    programme: str,
    number: str,
    amount_fen: int,
    reason: str,
    *,
    group: UUID | None = None,
) -> Transfer:
    """Write down that something goes back to a programme's fund, and give the transfer that does it."""
    row = {"id": identity, "programme": programme, "number": number, "amount_fen": amount_fen}
    conn.execute(insert(subsidy_lapse), row | {"reason": reason, "at": context.now_local()})
    return context.transfer(
        identity,
        account_subsidy(number, programme),
        subsidy_fund(programme),
        amount_fen,
        TransferCode.SUBSIDY_LAPSED,
        ref=f"subsidy/{programme}",
        group=group,
    )


def report_programme(conn: Connection, ledger: Ledger, programme: str) -> ProgrammeReport:
    """Say where the money of a programme is; raise ProgrammeUnknown."""
    found = find_programme(conn, programme)
    spent = select(func.sum(payment_part.c.amount_fen - payment_part.c.returned_fen))
    accounts = select(func.count(subsidy_grant.c.number.distinct()))
    return ProgrammeReport(
        programme=found,
        budget_fen=_sum(conn, subsidy_funding, programme),
        granted_fen=_sum(conn, subsidy_grant, programme),
        spent_fen=int(conn.scalar(spent.where(payment_part.c.programme == programme)) or 0),
        lapsed_fen=_sum(conn, subsidy_lapse, programme),
        held_fen=_held_fen(conn, programme),
        fund_fen=ledger.balance_fen(conn, subsidy_fund(programme)),
        accounts=conn.scalar(accounts.where(subsidy_grant.c.programme == programme)) or 0,
    )


def _sum(conn: Connection, table: Any, programme: str) -> int:
    total = conn.scalar(select(func.sum(table.c.amount_fen)).where(table.c.programme == programme))
    return int(total or 0)


def _held_fen(conn: Connection, programme: str) -> int:
    query = (
        select(func.sum(balance.c.cr_posted_fen - balance.c.dr_posted_fen))
        .join(account, account.c.id == balance.c.account_id)
        .where(subsidy_accounts(programme))
    )
    return int(conn.scalar(query) or 0)


def subsidy_accounts(programme: str) -> ColumnElement[bool]:
    """Give the condition for the ledger's accounts that hold what was granted of a programme."""
    address = account.c.address
    return and_(
        account.c.code == int(AccountCode.SUBSIDIES_HELD),
        address.like("account/%"),
        address.endswith(f"/subsidy/{programme}", autoescape=True),
    )
