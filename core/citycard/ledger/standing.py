"""What transfers are judged against: accounts, holds, what may be taken back, and limits, as they stand."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import attrs

from citycard.ledger.chart import Guard
from citycard.ledger.records import HoldState, Kind, Limit, Result, Transfer

__all__ = ["HeldAmount", "Standing", "Standings", "Use"]


@attrs.define
class Standing:
    """An account while a call is judged: guard, posted and pending sums in fen.

    ``last_seq`` is the number of the newest transfer of the account, ``transfers`` counts them.
    """

    id: UUID
    guard: Guard
    debits_fen: int = 0
    credits_fen: int = 0
    debits_pending_fen: int = 0
    credits_pending_fen: int = 0
    currency: str = "CNY"
    last_seq: int = 0
    transfers: int = 0

    def refuses_debit(self, amount_fen: int) -> bool:
        return (
            self.guard is Guard.DEBITS_WITHIN_CREDITS
            and self.debits_pending_fen + self.debits_fen + amount_fen > self.credits_fen
        )

    def refuses_credit(self, amount_fen: int) -> bool:
        return (
            self.guard is Guard.CREDITS_WITHIN_DEBITS
            and self.credits_pending_fen + self.credits_fen + amount_fen > self.debits_fen
        )


@attrs.define(kw_only=True)
class HeldAmount:
    """A hold while a call is judged; ``limits`` are the keys that it counts under."""

    id: UUID
    debit_account: UUID
    credit_account: UUID
    amount_fen: int
    state: HoldState = HoldState.PENDING
    expires_at: datetime | None = None
    limits: tuple[str, ...] = ()

    def is_over(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now


@attrs.define
class Use:
    """What was posted and held under a limit's key."""

    used_fen: int = 0
    used_count: int = 0

    def refuses(self, limit: Limit, amount_fen: int) -> Result | None:
        if limit.max_fen is not None and self.used_fen + amount_fen > limit.max_fen:
            return Result.LIMIT_AMOUNT_EXCEEDED
        if limit.max_count is not None and self.used_count + 1 > limit.max_count:
            return Result.LIMIT_COUNT_EXCEEDED
        return None


#: What the end of a hold makes of it.
_ENDS = {Kind.POST: HoldState.POSTED, Kind.VOID: HoldState.VOIDED, Kind.EXPIRE: HoldState.EXPIRED}
_ENDED = {
    HoldState.POSTED: Result.HOLD_POSTED,
    HoldState.VOIDED: Result.HOLD_VOIDED,
    HoldState.EXPIRED: Result.HOLD_EXPIRED,
}


@attrs.define(kw_only=True)
class Standings:
    """Everything that the transfers of a call touch.

    ``accounts`` by address; ``holds`` by id; ``reversible`` gives, by the id of a posted transfer, its debit
    and credit account and the fen of it that were not taken back; ``uses`` by the key of a limit. ``watched``
    are ids that transfers of the call take back: they may be posted in the same call. ``now`` is the time of
    posting.
    """

    now: datetime
    accounts: dict[str, Standing]
    holds: dict[UUID, HeldAmount] = attrs.field(factory=dict)
    reversible: dict[UUID, tuple[UUID, UUID, int]] = attrs.field(factory=dict)
    uses: dict[str, Use] = attrs.field(factory=dict)
    watched: frozenset[UUID] = frozenset()

    def check(self, transfer: Transfer) -> Result:  # noqa: PLR0911 - one reason after the other
        """Say what becomes of a transfer as things stand: ``posted``, or why not."""
        debited = self.accounts.get(transfer.debit_address)
        credited = self.accounts.get(transfer.credit_address)
        if debited is None:
            return Result.DEBIT_ACCOUNT_MISSING
        if credited is None:
            return Result.CREDIT_ACCOUNT_MISSING
        if debited.currency != credited.currency:
            return Result.CURRENCIES_DIFFER
        if transfer.kind is not Kind.SINGLE and transfer.kind.ends_hold:
            return self._check_end(transfer, debited, credited)
        if transfer.reverses is not None:
            refused = self._check_reversal(transfer, debited, credited)
            if refused is not None:
                return refused
        if debited.guard is not Guard.NONE and debited.refuses_debit(transfer.amount_fen):
            return Result.DEBITS_EXCEED_CREDITS
        if credited.guard is not Guard.NONE and credited.refuses_credit(transfer.amount_fen):
            return Result.CREDITS_EXCEED_DEBITS
        return self._check_limits(transfer) if transfer.limits else Result.POSTED

    def apply(self, transfer: Transfer, sign: int) -> None:
        """Let an accepted transfer take effect (``sign`` 1), or take its effect away again (-1)."""
        debited = self.accounts[transfer.debit_address]
        credited = self.accounts[transfer.credit_address]
        amount_fen = sign * transfer.amount_fen
        if transfer.kind is Kind.PENDING:
            debited.debits_pending_fen += amount_fen
            credited.credits_pending_fen += amount_fen
            self._begin_hold(transfer, debited, credited, sign)
        else:
            single = transfer.kind is Kind.SINGLE
            if not single:
                self._end_hold(transfer, debited, credited, sign)
            if single or transfer.kind.moves:
                debited.debits_fen += amount_fen
                credited.credits_fen += amount_fen
        if self.watched:
            self._apply_reversal(transfer, debited, credited, amount_fen)
        for limit in transfer.limits:
            use = self.uses[limit.key]
            use.used_fen += amount_fen
            use.used_count += sign

    def _check_end(self, transfer: Transfer, debited: Standing, credited: Standing) -> Result:
        assert transfer.pending_id is not None
        hold = self.holds.get(transfer.pending_id)
        if hold is None:
            return Result.HOLD_MISSING
        if hold.state in _ENDED or (hold.is_over(self.now) and transfer.kind is not Kind.EXPIRE):
            return _ENDED.get(hold.state, Result.HOLD_EXPIRED)
        if (hold.debit_account, hold.credit_account) != (debited.id, credited.id):
            return Result.HOLD_DIFFERS
        if transfer.amount_fen > hold.amount_fen:
            return Result.AMOUNT_EXCEEDS_HOLD
        if transfer.kind is not Kind.POST and transfer.amount_fen != hold.amount_fen:
            return Result.HOLD_DIFFERS
        return Result.POSTED

    def _check_reversal(self, transfer: Transfer, debited: Standing, credited: Standing) -> Result | None:
        assert transfer.reverses is not None
        found = self.reversible.get(transfer.reverses)
        if found is None:
            return Result.REVERSED_MISSING
        debit_account, credit_account, left_fen = found
        if (debit_account, credit_account) != (credited.id, debited.id):
            return Result.REVERSAL_DIFFERS
        return Result.AMOUNT_EXCEEDS_REVERSED if transfer.amount_fen > left_fen else None

    def _apply_reversal(
        self, transfer: Transfer, debited: Standing, credited: Standing, amount_fen: int
    ) -> None:
        if transfer.reverses is not None:
            one, other, left_fen = self.reversible[transfer.reverses]
            self.reversible[transfer.reverses] = (one, other, left_fen - amount_fen)
        if transfer.id in self.watched and transfer.kind.moves:
            if amount_fen > 0:
                self.reversible[transfer.id] = (debited.id, credited.id, amount_fen)
            else:
                del self.reversible[transfer.id]

    def _check_limits(self, transfer: Transfer) -> Result:
        for limit in transfer.limits:
            refused = self.uses[limit.key].refuses(limit, transfer.amount_fen)
            if refused is not None:
                return refused
        return Result.POSTED

    def _begin_hold(self, transfer: Transfer, debited: Standing, credited: Standing, sign: int) -> None:
        if sign < 0:
            del self.holds[transfer.id]
            return
        self.holds[transfer.id] = HeldAmount(
            id=transfer.id,
            debit_account=debited.id,
            credit_account=credited.id,
            amount_fen=transfer.amount_fen,
            expires_at=transfer.expires_at,
            limits=tuple(limit.key for limit in transfer.limits),
        )

    def _end_hold(self, transfer: Transfer, debited: Standing, credited: Standing, sign: int) -> None:
        assert transfer.pending_id is not None
        hold = self.holds[transfer.pending_id]
        hold.state = _ENDS[transfer.kind] if sign > 0 else HoldState.PENDING
        debited.debits_pending_fen -= sign * hold.amount_fen
        credited.credits_pending_fen -= sign * hold.amount_fen
        # What is released counts under no limit any more.
        taken_fen = transfer.amount_fen if transfer.kind is Kind.POST else 0
        for key in hold.limits:
            use = self.uses[key]
            use.used_fen -= sign * (hold.amount_fen - taken_fen)
            use.used_count -= sign if taken_fen == 0 else 0
