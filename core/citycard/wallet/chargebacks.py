"""Charge-backs: a bank or a provider takes a top-up back. Each step is taken once and moves its money.

The money is gone when the case is opened. Until it is known who bears it, it stands on an account of the
case, and what the holder's online account has of it is held there.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import attrs
from sqlalchemy import Connection, insert, select

from citycard.errors import ChargebackConflict, ChargebackRefused, ChargebackUnknown, Phrase
from citycard.ids import derived_id
from citycard.ledger.chart import AccountCode, TransferCode
from citycard.ledger.following import capture, release, reversal
from citycard.ledger.ledger import Ledger
from citycard.ledger.records import AccountSpec, Kind, Transfer
from citycard.store.engine import write_alone
from citycard.wallet.addresses import chargeback_pending, holder_claim
from citycard.wallet.tables import chargeback, chargeback_step

__all__ = [
    "FOLLOWING",
    "Chargeback",
    "ChargebackState",
    "ChargebackStep",
    "bear",
    "begin",
    "chargebacks",
    "find_chargeback",
    "note_step",
    "recover",
    "steps_of",
]

_COMPARED = ("topup", "amount_fen", "taken_from", "reason", "deadline")


class ChargebackState(StrEnum):
    """Where a case is. ``accepted`` and ``lost`` are borne by the holder; ``won`` gives the money back."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DISPUTED = "disputed"
    WON = "won"
    LOST = "lost"


#: What a case may become.
FOLLOWING: dict[ChargebackState, frozenset[ChargebackState]] = {
    ChargebackState.OPEN: frozenset({ChargebackState.ACCEPTED, ChargebackState.DISPUTED}),
    ChargebackState.DISPUTED: frozenset({ChargebackState.WON, ChargebackState.LOST}),
    ChargebackState.ACCEPTED: frozenset(),
    ChargebackState.WON: frozenset(),
    ChargebackState.LOST: frozenset(),
}


@attrs.frozen(kw_only=True)
class Chargeback:
    """A top-up, or a part of it, that is taken back.

    ``topup`` is the transfer that credited ``account``, ``owner`` the card's or account's number,
    ``taken_from`` the account from which the money went, ``held_fen`` what was held on an online account;
    until ``deadline`` it can be disputed. ``state`` is that of its last step.
    """

    id: UUID
    topup: UUID
    owner: str
    account: str
    taken_from: str
    amount_fen: int
    held_fen: int = 0
    reason: str
    deadline: date
    state: ChargebackState = attrs.field(default=ChargebackState.OPEN, converter=ChargebackState)


@attrs.frozen(kw_only=True)
class ChargebackStep:
    """One step of a case: who took it, when (UTC), and on what evidence."""

    state: ChargebackState = attrs.field(converter=ChargebackState)
    evidence: str
    actor: str
    at: datetime


def begin(
    conn: Connection, ledger: Ledger, case: Chargeback, topup: Transfer, *, actor: str, at: datetime
) -> Chargeback:
    """Open a case: its money leaves the account it was taken from, and is held where the top-up went.

    Opened again it is given back as it is now. Raise ChargebackConflict, or ChargebackRefused when the cases
    of a top-up would be more than it. ``at`` is local.
    """
    write_alone(conn, chargeback)  # so that two cases of one top-up see one another
    known = _rows(conn, case.id)
    if known:
        for field in _COMPARED:
            if getattr(known[0], field) != getattr(case, field):
                raise ChargebackConflict(id=case.id, field=field)
        return known[0]
    others_fen = sum(
        one.amount_fen for one in chargebacks(conn, topup=case.topup) if one.state is not ChargebackState.WON
    )
    left_fen = topup.amount_fen - others_fen
    if case.amount_fen > left_fen:
        reason = Phrase(
            "{left_fen} fen of top-up {topup} are left, less than {amount_fen}",
            left_fen=left_fen,
            topup=case.topup,
            amount_fen=case.amount_fen,
        )
        raise ChargebackRefused(id=case.id, reason=reason)
    pending = chargeback_pending(case.id)
    ledger.open_accounts(conn, [AccountSpec(address=pending, code=AccountCode.CHARGEBACKS, owner=case.owner)])
    held_fen = min(case.amount_fen, _available_fen(conn, ledger, case))
    transfers = [
        _moved(case, "taken", pending, case.taken_from, case.amount_fen, TransferCode.CHARGEBACK, at)
    ]
    if held_fen:
        transfers.append(_hold(case, held_fen, at))
    ledger.post_all(conn, transfers)
    case = attrs.evolve(case, held_fen=held_fen)
    conn.execute(insert(chargeback), attrs.asdict(case, filter=lambda field, _: field.name != "state"))
    note_step(conn, case, ChargebackState.OPEN, evidence=case.reason, actor=actor, at=ledger.clock.now())
    return case


def bear(conn: Connection, ledger: Ledger, case: Chargeback, *, at: datetime) -> int:
    """Let the holder bear a case: what is held is taken, then what the account has; return the claim left.

    The claim stands on ``card/<number>/claim``, a receivable, until it is paid.
    """
    pending, claim = chargeback_pending(case.id), holder_claim(case.owner)
    transfers = []
    if case.held_fen:
        hold = ledger.find(conn, [derived_id("chargeback", case.id, "hold")])
        transfers.append(
            capture(
                next(iter(hold.values())).transfer,
                id=derived_id("chargeback", case.id, "captured"),
                event_time=at,
                business_date=at.date(),
            )
        )
    more_fen = min(case.amount_fen - case.held_fen, _available_fen(conn, ledger, case))
    if more_fen:
        transfers.append(
            _moved(case, "more", case.account, pending, more_fen, TransferCode.CHARGEBACK_TAKEN, at)
        )
    claim_fen = case.amount_fen - case.held_fen - more_fen
    if claim_fen:
        ledger.open_accounts(
            conn, [AccountSpec(address=claim, code=AccountCode.CLAIMS_ON_HOLDERS, owner=case.owner)]
        )
        transfers.append(
            _moved(case, "claim", claim, pending, claim_fen, TransferCode.CHARGEBACK_CLAIMED, at)
        )
    ledger.post_all(conn, transfers)
    return claim_fen


def recover(conn: Connection, ledger: Ledger, case: Chargeback, *, at: datetime) -> None:
    """Take the money of a case that was won back to where it was, and let go of what was held."""
    taken = derived_id("chargeback", case.id, "taken")
    hold = derived_id("chargeback", case.id, "hold")
    posted = ledger.find(conn, [taken, hold])
    transfers = [
        reversal(
            posted[taken].transfer,
            id=derived_id("chargeback", case.id, "won"),
            code=TransferCode.CHARGEBACK_WON,
            event_time=at,
            business_date=at.date(),
        )
    ]
    if case.held_fen:
        transfers.append(
            release(
                posted[hold].transfer,
                id=derived_id("chargeback", case.id, "released"),
                event_time=at,
                business_date=at.date(),
            )
        )
    ledger.post_all(conn, transfers)


def note_step(
    conn: Connection,
    case: Chargeback,
    state: ChargebackState,
    *,
    evidence: str,
    actor: str,
    at: datetime,
) -> None:
    """Write down that a case took a step; ``at`` is aware."""
    row = {"case": case.id, "state": state.value, "evidence": evidence, "actor": actor, "at": at}
    conn.execute(insert(chargeback_step), row)


def find_chargeback(conn: Connection, identity: UUID, *, held: bool = False) -> Chargeback:
    """Give a case, ``held`` so that nobody else takes a step meanwhile; raise ChargebackUnknown."""
    if held:
        conn.execute(select(chargeback.c.id).where(chargeback.c.id == identity).with_for_update())
    found = _rows(conn, identity)
    if not found:
        raise ChargebackUnknown(id=identity)
    return found[0]


def chargebacks(
    conn: Connection, *, state: ChargebackState | None = None, topup: UUID | None = None
) -> list[Chargeback]:
    """Give the cases in a state, or of a top-up, or all, by deadline."""
    found = [one for one in _rows(conn) if topup is None or one.topup == topup]
    return [one for one in found if state is None or one.state is state]


def steps_of(conn: Connection, identity: UUID) -> list[ChargebackStep]:
    """Give the steps of a case, oldest first."""
    table = chargeback_step
    query = select(table).where(table.c.case == identity).order_by(table.c.seq)
    return [
        ChargebackStep(state=row.state, evidence=row.evidence, actor=row.actor, at=row.at)
        for row in conn.execute(query)
    ]


def _rows(conn: Connection, identity: UUID | None = None) -> list[Chargeback]:
    query = select(chargeback).order_by(chargeback.c.deadline, chargeback.c.id)
    steps = select(chargeback_step.c.case, chargeback_step.c.state).order_by(chargeback_step.c.seq)
    if identity is not None:
        query = query.where(chargeback.c.id == identity)
        steps = steps.where(chargeback_step.c.case == identity)
    states = {row.case: row.state for row in conn.execute(steps)}
    return [
        Chargeback(**row._mapping, state=states[row.id])  # noqa: SLF001 - the documented way to read a row
        for row in conn.execute(query)
    ]


def _available_fen(conn: Connection, ledger: Ledger, case: Chargeback) -> int:
    """Give what can be taken where the top-up went: nothing from a card, which nobody can reach."""
    found = ledger.balance(conn, case.account)
    return max(0, found.available_fen) if found.code == AccountCode.ONLINE_ACCOUNTS else 0


def _hold(case: Chargeback, held_fen: int, at: datetime) -> Transfer:
    pending = chargeback_pending(case.id)
    moved = _moved(case, "hold", case.account, pending, held_fen, TransferCode.CHARGEBACK_TAKEN, at)
    return attrs.evolve(moved, kind=Kind.PENDING)


def _moved(
    case: Chargeback,
    step: str,
    debit: str,
    credit: str,
    amount_fen: int,
    code: TransferCode,
    at: datetime,
) -> Transfer:
    return Transfer(
        id=derived_id("chargeback", case.id, step),
        debit_address=debit,
        credit_address=credit,
        amount_fen=amount_fen,
        code=code,
        event_time=at,
        business_date=at.date(),
        ref=f"chargeback/{case.id}",
    )
