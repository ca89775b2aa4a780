"""What is done with an online account as a whole: open, freeze, limit and close it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection

from citycard.errors import AccountNotOpen, LimitLoosened, Phrase
from citycard.ids import derived_id
from citycard.ledger.chart import AccountCode, TransferCode
from citycard.ledger.records import AccountSpec, Transfer
from citycard.store.engine import reading
from citycard.wallet.acts import Act, once
from citycard.wallet.addresses import account_refund, online_account
from citycard.wallet.context import WalletContext
from citycard.wallet.limits import LIMIT_FIELDS, ActKind, LimitRule
from citycard.wallet.online import (
    AccountStatus,
    OnlineAccount,
    available_fen,
    find_account,
    hold_account,
    open_account,
    set_own_limits,
    set_status,
)
from citycard.wallet.points import lots_of, take_back
from citycard.wallet.programmes import note_lapse, pots_of

__all__ = ["Accounts"]


class Accounts:
    """Open, freeze, limit and close accounts. A call has the id that its client made, and happens once."""

    def __init__(self, context: WalletContext) -> None:
        self._context = context

    def open(self, identity: UUID, asn: str, *, actor: str = "") -> OnlineAccount:
        """Open the account of a card, or give the one that it has."""
        context = self._context
        act = Act(id=identity, kind="open", number=asn, actor=actor)
        once(context, act, lambda conn: open_account(conn, context.ledger, asn, at=context.clock.now()))
        return self.find(asn)

    def find(self, number: str) -> OnlineAccount:
        """Give an account by its number, or by the card it hangs on; raise OnlineAccountUnknown."""
        with reading(self._context.engine) as conn:
            return find_account(conn, number)

    def freeze(self, identity: UUID, number: str, *, actor: str = "") -> OnlineAccount:
        """Let nothing be paid or held any more until it is unfrozen; what is held can still be captured."""
        return self._become(identity, number, AccountStatus.FROZEN, actor)

    def unfreeze(self, identity: UUID, number: str, *, actor: str = "") -> OnlineAccount:
        """Let a frozen account pay again."""
        return self._become(identity, number, AccountStatus.OPEN, actor)

    def close(self, identity: UUID, number: str, *, actor: str = "") -> OnlineAccount:
        """Close an account for ever: its money becomes a refund that is due, to be paid out.

        Subsidies go back to their funds, points lapse. Raise AccountNotOpen while something is held.
        """
        act = Act(id=identity, kind="close", number=number, actor=actor)
        once(self._context, act, lambda conn: self._close(conn, number))
        return self.find(number)

    def limit(
        self, identity: UUID, number: str, kind: ActKind, rule: LimitRule, *, actor: str = ""
    ) -> OnlineAccount:
        """Let the owner of an account limit it more tightly than the city does; raise LimitLoosened.

        The rule replaces the owner's earlier one for this kind of act.
        """
        allowed = self._context.limits.of(kind)
        field = allowed.loosened_by(rule)
        if field is not None:
            wanted, city = getattr(rule, field), getattr(allowed, field)
            raise LimitLoosened(number=number, field=field, act=str(kind), wanted=wanted, allowed=city)
        content = {"act": str(kind)} | {name: getattr(rule, name) for name in LIMIT_FIELDS}
        act = Act(id=identity, kind="limit", number=number, actor=actor, content=content)

        def work(conn: Connection) -> None:
            hold_account(conn, number).must_take()
            set_own_limits(conn, number, kind, rule)

        once(self._context, act, work)
        return self.find(number)

    def _become(self, identity: UUID, number: str, wanted: AccountStatus, actor: str) -> OnlineAccount:
        act = Act(id=identity, kind=str(wanted), number=number, actor=actor)

        def work(conn: Connection) -> None:
            hold_account(conn, number).must_take()
            set_status(conn, number, wanted)

        once(self._context, act, work)
        return self.find(number)

    def _close(self, conn: Connection, number: str) -> None:
        context = self._context
        if hold_account(conn, number).status is AccountStatus.CLOSED:
            return
        address = online_account(number)
        rest_fen = available_fen(conn, context, address)
        balance_fen = context.ledger.balance_fen(conn, address)
        if rest_fen != balance_fen:
            reason = Phrase(
                "cannot be closed: {held_fen} fen are held, capture or release them first",
                held_fen=balance_fen - rest_fen,
            )
            raise AccountNotOpen(number=number, reason=reason)
        transfers = [
            note_lapse(
                conn,
                context,
                derived_id("subsidy closing", pot.programme, number),
                pot.programme,
                number,
                pot.available_fen,
                "closed",
            )
            for pot in pots_of(conn, context, number)
            if pot.available_fen
        ]
        if rest_fen:
            transfers.append(self._owed(conn, number, rest_fen))
        context.ledger.post_all(conn, transfers)
        take_back(conn, context, lots_of(conn, number))
        set_status(conn, number, AccountStatus.CLOSED)

    def _owed(self, conn: Connection, number: str, rest_fen: int) -> Transfer:
        owed = account_refund(number)
        spec = AccountSpec(address=owed, code=AccountCode.REFUNDS_DUE, owner=number)
        self._context.ledger.open_accounts(conn, [spec])
        identity = derived_id("account closing", number)
        return self._context.transfer(
            identity,
            online_account(number),
            owed,
            rest_fen,
            TransferCode.ACCOUNT_CLOSED,
            ref=f"account/{number}",
        )
