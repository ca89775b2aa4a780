"""Hold an amount on an online account for a hotel or a fuel pump, and capture what it came to.

A hold is a pending transfer of the ledger: what is held cannot be spent, and moves to nobody yet. It ends
once: captured in whole or in part (the rest is free again), released, or expired at the time it was given.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, insert, select

from citycard.errors import FundsMissing, HoldRefused, HoldUnknown, Phrase, WalletInvalid, WalletRefused
from citycard.ids import derived_id
from citycard.ledger import HoldState, Kind, Transfer, capture, release
from citycard.ledger.chart import TransferCode
from citycard.ledger.tables import hold as ledger_hold
from citycard.store.bulk import select_in
from citycard.store.engine import reading
from citycard.wallet.acts import Act, once
from citycard.wallet.addresses import online_account
from citycard.wallet.context import WalletContext
from citycard.wallet.enforcing import post_limited
from citycard.wallet.limits import ActKind
from citycard.wallet.online import available_fen, hold_account
from citycard.wallet.onward import Onward, moved_on, told
from citycard.wallet.paymentbook import PaidPart, Payment, write_payment
from citycard.wallet.payments import check_amount, open_payable
from citycard.wallet.planning import OWN_MONEY
from citycard.wallet.tables import account_hold, payment

__all__ = ["LONGEST_HOLD", "AccountHold", "Holds", "holds_of"]

#: How long a hold may last at most.
LONGEST_HOLD = timedelta(days=31)

_SHOWN = 50


@attrs.frozen(kw_only=True)
class AccountHold:
    """A hold of a partner on an account.

    ``at`` is the city's local time, ``expires_at`` aware UTC; ``captured_fen`` is what a capture took.
    """

    id: UUID
    number: str
    partner: str
    amount_fen: int
    note: str
    at: datetime
    expires_at: datetime
    state: HoldState
    captured_fen: int = 0


class Holds:
    """Authorise, capture and release holds. Every call has the id that its client made, and happens once."""

    def __init__(self, context: WalletContext) -> None:
        self._context = context

    def authorise(
        self,
        identity: UUID,
        number: str,
        partner: str,
        amount_fen: int,
        lasts: timedelta,
        *,
        note: str = "",
        actor: str = "",
        refused: WalletRefused | None = None,
    ) -> AccountHold:
        """Hold an amount for a partner, out of the account's own money.

        ``refused`` is what somebody else says no with, such as a plugin: it is the answer then. Raise
        AccountNotOpen, FundsMissing, LimitExceeded, or WalletInvalid for an amount or a time that no hold
        may have.
        """
        check_amount(amount_fen, Phrase("hold {id}", id=identity))
        if not timedelta(minutes=1) <= lasts <= LONGEST_HOLD:
            expected = Phrase("1 minute to {days} days", days=LONGEST_HOLD.days)
            raise WalletInvalid(
                record=Phrase("hold {id}", id=identity), field="lasts", value=str(lasts), expected=expected
            )
        seconds = int(lasts.total_seconds())
        content = {"partner": partner, "amount_fen": amount_fen, "lasts_s": seconds, "note": note}
        words = {"partner": partner, "amount_fen": amount_fen}
        act = Act(id=identity, kind="hold", number=number, actor=actor, content=content, words=words)
        wanted = AccountHold(
            id=identity,
            number=number,
            partner=partner,
            amount_fen=amount_fen,
            note=note,
            at=self._context.now_local(),
            expires_at=self._context.clock.now() + timedelta(seconds=seconds),
            state=HoldState.PENDING,
        )

        def work(conn: Connection) -> None:
            if refused is not None:
                raise refused
            self._authorise(conn, wanted)

        once(self._context, act, work)
        return self.find(identity)

    def capture(
        self,
        identity: UUID,
        hold_id: UUID,
        amount_fen: int | None = None,
        *,
        onward: Sequence[Onward] = (),
        service: str = "",
        actor: str = "",
    ) -> AccountHold:
        """Take what is held, or a part of it and free the rest; once. Raise HoldUnknown or HoldRefused.

        The capture is a payment under ``identity`` for ``service``, and can be given back. What goes
        ``onward`` from the partner, such as its fee, is moved in the same step.
        """
        known = self.find(hold_id)
        taken_fen = known.amount_fen if amount_fen is None else amount_fen
        check_amount(taken_fen, Phrase("capture {id}", id=identity))
        content = {"hold": str(hold_id), "amount_fen": taken_fen, **told(onward)}
        content |= {"service": service} if service else {}
        words = {"hold": str(hold_id), "amount_fen": taken_fen}
        act = Act(id=identity, kind="capture", number=known.number, actor=actor, content=content, words=words)
        once(
            self._context, act, lambda conn: self._capture(conn, identity, known, taken_fen, onward, service)
        )
        return self.find(hold_id)

    def release(self, identity: UUID, hold_id: UUID, *, actor: str = "") -> AccountHold:
        """Free what is held; nothing is paid. Raise HoldUnknown or HoldRefused."""
        known = self.find(hold_id)
        content = {"hold": str(hold_id)}
        act = Act(
            id=identity, kind="release", number=known.number, actor=actor, content=content, words=content
        )
        once(self._context, act, lambda conn: self._release(conn, identity, known))
        return self.find(hold_id)

    def find(self, identity: UUID) -> AccountHold:
        """Give a hold as it stands now; raise HoldUnknown."""
        with reading(self._context.engine) as conn:
            found = _holds(conn, self._context, select(account_hold).where(account_hold.c.id == identity))
        if not found:
            raise HoldUnknown(id=identity)
        return found[0]

    def _authorise(self, conn: Connection, wanted: AccountHold) -> None:
        context = self._context
        account = hold_account(conn, wanted.number)
        account.must_be_open()
        address = online_account(wanted.number)
        have_fen = available_fen(conn, context, address)
        if have_fen < wanted.amount_fen:
            owner = f"account {wanted.number}"
            raise FundsMissing(owner=owner, available_fen=have_fen, wanted_fen=wanted.amount_fen)
        payable = open_payable(conn, context, wanted.partner)
        held = context.transfer(
            _transfer_id(wanted.id),
            address,
            payable,
            wanted.amount_fen,
            TransferCode.ACCOUNT_HELD,
            ref=f"hold/{wanted.id}",
        )
        held = attrs.evolve(held, kind=Kind.PENDING, expires_at=wanted.expires_at)
        post_limited(conn, context, account, ActKind.HOLD, wanted.amount_fen, [held])
        row = attrs.asdict(wanted)
        del row["state"], row["captured_fen"]
        conn.execute(insert(account_hold), row)

    def _capture(
        self,
        conn: Connection,
        identity: UUID,
        known: AccountHold,
        taken_fen: int,
        onward: Sequence[Onward],
        service: str,
    ) -> None:
        context, held = self._context, self._held(conn, known)
        if taken_fen > known.amount_fen:
            reason = Phrase(
                "{amount_fen} fen are held: {taken_fen} fen cannot be captured",
                amount_fen=known.amount_fen,
                taken_fen=taken_fen,
            )
            raise HoldRefused(id=known.id, reason=reason)
        at = context.now_local()
        moved = capture(
            held,
            id=derived_id("account capture", identity),
            amount_fen=taken_fen,
            event_time=at,
            business_date=at.date(),
            code=TransferCode.HOLD_CAPTURED,
        )
        self._end(conn, known, moved)
        context.ledger.post_all(conn, moved_on(conn, context, identity, known.partner, taken_fen, onward))
        write_payment(
            conn,
            Payment(
                id=identity,
                number=known.number,
                partner=known.partner,
                amount_fen=taken_fen,
                hold=known.id,
                note=known.note,
                at=at,
                service=service,
                parts=(PaidPart(programme=OWN_MONEY, amount_fen=taken_fen, transfer=moved.id),),
            ),
        )

    def _release(self, conn: Connection, identity: UUID, known: AccountHold) -> None:
        held, at = self._held(conn, known), self._context.now_local()
        freed = release(
            held,
            id=derived_id("account release", identity),
            event_time=at,
            business_date=at.date(),
            code=TransferCode.HOLD_RELEASED,
        )
        self._end(conn, known, freed)

    def _held(self, conn: Connection, known: AccountHold) -> Transfer:
        hold_account(conn, known.number)
        identity = _transfer_id(known.id)
        return self._context.ledger.find(conn, [identity])[identity].transfer

    def _end(self, conn: Connection, known: AccountHold, ending: Transfer) -> None:
        outcome = self._context.ledger.post(conn, [ending])[0]
        if not outcome.posted:
            reason = Phrase("it is {result}: it ends once", result=str(outcome.result).removeprefix("hold_"))
            raise HoldRefused(id=known.id, reason=reason)


def holds_of(
    conn: Connection,
    context: WalletContext,
    *,
    number: str | None = None,
    partner: str | None = None,
    limit: int = _SHOWN,
) -> list[AccountHold]:
    """Give the newest holds on an account, or of a partner, newest first."""
    query = select(account_hold).order_by(account_hold.c.at.desc(), account_hold.c.id.desc()).limit(limit)
    if number is not None:
        query = query.where(account_hold.c.number == number)
    if partner is not None:
        query = query.where(account_hold.c.partner == partner)
    return _holds(conn, context, query)


def _holds(conn: Connection, context: WalletContext, query: Any) -> list[AccountHold]:
    chosen = query.subquery()
    joined = (
        select(chosen, payment.c.amount_fen.label("captured_fen"))
        .outerjoin(payment, payment.c.hold == chosen.c.id)
        .order_by(chosen.c.at.desc(), chosen.c.id.desc())
    )
    rows, now = conn.execute(joined).all(), context.clock.now()
    states = _states(conn, [row.id for row in rows])
    found = []
    for row in rows:
        values = dict(row._mapping)  # noqa: SLF001 - the documented way to read a row by name
        state = states[row.id]
        # The ledger lets go of what is over before the next posting; nobody can take it any more.
        if state is HoldState.PENDING and values["expires_at"] <= now:
            state = HoldState.EXPIRED
        found.append(AccountHold(**values | {"state": state, "captured_fen": values["captured_fen"] or 0}))
    return found


def _states(conn: Connection, holds: Sequence[UUID]) -> dict[UUID, HoldState]:
    """Give how holds stand in the ledger, by the ids of their clients."""
    of = {_transfer_id(identity): identity for identity in holds}
    query = select(ledger_hold.c.id, ledger_hold.c.state)
    return {of[row.id]: HoldState(row.state) for row in select_in(conn, query, ledger_hold.c.id, list(of))}


def _transfer_id(identity: UUID) -> UUID:
    """Give the ledger's id of a hold: a client's own could be one that the city will post under."""
    return derived_id("account hold", identity)
