"""Say what a bank line is: pure decisions on what is known, each with a code, a reason and what it moves."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import attrs

from citycard.bank.codes import BankCode
from citycard.bank.payments import Payment, PaymentState
from citycard.bank.receipts import Receipt, ReceiptKind, words_of
from citycard.bank.statement import Direction, StatementLine
from citycard.ledger.chart import TransferCode
from citycard.wallet.addresses import BANK_CHARGES, BANK_INTEREST, BANK_UNMATCHED, TRUST_BANK

__all__ = ["Known", "Match", "Move", "match_line", "unknown_line"]

_CHARGES = {"CHRG", "COMM", "FEES"}
_INTEREST = "INTR"
_PENDING = (PaymentState.ORDERED, PaymentState.INSTRUCTED)


@attrs.frozen(kw_only=True)
class Move:
    """One posting that a line means."""

    debit: str
    credit: str
    amount_fen: int
    code: TransferCode


@attrs.frozen(kw_only=True)
class Match:
    """What a line is: its code, the reason in words, what it belongs to, and what it moves."""

    code: BankCode
    reason: str
    moves: tuple[Move, ...] = ()
    payments: tuple[Payment, ...] = ()
    payment_state: PaymentState | None = None
    instruction: int | None = None
    receipt: Receipt | None = None


@attrs.define(kw_only=True)
class Known:
    """What is known when a line is judged; ``learn`` keeps it true for the lines after it.

    ``payments`` by end-to-end id, ``batches`` by message id (the instruction's number and its payments),
    ``receipts`` by reference, ``booked`` the bank's references of earlier lines, ``days`` those of earlier
    statements with the day of booking: several lines of one statement, or other days, may share one.
    """

    payments: dict[str, Payment] = attrs.field(factory=dict)
    batches: dict[str, tuple[int, list[str]]] = attrs.field(factory=dict)
    receipts: dict[str, Receipt] = attrs.field(factory=dict)
    booked: set[tuple[str, str, int]] = attrs.field(factory=set)
    days: set[tuple[str, str, int, date]] = attrs.field(factory=set)

    def learn(self, line: StatementLine, match: Match) -> None:
        """Take in what a line turned out to be."""
        if line.reference:
            self.booked.add(_seen(line))
        for payment in match.payments:
            if match.payment_state is not None:
                changed = attrs.evolve(payment, state=match.payment_state)
                self.payments[payment.end_to_end] = changed
        if match.receipt is not None and not match.receipt.standing:
            self.receipts[match.receipt.reference] = attrs.evolve(match.receipt, state="received")


def match_line(line: StatementLine, known: Known) -> Match:
    """Say what a line is; whatever nothing explains is an exception."""
    payment = known.payments.get(line.end_to_end) if line.end_to_end else None
    found = None
    if payment is not None:
        found = _paid(line, payment) if line.direction is Direction.DEBIT else _came_back(line, payment)
    elif line.direction is Direction.DEBIT and not line.end_to_end and line.batch in known.batches:
        found = _whole_instruction(line, known)
    found = found or _bank_own(line)
    if found is None and (*_seen(line), line.booked_on) in known.days:
        # The bank tells a day again in another statement: a standing receipt would take its money twice.
        found = _booked_before(line)
    found = found or _expected(line, known)
    if found is None and line.reference and _seen(line) in known.booked:
        found = _booked_before(line)
    return found or unknown_line(line, BankCode.M02, "no payment and no expected receipt has its references")


def unknown_line(line: StatementLine, code: BankCode, reason: str, payments: Iterable[Payment] = ()) -> Match:
    """Make an exception: the money is in the account, or gone from it, and waits with the unmatched."""
    return Match(
        code=code,
        reason=reason,
        payments=tuple(payments),
        moves=(_move(line, BANK_UNMATCHED, TransferCode.BANK_UNMATCHED),),
    )


def _paid(line: StatementLine, payment: Payment) -> Match:
    if payment.state not in _PENDING:
        return unknown_line(line, BankCode.M05, f"payment {payment.end_to_end} is {payment.state}", [payment])
    if line.amount_fen != payment.amount_fen:
        reason = f"{line.amount_fen} fen booked for {payment.amount_fen} fen ordered"
        return unknown_line(line, BankCode.M03, reason, [payment])
    if line.party_account and _plain(line.party_account) != _plain(payment.creditor.account):
        reason = f"paid to account {line.party_account}, ordered to {payment.creditor.account}"
        return unknown_line(line, BankCode.M04, reason, [payment])
    return Match(
        code=BankCode.OK,
        reason=f"payment {payment.end_to_end}",
        payments=(payment,),
        payment_state=PaymentState.SETTLED,
        moves=(_move(line, payment.transit, TransferCode.BANK_PAID),),
    )


def _came_back(line: StatementLine, payment: Payment) -> Match:
    if payment.state in _PENDING:
        reason = f"payment {payment.end_to_end} came back, and was not yet booked out"
        return unknown_line(line, BankCode.M02, reason, [payment])
    if payment.state is PaymentState.RETURNED:
        reason = f"payment {payment.end_to_end} came back before"
        return unknown_line(line, BankCode.M05, reason, [payment])
    if line.amount_fen != payment.amount_fen:
        reason = f"{line.amount_fen} fen came back of {payment.amount_fen} fen paid"
        return unknown_line(line, BankCode.M03, reason, [payment])
    why = f" ({line.return_reason})" if line.return_reason else ""
    reason = f"payment {payment.end_to_end} came back{why}"
    if payment.source == BANK_UNMATCHED:
        lost = unknown_line(line, BankCode.M06, reason, [payment])
        return attrs.evolve(lost, payment_state=PaymentState.RETURNED)
    return Match(
        code=BankCode.S02,
        reason=reason,
        payments=(payment,),
        payment_state=PaymentState.RETURNED,
        moves=(_move(line, payment.source, TransferCode.BANK_RETURNED),),
    )


def _whole_instruction(line: StatementLine, known: Known) -> Match:
    number, ids = known.batches[line.batch]
    waiting = [known.payments[each] for each in ids if known.payments[each].state in _PENDING]
    total_fen = sum(payment.amount_fen for payment in waiting)
    if not waiting:
        return unknown_line(line, BankCode.M05, f"instruction {number} was booked before")
    if total_fen != line.amount_fen:
        reason = f"{line.amount_fen} fen booked for {total_fen} fen of instruction {number}"
        return unknown_line(line, BankCode.M03, reason)
    sums: dict[str, int] = {}
    for payment in waiting:
        sums[payment.transit] = sums.get(payment.transit, 0) + payment.amount_fen
    return Match(
        code=BankCode.OK,
        reason=f"instruction {number} as a whole, {len(waiting)} payments",
        payments=tuple(waiting),
        payment_state=PaymentState.SETTLED,
        instruction=number,
        moves=tuple(
            Move(debit=transit, credit=TRUST_BANK, amount_fen=fen, code=TransferCode.BANK_PAID)
            for transit, fen in sorted(sums.items())
        ),
    )


def _bank_own(line: StatementLine) -> Match | None:
    what = line.kind.rpartition("-")[2]
    if what in _CHARGES:
        # A charge that the bank gives back is less of a charge.
        moved = _move(line, BANK_CHARGES, TransferCode.BANK_CHARGE)
        return Match(code=BankCode.C01, reason=f"transaction code {line.kind}", moves=(moved,))
    if what == _INTEREST:
        moved = _move(line, BANK_INTEREST, TransferCode.BANK_INTEREST)
        return Match(code=BankCode.C02, reason=f"transaction code {line.kind}", moves=(moved,))
    return None


def _expected(line: StatementLine, known: Known) -> Match | None:
    words = words_of(line.end_to_end, line.text)
    fitting = [known.receipts[word] for word in sorted(words) if word in known.receipts]
    if line.direction is Direction.DEBIT:
        fitting = [receipt for receipt in fitting if receipt.kind is ReceiptKind.DESK]
    if len(fitting) > 1:
        named = ", ".join(receipt.reference for receipt in fitting[:5])
        return unknown_line(line, BankCode.M02, f"it names several expected receipts: {named}")
    if not fitting:
        return None
    (receipt,) = fitting
    if receipt.state != "open":
        return unknown_line(line, BankCode.M05, f"receipt {receipt.reference} came before")
    if receipt.amount_fen not in {None, line.amount_fen}:
        reason = f"{line.amount_fen} fen came for {receipt.amount_fen} fen of {receipt.reference}"
        return unknown_line(line, BankCode.M03, reason)
    if receipt.kind is ReceiptKind.DESK:
        return Match(code=BankCode.A02, reason=f"the desk's {receipt.reference}", receipt=receipt)
    return Match(
        code=BankCode.A01,
        reason=f"{receipt.kind} {receipt.reference}",
        receipt=receipt,
        moves=(_move(line, receipt.credit, TransferCode.BANK_RECEIVED),),
    )


def _move(line: StatementLine, other: str, code: TransferCode) -> Move:
    debit, credit = (TRUST_BANK, other) if line.direction is Direction.CREDIT else (other, TRUST_BANK)
    return Move(debit=debit, credit=credit, amount_fen=line.amount_fen, code=code)


def _booked_before(line: StatementLine) -> Match:
    return unknown_line(line, BankCode.M05, f"the bank's reference {line.reference} was booked before")


def _seen(line: StatementLine) -> tuple[str, str, int]:
    return line.reference, line.direction.value, line.amount_fen


def _plain(account: str) -> str:
    return "".join(letter for letter in account.upper() if letter.isalnum())
