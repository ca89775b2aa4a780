"""Grant subsidies out of a programme's fund, one or a file of them, and let what is over go back."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import attrs
from sqlalchemy import Connection, insert, select

from citycard.errors import CitycardError, GrantRefused, Phrase, WalletInvalid
from citycard.ids import derived_id
from citycard.ledger.chart import AccountCode, Guard, TransferCode
from citycard.ledger.records import AccountSpec, Transfer
from citycard.ledger.tables import account, balance
from citycard.store.bulk import chunks
from citycard.store.engine import reading, writing
from citycard.wallet.acts import Act, once
from citycard.wallet.addresses import account_subsidy, subsidy_fund
from citycard.wallet.context import WalletContext
from citycard.wallet.grantfile import BadLine, GrantLine
from citycard.wallet.online import accounts_of, available_fen, hold_account, hold_accounts
from citycard.wallet.programmes import (
    Programme,
    hold_programme,
    note_lapse,
    programmes_by_id,
    report_programme,
    subsidy_accounts,
)
from citycard.wallet.tables import subsidy_grant

__all__ = ["BulkGrant", "grant", "grant_lines", "grants_of", "lapse_expired"]

_AT_ONCE = 500


@attrs.frozen(kw_only=True)
class BulkGrant:
    """What came of a file of grants: new ones, those that were granted under this batch before, bad lines."""

    programme: str
    batch: str
    granted: int
    granted_fen: int
    repeated: int
    bad: tuple[BadLine, ...]


def grant(
    context: WalletContext,
    identity: UUID,
    programme: str,
    number: str,
    amount_fen: int,
    *,
    batch: str = "",
    actor: str = "",
) -> bool:
    """Grant an amount to an account; say whether that was done now.

    Raise GrantRefused when the programme is over or its budget does not suffice, and AccountNotOpen.
    """
    if amount_fen <= 0:
        expected = "1 fen or more"
        raise WalletInvalid(
            record=Phrase("grant {id}", id=identity), field="amount_fen", value=amount_fen, expected=expected
        )

    def work(conn: Connection) -> None:
        found = hold_programme(conn, programme)
        left_fen = report_programme(conn, context.ledger, programme).left_fen
        _check(context, found, amount_fen, left_fen)
        hold_account(conn, number).must_take()
        mine = derived_id("subsidy grant", identity)
        _post(conn, context, [(mine, number, amount_fen)], programme, batch)

    content = {"programme": programme, "amount_fen": amount_fen, "batch": batch}
    return once(context, Act(id=identity, kind="grant", number=number, actor=actor, content=content), work)


def grant_lines(
    context: WalletContext,
    programme: str,
    batch: str,
    lines: Sequence[GrantLine],
    bad: Sequence[BadLine] = (),
) -> BulkGrant:
    """Grant every line, five hundred in a transaction; bad ones are told and left out.

    ``batch`` names the occasion (``2026-11``): an account gets one grant under it, however often the file
    comes. A line that says another amount than was granted is bad.
    """
    if not 0 < len(batch) <= 64:  # noqa: PLR2004 - the column's width
        raise WalletInvalid(
            record="file of grants", field="batch", value=batch, expected="1 to 64 characters"
        )
    found_bad = list(bad)
    granted = granted_fen = repeated = 0
    for piece in chunks(lines, _AT_ONCE):
        with writing(context.engine) as conn:
            new, again, wrong = _grant_piece(conn, context, programme, batch, piece)
        granted += len(new)
        granted_fen += sum(amount_fen for _, _, amount_fen in new)
        repeated += again
        found_bad += wrong
    return BulkGrant(
        programme=programme,
        batch=batch,
        granted=granted,
        granted_fen=granted_fen,
        repeated=repeated,
        bad=tuple(sorted(found_bad, key=lambda one: one.line)),
    )


def grants_of(conn: Connection, programme: str, *, limit: int = 1000) -> list[tuple[str, int, str]]:
    """Give the newest grants of a programme: account, fen and batch."""
    mine = select(subsidy_grant).where(subsidy_grant.c.programme == programme)
    rows = conn.execute(mine.order_by(subsidy_grant.c.at.desc(), subsidy_grant.c.id).limit(limit))
    return [(row.number, row.amount_fen, row.batch) for row in rows]


def lapse_expired(context: WalletContext) -> int:
    """Let what is left of every programme that is over go back to its fund; return how many fen that were.

    Again without harm: an account that was swept has nothing left.
    """
    lapsed_fen = 0
    today = context.today()
    with reading(context.engine) as conn:
        over = [one.id for one in programmes_by_id(conn).values() if one.over(today)]
        holders = {name: _holders(conn, name) for name in over}
    for name, numbers in holders.items():
        for piece in chunks(numbers, _AT_ONCE):
            with writing(context.engine) as conn:
                lapsed_fen += _lapse_piece(conn, context, name, piece)
    return lapsed_fen


def _grant_piece(
    conn: Connection, context: WalletContext, programme: str, batch: str, lines: Sequence[GrantLine]
) -> tuple[list[tuple[UUID, str, int]], int, list[BadLine]]:
    found = hold_programme(conn, programme)
    left_fen = report_programme(conn, context.ledger, programme).left_fen
    accounts = accounts_of(conn, [line.number for line in lines])
    held = hold_accounts(conn, [one.number for one in accounts.values()])
    before = _granted_before(conn, programme, batch)
    new: list[tuple[UUID, str, int]] = []
    bad: list[BadLine] = []
    again = 0
    for line in lines:
        owner = accounts.get(line.number)
        if owner is None:
            bad.append(BadLine(line=line.line, reason=f"card {line.number} has no online account"))
            continue
        number = owner.number
        if number in before:
            again += before[number] == line.amount_fen
            if before[number] != line.amount_fen:
                reason = f"{number} was granted {before[number]} fen under {batch}, not {line.amount_fen}"
                bad.append(BadLine(line=line.line, reason=reason))
            continue
        try:
            _check(context, found, line.amount_fen, left_fen)
            held[number].must_take()
        except CitycardError as refused:
            bad.append(BadLine(line=line.line, reason=str(refused)))
            continue
        left_fen -= line.amount_fen
        before[number] = line.amount_fen
        new.append((derived_id("subsidy grant", programme, batch, number), number, line.amount_fen))
    _post(conn, context, new, programme, batch)
    return new, again, bad


def _granted_before(conn: Connection, programme: str, batch: str) -> dict[str, int]:
    mine = (subsidy_grant.c.programme == programme) & (subsidy_grant.c.batch == batch)
    rows = conn.execute(select(subsidy_grant.c.number, subsidy_grant.c.amount_fen).where(mine))
    return {row.number: row.amount_fen for row in rows}


def _check(context: WalletContext, programme: Programme, amount_fen: int, left_fen: int) -> None:
    if programme.over(context.today()):
        raise GrantRefused(
            programme=programme.id, reason=Phrase("it ended on {ends_on}", ends_on=programme.ends_on)
        )
    if amount_fen > left_fen:
        reason = Phrase(
            "{left_fen} fen of its budget are left, {amount_fen} fen are to be granted",
            left_fen=left_fen,
            amount_fen=amount_fen,
        )
        raise GrantRefused(programme=programme.id, reason=reason)


def _post(
    conn: Connection,
    context: WalletContext,
    grants: Sequence[tuple[UUID, str, int]],
    programme: str,
    batch: str,
) -> None:
    if not grants:
        return
    context.ledger.open_accounts(
        conn,
        [
            AccountSpec(
                address=account_subsidy(number, programme),
                code=AccountCode.SUBSIDIES_HELD,
                guard=Guard.DEBITS_WITHIN_CREDITS,
                owner=number,
            )
            for _, number, _ in grants
        ],
    )
    fund, ref = subsidy_fund(programme), f"subsidy/{programme}"
    transfers: list[Transfer] = [
        context.transfer(
            identity,
            fund,
            account_subsidy(number, programme),
            amount_fen,
            TransferCode.SUBSIDY_GRANTED,
            ref=ref,
        )
        for identity, number, amount_fen in grants
    ]
    context.ledger.post_all(conn, transfers)
    at = context.now_local()
    rows = [
        {
            "id": identity,
            "programme": programme,
            "number": number,
            "amount_fen": fen,
            "batch": batch,
            "at": at,
        }
        for identity, number, fen in grants
    ]
    conn.execute(insert(subsidy_grant), rows)


def _holders(conn: Connection, programme: str) -> list[str]:
    """Give the accounts that still have something of a programme, by number."""
    query = (
        select(account.c.owner)
        .join(balance, balance.c.account_id == account.c.id)
        .where(subsidy_accounts(programme), balance.c.cr_posted_fen > balance.c.dr_posted_fen)
    )
    return list(conn.scalars(query.order_by(account.c.owner)))


def _lapse_piece(conn: Connection, context: WalletContext, programme: str, numbers: Sequence[str]) -> int:
    transfers = []
    for number in hold_accounts(conn, numbers):
        left_fen = available_fen(conn, context, account_subsidy(number, programme))
        if left_fen:
            identity = derived_id("subsidy expiry", programme, number)
            transfers.append(note_lapse(conn, context, identity, programme, number, left_fen, "expired"))
    context.ledger.post_all(conn, transfers)
    return sum(one.amount_fen for one in transfers)
