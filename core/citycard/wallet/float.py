"""The float: what the city owes and what it holds against it, at any past moment, from the transfers alone.

A moment is the number of the last transfer posted until then. The ledger's balances say what is now; here the
transfers themselves are summed, from the last checkpoint below that number on (``checkpoints``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

import attrs
from sqlalchemy import Connection, func, literal, select, union_all

from citycard.ledger.chart import TITLES, Side, side_of
from citycard.ledger.history import number_at
from citycard.ledger.records import Kind
from citycard.ledger.tables import account, transfer
from citycard.wallet.tables import float_checkpoint, float_sum

__all__ = [
    "FloatLine",
    "FloatReport",
    "Moved",
    "Sums",
    "added",
    "float_at",
    "float_over",
    "kept_sums",
    "last_checkpoint",
    "sums_between",
    "sums_until",
]

#: What moved, by account code and transfer code: debits and credits in fen.
Sums = dict[tuple[int, int], tuple[int, int]]

_MOVING = [kind for kind in Kind if kind.moves]
_CURRENCY = "CNY"


@attrs.frozen(kw_only=True)
class Moved:
    """What transfers with one code moved on the accounts with one code of the chart, in fen."""

    account_code: int
    code: int
    debits_fen: int
    credits_fen: int


@attrs.frozen(kw_only=True)
class FloatLine:
    """All accounts with one code of the chart: what was debited and credited until a moment, in fen."""

    code: int
    title: str
    debits_fen: int
    credits_fen: int

    @property
    def side(self) -> Side:
        """Give the side on which the balance is counted as positive."""
        return side_of(self.code)

    @property
    def balance_fen(self) -> int:
        """Give the balance on the line's own side."""
        net_fen = self.debits_fen - self.credits_fen
        return net_fen if self.side is Side.DEBIT else -net_fen


@attrs.frozen(kw_only=True)
class FloatReport:
    """The float at a moment. ``number`` is the last transfer that is in it, 0 before the first.

    Assets are what the city holds: trust account, money in transit, receivables. Against them stand what it
    owes (liabilities), what it earned (income) less what it bore (expenses), and accounts that must return to
    zero (control). ``difference_fen`` compares both sides and is 0 in a ledger that is in order.
    """

    at: datetime
    number: int
    moved: tuple[Moved, ...]
    lines: tuple[FloatLine, ...] = attrs.field()

    @lines.default
    def _summed(self) -> tuple[FloatLine, ...]:
        sums: dict[int, list[int]] = defaultdict(lambda: [0, 0])
        for one in self.moved:
            sums[one.account_code][0] += one.debits_fen
            sums[one.account_code][1] += one.credits_fen
        return tuple(
            FloatLine(code=code, title=TITLES.get(code, ""), debits_fen=debits_fen, credits_fen=credits_fen)
            for code, (debits_fen, credits_fen) in sorted(sums.items())
        )

    def balance_fen(self, code: int) -> int:
        """Give the balance of all accounts with this code; 0 when nothing ever moved there."""
        return sum(line.balance_fen for line in self.lines if line.code == code)

    @property
    def assets_fen(self) -> int:
        """Sum what the city holds: codes 1…."""
        return self._class_fen("1")

    @property
    def liabilities_fen(self) -> int:
        """Sum what the city owes: codes 2…."""
        return self._class_fen("2")

    @property
    def income_fen(self) -> int:
        """Sum what the city earned: codes 4…."""
        return self._class_fen("4")

    @property
    def expenses_fen(self) -> int:
        """Sum what the city bore: codes 5…."""
        return self._class_fen("5")

    @property
    def control_fen(self) -> int:
        """Sum every other code, as a credit; 0 whenever nothing is half-way."""
        return sum(
            line.balance_fen if line.side is Side.CREDIT else -line.balance_fen
            for line in self.lines
            if str(line.code)[0] not in "1245"
        )

    @property
    def difference_fen(self) -> int:
        """Give what the city holds more than it should; it must be 0."""
        against_fen = self.liabilities_fen + self.income_fen - self.expenses_fen + self.control_fen
        return self.assets_fen - against_fen

    def _class_fen(self, first: str) -> int:
        return sum(line.balance_fen for line in self.lines if str(line.code)[0] == first)


def float_at(conn: Connection, at: datetime) -> FloatReport:
    """Give the float at a moment (aware), by the transfers posted until then, that moment included."""
    number = number_at(conn, at)
    return _report(at, number, sums_until(conn, number))


def float_over(conn: Connection, moments: Sequence[datetime]) -> Iterator[FloatReport]:
    """Give the float at each of these moments, which grow; what lies between two is read once."""
    number, sums = 0, Sums()
    for at in moments:
        until = number_at(conn, at)
        kept = last_checkpoint(conn, until)
        if kept > number:
            number, sums = kept, kept_sums(conn, kept)
        sums = added(sums, sums_between(conn, number, until))
        number = until
        yield _report(at, number, sums)


def sums_until(conn: Connection, number: int) -> Sums:
    """Sum all transfers up to a number, from the last checkpoint on."""
    kept = last_checkpoint(conn, number)
    return added(kept_sums(conn, kept), sums_between(conn, kept, number))


def sums_between(conn: Connection, above: int, until: int) -> Sums:
    """Sum the transfers above one number and up to another, by account code and transfer code.

    Only money counts: what was moved at once, and of holds what was taken. Points are no money.
    """
    if until <= above:
        return {}
    within = (
        transfer.c.posted_seq > above,
        transfer.c.posted_seq <= until,
        transfer.c.kind.in_(_MOVING),
    )
    amount, nothing = transfer.c.amount_fen, literal(0)
    debited = select(
        transfer.c.dr_account.label("key"), transfer.c.code, amount.label("debit"), nothing.label("credit")
    )
    credited = select(transfer.c.cr_account, transfer.c.code, nothing, amount)
    legs = union_all(debited.where(*within), credited.where(*within)).subquery()
    query = (
        select(
            account.c.code.label("account_code"), legs.c.code, func.sum(legs.c.debit), func.sum(legs.c.credit)
        )
        .join(account, account.c.id == legs.c.key)
        .where(account.c.currency == _CURRENCY)
        .group_by(account.c.code, legs.c.code)
    )
    return {(kind, code): (int(debit), int(credit)) for kind, code, debit, credit in conn.execute(query)}


def last_checkpoint(conn: Connection, until: int) -> int:
    """Give the number of the last checkpoint up to a number, 0 when there is none."""
    newest = select(func.max(float_checkpoint.c.number)).where(float_checkpoint.c.number <= until)
    return conn.scalar(newest) or 0


def kept_sums(conn: Connection, number: int) -> Sums:
    """Give the sums that the checkpoint with this number holds; none for number 0."""
    rows = conn.execute(select(float_sum).where(float_sum.c.number == number))
    return {(row.account_code, row.code): (row.debits_fen, row.credits_fen) for row in rows}


def added(before: Sums, after: Sums) -> Sums:
    """Add what moved after a number to what had moved until then."""
    sums = dict(before)
    for key, (debits_fen, credits_fen) in after.items():
        known = sums.get(key, (0, 0))
        sums[key] = (known[0] + debits_fen, known[1] + credits_fen)
    return sums


def _report(at: datetime, number: int, sums: Sums) -> FloatReport:
    return FloatReport(
        at=at,
        number=number,
        moved=tuple(
            Moved(account_code=kind, code=code, debits_fen=debits_fen, credits_fen=credits_fen)
            for (kind, code), (debits_fen, credits_fen) in sorted(sums.items())
        ),
    )
