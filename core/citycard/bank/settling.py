"""Make true what lines turned out to be: postings, states of payments and receipts, exceptions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

import attrs
from sqlalchemy import Connection, Table, update

from citycard.bank.codes import BankCode, CaseState, How, LineState
from citycard.bank.matching import Match, Move, unknown_line
from citycard.bank.payments import PaymentState
from citycard.bank.statement import StatementLine
from citycard.bank.tables import bank_case, bank_case_step, bank_match, bank_payment, bank_receipt
from citycard.ids import derived_id, new_id
from citycard.ledger.chart import AccountCode
from citycard.ledger.ledger import Ledger
from citycard.ledger.records import AccountSpec, Transfer
from citycard.store.bulk import chunks, insert_rows, select_in
from citycard.wallet.addresses import BANK_CHARGES, BANK_INTEREST, BANK_UNMATCHED, TRUST_BANK
from citycard.wallet.agents import restore_quotas
from citycard.wallet.programmes import note_funding

__all__ = [
    "OWN_ACTOR",
    "Judged",
    "change_payments",
    "note_steps",
    "open_bank_accounts",
    "settle",
    "tell_wallet",
    "transfers_for",
]

#: Who acts in the history of an exception when nobody does.
OWN_ACTOR = "citycard"

_ACCOUNTS = (
    AccountSpec(address=TRUST_BANK, code=AccountCode.TRUST_BANK),
    AccountSpec(address=BANK_UNMATCHED, code=AccountCode.UNMATCHED_BANK),
    AccountSpec(address=BANK_CHARGES, code=AccountCode.BANK_CHARGES),
    AccountSpec(address=BANK_INTEREST, code=AccountCode.BANK_INTEREST),
)
_REASON_MOST = 300


@attrs.frozen(kw_only=True)
class Judged:
    """A line of a statement (its number in the store, its id with the bank), and what it is."""

    statement: int
    key: str
    line: StatementLine
    match: Match

    @property
    def case_id(self) -> UUID:
        """Give the id of the exception that the line may become."""
        return derived_id("bank", "case", "line", self.key, self.line.position)


def open_bank_accounts(conn: Connection, ledger: Ledger) -> None:
    """Open the accounts that every bank line may touch."""
    ledger.open_accounts(conn, _ACCOUNTS)


def settle(conn: Connection, ledger: Ledger, judged: Sequence[Judged]) -> list[Judged]:
    """Post every line and write down what it is; give the lines as they ended.

    What the ledger refuses, such as a receipt for an account that may not take it, waits with the unmatched.
    """
    open_bank_accounts(conn, ledger)
    posted = {
        outcome.id: outcome for outcome in ledger.post(conn, [one for each in judged for one in _moved(each)])
    }
    ended, kept = [], []
    for each in judged:
        refused = [posted[one.id].result for one in _moved(each) if not posted[one.id].posted]
        if refused:
            reason = f"the ledger refused it as {each.match.code.name}: {refused[0]}"
            lost = unknown_line(each.line, BankCode.M02, reason, each.match.payments)
            kept.append(attrs.evolve(each, match=lost))
        ended.append(kept[-1] if refused else each)
    ledger.post_all(conn, [one for each in kept for one in _moved(each, "kept")])
    taken = [one for each in judged for one in _moved(each) if posted[one.id].posted]
    tell_wallet(conn, ledger, taken)
    now = ledger.clock.now()
    _write_matches(conn, ended, now)
    _write_cases(conn, ended, now)
    for state in (PaymentState.SETTLED, PaymentState.RETURNED):
        mine = [
            payment.id
            for each in ended
            if each.match.payment_state is state
            for payment in each.match.payments
        ]
        change_payments(conn, mine, state, now)
    received = [
        each.match.receipt.id for each in ended if each.match.receipt and not each.match.receipt.standing
    ]
    _set(conn, bank_receipt, received, {"state": "received"})
    return ended


def tell_wallet(conn: Connection, ledger: Ledger, posted: Sequence[Transfer]) -> None:
    """Let quotas of agents and budgets of programmes follow what was posted for lines of the bank."""
    restore_quotas(conn, ledger, posted)
    note_funding(conn, posted)


def change_payments(conn: Connection, ids: Sequence[UUID], state: PaymentState, now: datetime) -> None:
    """Put payments into a state; where one was missing at the bank, that exception is over."""
    _set(conn, bank_payment, ids, {"state": state.value})
    missing = [derived_id("bank", "case", "payment", each) for each in ids]
    query = bank_case.select().where(bank_case.c.state != CaseState.RESOLVED)
    over = [row.id for row in select_in(conn, query, bank_case.c.id, missing)]
    words = f"the payment is {state.value} now"
    resolved = {"state": CaseState.RESOLVED.value, "how": How.ARRIVED.value, "resolution": words}
    _set(conn, bank_case, over, resolved)
    note_steps(conn, [(each, "resolved", OWN_ACTOR, f"{How.ARRIVED.value}: {words}") for each in over], now)


def note_steps(conn: Connection, steps: Iterable[tuple[UUID, str, str, str]], now: datetime) -> None:
    """Add to the history of exceptions: which, what, who, and in words."""
    names = ("id", "about", "what", "actor", "detail", "at")
    rows = [
        (new_id(), about, what, actor, detail[:_REASON_MOST], now) for about, what, actor, detail in steps
    ]
    insert_rows(conn, bank_case_step, names, rows)


def transfers_for(moves: Iterable[Move], *, parts: tuple[object, ...], day: date, ref: str) -> list[Transfer]:
    """Make the transfers of moves: all or none of them; their ids follow from ``parts``."""
    listed = list(moves)
    group = derived_id("bank", *parts, "group") if len(listed) > 1 else None
    return [
        Transfer(
            id=derived_id("bank", *parts, place),
            debit_address=move.debit,
            credit_address=move.credit,
            amount_fen=move.amount_fen,
            code=move.code,
            event_time=datetime.combine(day, datetime.min.time()),
            business_date=day,
            group=group,
            ref=ref,
        )
        for place, move in enumerate(listed)
    ]


def _moved(each: Judged, tag: str = "line") -> list[Transfer]:
    return transfers_for(
        each.match.moves,
        parts=(tag, each.key, each.line.position),
        day=each.line.booked_on,
        ref=f"bank/{each.statement}/{each.line.position}",
    )


def _write_matches(conn: Connection, ended: Sequence[Judged], now: datetime) -> None:
    names = (
        "statement", "position", "state", "code", "reason", "payment", "instruction", "receipt", "matched_at",
    )  # fmt: skip
    rows = []
    for each in ended:
        match = each.match
        payment = match.payments[0].id if match.payments and match.instruction is None else None
        rows.append((
            each.statement, each.line.position, match.code.state.value, match.code.name,
            match.reason[:_REASON_MOST], payment, match.instruction,
            match.receipt.id if match.receipt else None, now,
        ))  # fmt: skip
    insert_rows(conn, bank_match, names, rows)


def _write_cases(conn: Connection, ended: Sequence[Judged], now: datetime) -> None:
    odd = [each for each in ended if each.match.code.state is LineState.EXCEPTION]
    names = (
        "id", "code", "statement", "position", "payment", "since", "state", "taken_by", "how", "resolution",
    )  # fmt: skip
    rows = [
        (
            each.case_id, each.match.code.name, each.statement, each.line.position,
            each.match.payments[0].id if each.match.payments else None, each.line.booked_on,
            CaseState.OPEN.value, "", "", "",
        )
        for each in odd
    ]  # fmt: skip
    insert_rows(conn, bank_case, names, rows)
    note_steps(conn, [(each.case_id, "opened", OWN_ACTOR, each.match.reason) for each in odd], now)


def _set(conn: Connection, table: Table, ids: Sequence[UUID], values: dict[str, str]) -> None:
    for piece in chunks(list(ids)):
        conn.execute(update(table).where(table.c.id.in_(piece)).values(values))
