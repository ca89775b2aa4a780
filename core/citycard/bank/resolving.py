"""Resolve an exception: say where its money belongs, post that, and close it, in one transaction."""

from __future__ import annotations

from uuid import UUID

import attrs
from sqlalchemy import Connection, Row, select, update

from citycard.bank.cases import Case, case_of, hold_case, step_is_done, taken_error, write_step
from citycard.bank.codes import CaseState, How
from citycard.bank.context import BankContext, local_now
from citycard.bank.instruction import BankAccount
from citycard.bank.matching import Move
from citycard.bank.payments import Payment, PaymentKind, PaymentState, find_payment, order_payment
from citycard.bank.settling import change_payments, tell_wallet, transfers_for
from citycard.bank.tables import bank_case, bank_line
from citycard.errors import AccountMissing, CaseClosed, Phrase, ResolutionRefused
from citycard.ids import derived_id
from citycard.ledger.chart import AccountCode, TransferCode
from citycard.store.engine import reading, writing
from citycard.wallet.addresses import BANK_UNMATCHED, TRUST_BANK

__all__ = ["Resolution", "resolve"]

_BY_HAND = (How.MATCHED, How.POSTED, How.PAID_BACK, How.NOT_PAID)
_CLOSED_CODES = (AccountCode.SETTLEMENT_IN_TRANSIT, AccountCode.WINDOW_NET, AccountCode.UNMATCHED_BANK)


def _by_hand(_resolution: Resolution, _field: object, how: How) -> None:
    if how not in _BY_HAND:
        msg = f"expected one of {', '.join(_BY_HAND)}"
        raise ValueError(msg)


@attrs.frozen(kw_only=True)
class Resolution:
    """How a person resolves an exception, and why.

    ``matched``: the line is ``payment`` (its id or end-to-end id), booked or come back; ``account`` takes the
    difference where the amounts differ. ``posted``: the money belongs to the ledger account ``account``;
    that of the trust account itself says that it is the desk's cash. ``paid-back``: money that came is sent
    back to the account it came from, or to ``creditor``. ``not-paid``: the bank never executed the payment.
    """

    how: How = attrs.field(converter=How, validator=_by_hand)
    reason: str
    payment: str = ""
    account: str = ""
    creditor: BankAccount | None = None

    @property
    def words(self) -> str:
        """Say it in a line."""
        to = f"{self.creditor.name} {self.creditor.account}" if self.creditor else ""
        told = " ".join(filter(None, [self.how.value, self.payment, self.account, to]))
        return ": ".join(filter(None, [told, self.reason]))[:300]


def resolve(context: BankContext, case: UUID, resolution: Resolution, *, actor: str, step: UUID) -> Case:
    """Resolve an exception and post where its money belongs; the same ``step`` again changes nothing.

    Raise CaseTaken when somebody else works on it, CaseClosed when it is resolved, CaseStepConflict when
    ``step`` was another one, and ResolutionRefused when it does not fit what the exception is about.
    """
    with writing(context.engine) as conn:
        found = hold_case(conn, case)
        if not step_is_done(conn, case, step, "resolved", actor, resolution.words):
            if found.state is CaseState.RESOLVED:
                raise CaseClosed(case=str(case), how=found.resolution)
            if found.taken_by not in {"", actor[:100]}:
                raise taken_error(context, conn, case)
            _Work(conn, context, found, resolution).do()
            values = {
                "state": CaseState.RESOLVED.value,
                "taken_by": actor[:100],
                "how": resolution.how.value,
                "resolution": resolution.words,
            }
            conn.execute(update(bank_case).where(bank_case.c.id == case).values(values))
            write_step(conn, case, step, "resolved", actor, resolution.words, context.clock.now())
    with reading(context.engine) as conn:
        return case_of(conn, case)


class _Work:
    """One resolution being done."""

    def __init__(self, conn: Connection, context: BankContext, case: Case, resolution: Resolution) -> None:
        self._conn = conn
        self._context = context
        self._case = case
        self._wish = resolution
        self._line = self._line_of() if case.statement is not None else None

    def do(self) -> None:
        if not self._wish.reason.strip():
            raise self._refused("say why, for the history")
        deeds = {
            How.MATCHED: self._matched,
            How.POSTED: self._posted,
            How.PAID_BACK: self._paid_back,
            How.NOT_PAID: self._not_paid,
        }
        if (self._wish.how is How.NOT_PAID) is not (self._line is None):
            raise self._refused(
                "only a payment that is missing at the bank (M01) can be `not-paid`, and nothing else fits it"
            )
        deeds[self._wish.how]()

    def _matched(self) -> None:
        if not self._wish.payment:
            raise self._refused("name the payment that it is")
        payment = find_payment(self._conn, self._wish.payment, held=True)
        outward = self._case.amount_fen < 0
        waiting = payment.state in {PaymentState.ORDERED, PaymentState.INSTRUCTED}
        if outward and not waiting:
            raise self._refused(
                Phrase(
                    "payment {end_to_end} is {state} already",
                    end_to_end=payment.end_to_end,
                    state=payment.state,
                )
            )
        if not outward and payment.state is not PaymentState.SETTLED:
            raise self._refused(
                Phrase(
                    "payment {end_to_end} is {state}, so it cannot have come back",
                    end_to_end=payment.end_to_end,
                    state=payment.state,
                )
            )
        if payment.source == BANK_UNMATCHED and not outward:
            raise self._refused("the money of that payment was nobody's: post it to an account")
        rest_fen = abs(self._case.amount_fen) - payment.amount_fen
        if rest_fen and not self._wish.account:
            raise self._refused(
                Phrase(
                    "the amounts differ by {rest_fen} fen: name the account that takes them",
                    rest_fen=rest_fen,
                )
            )
        belongs = payment.transit if outward else payment.source
        moves = [self._out_of_unmatched(belongs, payment.amount_fen)]
        if rest_fen:
            self._check_account(self._wish.account)
            back = self._out_of_unmatched(self._wish.account, abs(rest_fen))
            moves.append(back if rest_fen > 0 else attrs.evolve(back, debit=back.credit, credit=back.debit))
        state = PaymentState.SETTLED if outward else PaymentState.RETURNED
        change_payments(self._conn, [payment.id], state, self._context.clock.now())
        self._post(moves)

    def _posted(self) -> None:
        if not self._wish.account:
            raise self._refused("name the ledger account that the money belongs to")
        self._check_account(self._wish.account)
        self._post([self._out_of_unmatched(self._wish.account, abs(self._case.amount_fen))])

    def _paid_back(self) -> None:
        line = self._line
        if line is None or self._case.amount_fen < 0:
            raise self._refused("only money that came in can be paid back")
        sender = BankAccount(name=line.party_name, account=line.party_account)
        creditor = self._wish.creditor or sender
        if not (creditor.name and creditor.account):
            raise self._refused("the bank does not say who sent it: name whom to pay, and the account")
        payment = Payment(
            id=derived_id("bank", "repayment", self._case.id),
            kind=PaymentKind.REPAYMENT,
            amount_fen=self._case.amount_fen,
            creditor=creditor,
            source=BANK_UNMATCHED,
            text=f"returned: {self._wish.reason}",
        )
        now = local_now(self._context)
        order_payment(self._conn, self._context.ledger, payment, event_time=now, business_date=now.date())

    def _not_paid(self) -> None:
        assert self._case.payment is not None
        payment = find_payment(self._conn, self._case.payment, held=True)
        change_payments(self._conn, [payment.id], PaymentState.RETURNED, self._context.clock.now())
        back = Move(
            debit=payment.transit,
            credit=payment.source,
            amount_fen=payment.amount_fen,
            code=TransferCode.BANK_NOT_PAID,
        )
        self._post([back])

    def _out_of_unmatched(self, account: str, amount_fen: int) -> Move:
        """Undo for one account what was posted when the line came: money in, or money out."""
        debit, credit = BANK_UNMATCHED, account
        if self._case.amount_fen < 0:
            debit, credit = credit, debit
        return Move(debit=debit, credit=credit, amount_fen=amount_fen, code=TransferCode.BANK_RESOLVED)

    def _check_account(self, address: str) -> None:
        try:
            code = self._context.ledger.balance(self._conn, address).code
        except AccountMissing:
            raise self._refused(Phrase("the ledger has no account {address}", address=address)) from None
        if code in _CLOSED_CODES or (code == AccountCode.TRUST_BANK and address != TRUST_BANK):
            raise self._refused(Phrase("account {address} is not one that money belongs to", address=address))

    def _post(self, moves: list[Move]) -> None:
        day = local_now(self._context).date()
        name = f"bank/case/{self._case.id}"
        parts = ("resolved", self._case.id)
        moved = transfers_for(moves, parts=parts, day=day, ref=name)
        self._context.ledger.post_all(self._conn, moved)
        tell_wallet(self._conn, self._context.ledger, moved)

    def _line_of(self) -> Row[tuple[object, ...]]:
        at = (bank_line.c.statement == self._case.statement) & (bank_line.c.position == self._case.position)
        return self._conn.execute(select(bank_line).where(at)).one()

    def _refused(self, reason: str) -> ResolutionRefused:
        return ResolutionRefused(case=str(self._case.id), reason=reason)
