"""What a purse session hands out: the card it sees, the debit it made, the records to write along."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

import attrs

from citycard.card.files import CardIdentity
from citycard.terminal.load import Load
from citycard.terminal.record import RecordPlan

__all__ = ["CacheUpdate", "CardView", "Debit", "Outcome"]


class Outcome(StrEnum):
    """How a debit ended: past its last command it is done, not done, or nobody can tell."""

    DONE = "done"
    NOT_DONE = "not done"
    UNKNOWN = "unknown"


@attrs.frozen(kw_only=True)
class CacheUpdate:
    """One record that a composite purchase writes together with the debit.

    ``record`` counts from 1; ``append`` adds to a cyclic file instead. ``data`` is the whole record.
    """

    sfi: int
    record: int = 1
    data: bytes
    append: bool = False


@attrs.frozen(kw_only=True)
class Debit:
    """A debit that the card has made. ``counter`` is the card's count before it, ``tac`` the card's proof.

    ``recovered`` tells that its answer was torn off and found later; ``tac`` is then empty when the card no
    longer gives it, and ``outcome`` is UNKNOWN when nobody can tell whether it was made.
    """

    asn: str
    issuer: str
    card_kind: int
    counter: int
    amount_fen: int
    balance_before_fen: int
    balance_after_fen: int
    tac: bytes = attrs.field(repr=False)
    terminal: str
    terminal_serial: int
    tti: int
    key_version: int
    algorithm: int
    at: dt.datetime
    plan: RecordPlan
    recovered: bool = False
    outcome: Outcome = Outcome.DONE


@attrs.frozen(kw_only=True)
class CardView:
    """What a terminal knows of an accepted card before it touches the purse.

    ``recovered`` is an earlier debit of this terminal that turned out to be done: do not charge for it again.
    ``unresolved`` is one whose end nobody can tell any more; ``recovered_load`` is a load that was done.
    ``asn8`` are the eight bytes that diversify the card's keys.
    """

    asn: str
    asn8: bytes
    issuer: str
    card_kind: int
    start: dt.date | None
    expiry: dt.date | None
    balance_fen: int
    identity: CardIdentity
    recovered: Debit | None = None
    unresolved: Debit | None = None
    recovered_load: Load | None = None
