"""What a fuel pump sees of a card: its lock, and the debits that opened it (docs/terminal.md)."""

from __future__ import annotations

import datetime as dt
from enum import IntEnum

import attrs

from citycard.terminal.notes import Note
from citycard.terminal.views import Outcome

__all__ = ["GreyCard", "GreyDebit", "GreyLock", "GreyStatus", "LockProof", "PurseChoice"]


class PurseChoice(IntEnum):
    """Which purse pays: P2 of the commands."""

    PASSBOOK = 1
    PURSE = 2


class GreyStatus(IntEnum):
    """The first byte of GET LOCK PROOF."""

    FREE = 0x00
    LOCKED = 0x01
    TAC_UNREAD = 0x10


@attrs.frozen(kw_only=True)
class LockProof:
    """GET LOCK PROOF. All but status, terminal and TAC are as our chips fill them (docs/chip.md)."""

    status: GreyStatus
    tti: int
    balance_fen: int
    counter: int
    terminal: str
    mac2: bytes = attrs.field(repr=False)
    tac: bytes = attrs.field(repr=False)

    @classmethod
    def of(cls, answer: bytes) -> LockProof:
        """Cut the 30 bytes of an answer; an unknown status counts as free."""
        known = answer[0] in set(GreyStatus)
        return cls(
            status=GreyStatus(answer[0]) if known else GreyStatus.FREE,
            tti=answer[1],
            balance_fen=int.from_bytes(answer[3:7], "big"),
            counter=int.from_bytes(answer[7:9], "big"),
            terminal=answer[9:15].hex(),
            mac2=answer[22:26],
            tac=answer[26:30],
        )


@attrs.frozen(kw_only=True)
class GreyLock:
    """A card that is locked: by this pump just now, or by any pump before."""

    asn: str
    counter: int
    balance_fen: int
    terminal: str
    gtac: bytes = attrs.field(repr=False)

    @classmethod
    def of(cls, asn: str, proof: LockProof) -> GreyLock:
        """Return the lock that the proof of a locked card tells of."""
        return cls(
            asn=asn,
            counter=proof.counter,
            balance_fen=proof.balance_fen,
            terminal=proof.terminal,
            gtac=proof.tac,
        )


@attrs.frozen(kw_only=True)
class GreyDebit:
    """A debit for unlock. ``tac`` is empty when the card no longer gives it, or nobody knows the outcome."""

    asn: str
    counter: int
    amount_fen: int
    balance_after_fen: int
    tti: int
    tac: bytes = attrs.field(repr=False)
    terminal: str
    terminal_serial: int
    at: dt.datetime
    recovered: bool = False
    outcome: Outcome = Outcome.DONE

    @classmethod
    def of(
        cls, note: Note, tac: bytes, outcome: Outcome = Outcome.DONE, *, recovered: bool = False
    ) -> GreyDebit:
        """Return the debit that a note comes to."""
        return cls(
            asn=note.asn,
            counter=note.counter,
            amount_fen=note.amount_fen,
            balance_after_fen=note.balance_before_fen - note.amount_fen,
            tti=note.tti,
            tac=tac,
            terminal=note.terminal,
            terminal_serial=note.serial,
            at=note.at,
            recovered=recovered,
            outcome=outcome,
        )


@attrs.frozen(kw_only=True)
class GreyCard:
    """What a pump knows of a card. ``recovered`` is a debit of this pump whose end it had not seen."""

    asn: str
    asn8: bytes
    balance_fen: int
    lock: GreyLock | None
    recovered: GreyDebit | None = None
