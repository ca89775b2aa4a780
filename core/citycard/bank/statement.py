"""What a bank tells about the trust account: statements and their lines, as values."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date
from enum import StrEnum

import attrs

__all__ = ["BankStatement", "Direction", "StatementLine"]


class Direction(StrEnum):
    """Whether a line adds to the account (credit) or takes from it (debit), in ISO 20022's words."""

    CREDIT = "CRDT"
    DEBIT = "DBIT"


@attrs.frozen(kw_only=True)
class StatementLine:
    """One booking on the trust account.

    ``position`` counts from 1 within the statement; ``reference`` is the bank's own; ``end_to_end`` is that
    of the payment; ``batch`` is the message id of an instruction that the bank booked as a whole;
    ``party_…`` is the other side; ``kind`` is the bank's transaction code (``PMNT-ICDT-ESCT``);
    ``return_reason`` says why a payment came back, where the bank says so.
    """

    position: int
    direction: Direction
    amount_fen: int = attrs.field(validator=attrs.validators.gt(0))
    booked_on: date
    reference: str = ""
    end_to_end: str = ""
    batch: str = ""
    party_name: str = ""
    party_account: str = ""
    text: str = ""
    kind: str = ""
    return_reason: str = ""

    @property
    def signed_fen(self) -> int:
        """Give what the line adds to the account; negative when it takes."""
        return self.amount_fen if self.direction is Direction.CREDIT else -self.amount_fen


@attrs.frozen(kw_only=True)
class BankStatement:
    """A statement of one account, as the bank sent it; its lines and its balances agree.

    ``sequence`` is the bank's own number of it, where it has one; ``pending`` counts entries that the bank
    showed without having booked them, which are left out.
    """

    statement_id: str
    account: str
    version: str
    sequence: int | None
    opened_on: date
    closed_on: date
    opening_fen: int
    closing_fen: int
    lines: tuple[StatementLine, ...]
    pending: int = 0

    @property
    def credit_fen(self) -> int:
        """Sum what came in."""
        return _sum(self.lines, Direction.CREDIT)

    @property
    def debit_fen(self) -> int:
        """Sum what went out."""
        return _sum(self.lines, Direction.DEBIT)

    @property
    def digest(self) -> str:
        """Give the SHA-256 (hex) of what the statement says, however its file is written."""
        head = (self.account, self.statement_id, self.sequence, self.opened_on, self.closed_on)
        sums = (self.opening_fen, self.closing_fen)
        lines = (attrs.astuple(line) for line in self.lines)
        told = "\n".join("\x1f".join(map(str, part)) for part in (head, sums, *lines))
        return hashlib.sha256(told.encode()).hexdigest()


def _sum(lines: Iterable[StatementLine], direction: Direction) -> int:
    return sum(line.amount_fen for line in lines if line.direction is direction)
