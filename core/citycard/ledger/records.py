"""What goes into the ledger and what comes out of it: accounts, transfers, outcomes."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any
from uuid import UUID

import attrs

from citycard.errors import TransferInvalid
from citycard.ids import derived_id
from citycard.ledger.chart import Guard, Side, side_of

__all__ = [
    "AccountSpec",
    "Balance",
    "Hold",
    "HoldState",
    "Kind",
    "Limit",
    "Outcome",
    "PostedTransfer",
    "Result",
    "Transfer",
    "account_id",
]

_LONGEST_ADDRESS = 200
_LONGEST_REF = 200
_LARGEST_AMOUNT_FEN = 10**15
_LARGEST_CODE = 0xFFFF
_CURRENCY = re.compile(r"[A-Z]{3}")
# U+001F keeps the fields of a transfer's digest apart; not every database stores the others.
_UNFIT = re.compile(r"[\x00\x1f\ud800-\udfff]")
_FIT = "no U+0000, U+001F or surrogate"
#: No clock says such a moment, and in another time zone it is a moment still.
_LAST_MOMENT = datetime(9000, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=200_000)
def account_id(address: str) -> UUID:
    """Give the id of the account at ``address``: it follows from the address alone."""
    return derived_id("account", address)


def _refuse(record: object, field: str, value: object, expected: str) -> None:
    raise TransferInvalid(record=record, field=field, value=value, expected=expected)


@attrs.frozen(kw_only=True)
class AccountSpec:
    """An account to open.

    ``address`` is unique and for ever (``partner/metro-1/payable``); ``code`` is its kind in the chart;
    ``side`` follows from the code unless given; ``owner`` is who it stands for, or empty; ``currency`` has
    three capital letters, and what is not money has one of its own (``PTS`` for points).
    """

    address: str
    code: int
    side: Side = attrs.field(converter=Side)
    guard: Guard = attrs.field(default=Guard.NONE, converter=Guard)
    owner: str = ""
    currency: str = "CNY"

    @side.default
    def _side_of_code(self) -> Side:
        return side_of(self.code)

    def __attrs_post_init__(self) -> None:
        if not 0 < len(self.address) <= _LONGEST_ADDRESS or self.address.strip() != self.address:
            _refuse(
                "account",
                "address",
                self.address,
                f"1 to {_LONGEST_ADDRESS} characters without spaces around",
            )
        if _UNFIT.search(self.address):
            _refuse("account", "address", self.address, _FIT)
        if not 0 < self.code <= _LARGEST_CODE:
            _refuse(f"account {self.address}", "code", self.code, f"1 to {_LARGEST_CODE}")
        if not _CURRENCY.fullmatch(self.currency):
            _refuse(f"account {self.address}", "currency", self.currency, "three capital letters")


class Kind(StrEnum):
    """What a transfer does: move money at once, hold it, or end a hold.

    ``pending`` holds an amount on both accounts; ``post`` moves all or a part of it and releases the rest;
    ``void`` releases it; ``expire`` does so because its time is over, and is made by the ledger alone.
    """

    SINGLE = "single"
    PENDING = "pending"
    POST = "post"
    VOID = "void"
    EXPIRE = "expire"

    @property
    def ends_hold(self) -> bool:
        return self in _ENDS_HOLD

    @property
    def moves(self) -> bool:
        """Say whether posted money moves."""
        return self in _MOVES


_ENDS_HOLD = frozenset({Kind.POST, Kind.VOID, Kind.EXPIRE})
_MOVES = frozenset({Kind.SINGLE, Kind.POST})


@attrs.frozen(kw_only=True)
class Limit:
    """A condition of a transfer: what was posted and held under ``key`` stays within an amount and a count.

    A key names who, what for, and the period: ``account/17/pay/2018-09-01``. What a hold does not use is
    given back to its limits.
    """

    key: str
    max_fen: int | None = None
    max_count: int | None = None

    def __attrs_post_init__(self) -> None:
        if not 0 < len(self.key) <= _LONGEST_ADDRESS or _UNFIT.search(self.key):
            _refuse("limit", "key", self.key, f"1 to {_LONGEST_ADDRESS} characters, {_FIT}")
        for field in ("max_fen", "max_count"):
            value = getattr(self, field)
            if value is not None and value < 0:
                _refuse(f"limit {self.key}", field, value, "0 or more, or None for no bound")


@attrs.frozen(kw_only=True)
class Transfer:
    """One movement of money from the debit account to the credit account.

    ``id`` is made by the client, and one id has one outcome for ever; ``code`` says why (``TransferCode``);
    ``event_time`` is the city's local time at which it happened, naive; transfers of one call with the
    same ``group`` are posted all or none; ``ref`` points to what caused it (``run/2018-09-01/1``).

    ``pending_id`` names the hold that a ``post`` or ``void`` ends, ``expires_at`` (aware) when a ``pending``
    ends by itself, ``reverses`` the posted transfer of which this one takes back all or a part. ``limits``
    are judged with the transfer; they are conditions and not part of its content.
    """

    id: UUID
    debit_address: str
    credit_address: str
    amount_fen: int
    code: int
    event_time: datetime
    business_date: date
    group: UUID | None = None
    ref: str = ""
    kind: Kind = Kind.SINGLE
    pending_id: UUID | None = None
    expires_at: datetime | None = None
    reverses: UUID | None = None
    limits: tuple[Limit, ...] = ()

    def __attrs_post_init__(self) -> None:
        if not 0 < self.amount_fen <= _LARGEST_AMOUNT_FEN:
            self._refuse("amount_fen", f"1 to {_LARGEST_AMOUNT_FEN}")
        if self.debit_address == self.credit_address:
            self._refuse("credit_address", "another account than the debit account")
        if not 0 < self.code <= _LARGEST_CODE:
            self._refuse("code", f"1 to {_LARGEST_CODE}")
        if self.event_time.tzinfo is not None:
            self._refuse("event_time", "the city's local time, without a time zone")
        if len(self.ref) > _LONGEST_REF:
            self._refuse("ref", f"at most {_LONGEST_REF} characters")
        if not (self.debit_address + self.credit_address + self.ref).isprintable():
            self._check_characters()
        if self.limits and len({limit.key for limit in self.limits}) < len(self.limits):
            self._refuse("limits", "each key once")
        if self.kind is not Kind.SINGLE or self.pending_id or self.expires_at or self.reverses:
            self._check_kind()

    def _check_characters(self) -> None:
        for field in ("debit_address", "credit_address", "ref"):
            if _UNFIT.search(getattr(self, field)):
                self._refuse(field, _FIT)

    def _check_kind(self) -> None:
        if self.kind.ends_hold is not (self.pending_id is not None):
            expected = "the id of a hold" if self.kind.ends_hold else f"none: a {self.kind} ends no hold"
            self._refuse("pending_id", expected)
        if self.expires_at is not None and (self.kind is not Kind.PENDING or self.expires_at.tzinfo is None):
            self._refuse("expires_at", "a moment with its time zone, of a pending transfer")
        if self.expires_at is not None and self.expires_at >= _LAST_MOMENT:
            self._refuse("expires_at", "a moment before the year 9000")
        if self.reverses is not None and self.kind is not Kind.SINGLE:
            self._refuse("reverses", f"none: a {self.kind} takes nothing back")
        if self.limits and self.kind.ends_hold:
            self._refuse("limits", "none: what a hold may take was judged when it began")

    def _refuse(self, field: str, expected: str) -> None:
        _refuse(f"transfer {self.id}", field, getattr(self, field), expected)


class Result(StrEnum):
    """What became of a transfer; the further answers ``exists_with_different_<field>`` name a field."""

    POSTED = "posted"
    EXISTS = "exists"
    DEBIT_ACCOUNT_MISSING = "debit_account_missing"
    CREDIT_ACCOUNT_MISSING = "credit_account_missing"
    DEBITS_EXCEED_CREDITS = "debits_exceed_credits"
    CREDITS_EXCEED_DEBITS = "credits_exceed_debits"
    GROUP_FAILED = "group_failed"
    CURRENCIES_DIFFER = "currencies_differ"
    HOLD_MISSING = "hold_missing"
    HOLD_POSTED = "hold_posted"
    HOLD_VOIDED = "hold_voided"
    HOLD_EXPIRED = "hold_expired"
    HOLD_DIFFERS = "hold_differs"
    AMOUNT_EXCEEDS_HOLD = "amount_exceeds_hold"
    REVERSED_MISSING = "reversed_missing"
    REVERSAL_DIFFERS = "reversal_differs"
    AMOUNT_EXCEEDS_REVERSED = "amount_exceeds_reversed"
    LIMIT_AMOUNT_EXCEEDED = "limit_amount_exceeded"
    LIMIT_COUNT_EXCEEDED = "limit_count_exceeded"


@attrs.frozen(kw_only=True)
class Outcome:
    """The answer to one transfer: ``result`` is a ``Result`` or ``exists_with_different_<field>``.

    ``repeated`` says that the id was seen before, and that this is the answer it got then.
    """

    id: UUID
    result: str
    repeated: bool = False

    @property
    def posted(self) -> bool:
        """Say whether the ledger holds exactly this transfer, from now or from before."""
        return self.result in {Result.POSTED, Result.EXISTS}


@attrs.frozen(kw_only=True)
class PostedTransfer:
    """A transfer as the ledger keeps it, with its place in the order of posting and its posting time."""

    transfer: Transfer
    posted_seq: int
    posted_at: datetime


class HoldState(StrEnum):
    """Where a hold is; it ends once."""

    PENDING = "pending"
    POSTED = "posted"
    VOIDED = "voided"
    EXPIRED = "expired"


@attrs.frozen(kw_only=True)
class Hold:
    """A pending transfer and what became of it; ``amount_fen`` is what was held."""

    id: UUID
    state: HoldState
    amount_fen: int
    expires_at: datetime | None = None


@attrs.frozen(kw_only=True)
class Balance:
    """What an account holds. ``balance_fen`` is counted on the account's own side.

    ``transfers`` counts everything that was posted to it, holds and their ends too.
    """

    address: str
    code: int
    side: Side
    guard: Guard
    owner: str
    debits_fen: int
    credits_fen: int
    debits_pending_fen: int = 0
    credits_pending_fen: int = 0
    currency: str = "CNY"
    transfers: int = 0

    @property
    def balance_fen(self) -> int:
        """Give the posted balance: debits less credits on the debit side, the reverse on the credit side."""
        net = self.debits_fen - self.credits_fen
        return net if self.side is Side.DEBIT else -net

    @property
    def available_fen(self) -> int:
        """Give what is left of the balance when everything that is held on the other side is taken."""
        held = self.credits_pending_fen if self.side is Side.DEBIT else self.debits_pending_fen
        return self.balance_fen - held

    @classmethod
    def of(cls, row: Any) -> Balance:
        """Read a row of accounts joined with balances."""
        return cls(
            address=row.address,
            code=row.code,
            side=Side(row.side),
            guard=Guard(row.guard),
            owner=row.owner,
            debits_fen=row.dr_posted_fen,
            credits_fen=row.cr_posted_fen,
            debits_pending_fen=row.dr_pending_fen,
            credits_pending_fen=row.cr_pending_fen,
            currency=row.currency,
            transfers=row.transfers,
        )
