"""What clearing needs from the city around it. The city supplies it; clearing never looks further up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import attrs
from sqlalchemy import Connection, Engine

from citycard.bank.calendar import BusinessCalendar
from citycard.bank.instruction import BankAccount
from citycard.clearing.pricing import Quote
from citycard.clock import Clock
from citycard.keys.versions import KeyVersion
from citycard.ledger.ledger import Ledger
from citycard.money import percent_of
from citycard.terminal.record import TransactionRecord
from citycard.wallet.addresses import CITY_PREFIX

if TYPE_CHECKING:
    from citycard.clearing.columns import Array
    from citycard.keys.columns import Answers, Bytes, Numbers

__all__ = [
    "BankAccount",
    "CityFile",
    "ClearingContext",
    "ClearingTerms",
    "Rates",
    "Rating",
    "Share",
    "TacVault",
    "Worker",
]


@attrs.frozen(kw_only=True)
class Share:
    """Name a payee of a ride or sale: a partner and its weight in the amount.

    Without a name it is the partner that has the terminal.
    """

    partner: str = ""
    weight: int = attrs.field(default=1, validator=attrs.validators.ge(0))


@attrs.frozen(kw_only=True)
class Rating:
    """Say what a record should have cost and who gets it.

    ``quote`` is None where nothing is to be priced (an entry without a charge). ``shares`` without a weight
    above zero, or no shares at all, give everything to the terminal's partner.
    """

    quote: Quote | None
    shares: tuple[Share, ...] = ()


@attrs.frozen(kw_only=True)
class ClearingTerms:
    """Hold what the city agreed: issuers that take part, fees, limits, and the account that pays.

    ``fees_bp`` names partners whose fee differs from ``fee_bp`` (basis points of the gross), ``kind_fees_bp``
    kinds of partners; a partner's own comes first. A price that
    differs by more than ``price_limit_fen`` suspends the record, and so does a time more than
    ``oldest_days`` before the batch's business date or more than a day after it. ``amount_limit_fen``
    bounds one debit; terminals are told the same. ``calendar`` says on which days the bank pays. A batch that
    comes more than ``late_days`` after its business date waits for a release, and after ``expired_days`` it
    is not taken; 0 is no limit.

    ``net_caps_fen`` names partners of which one run pays no more than that. A decision that pays more than
    ``second_person_fen`` needs two persons. A record can be disputed for ``dispute_days`` business days after
    its run; evidence comes within ``evidence_days`` of the dispute, the decision within ``decision_days``.
    """

    issuers: frozenset[str]
    debtor: BankAccount
    amount_limit_fen: int = attrs.field(validator=attrs.validators.gt(0))
    fee_bp: int = attrs.field(default=0, validator=[attrs.validators.ge(0), attrs.validators.le(10_000)])
    fees_bp: Mapping[str, int] = attrs.field(factory=dict)
    kind_fees_bp: Mapping[str, int] = attrs.field(factory=dict)
    price_limit_fen: int = 10_000
    oldest_days: int = 30
    late_days: int = attrs.field(default=0, validator=attrs.validators.ge(0))
    expired_days: int = attrs.field(default=0, validator=attrs.validators.ge(0))
    timezone: str = "Asia/Shanghai"
    calendar: BusinessCalendar = attrs.field(factory=BusinessCalendar)
    net_caps_fen: Mapping[str, int] = attrs.field(factory=dict)
    second_person_fen: int = 10_000
    dispute_days: int = 20
    evidence_days: int = 5
    decision_days: int = 15

    def fee_fen(self, partner: str, gross_fen: int, kind: str = "") -> int:
        """Take the clearing fee of one partner, of a kind, from its gross, rounded half up to a whole fen.

        Another city pays none: its fee is agreed with it, debit by debit (``registry.CityFee``).
        """
        if partner.startswith(CITY_PREFIX):
            return 0
        kind_bp = self.kind_fees_bp.get(kind, self.fee_bp)
        return percent_of(gross_fen, self.fees_bp.get(partner, kind_bp), denominator=10_000)


@attrs.frozen(kw_only=True)
class CityFile:
    """A file in which another city handed in records: its name, SHA-256 and place, and its intake.

    Nothing else came in under that ``intake``, so that its records are those of the segments of it.
    """

    name: str
    digest: str
    intake: int
    path: str


class TacVault(Protocol):
    """Check what cards and terminals signed, without giving out a key."""

    def check_purchase_tac(
        self,
        asn8: bytes,
        key_version: int,
        amount_fen: int,
        tti: int,
        terminal6: bytes,
        serial: int,
        datetime7: bytes,
        tac4: bytes,
    ) -> bool: ...

    def check_terminal_mac(self, terminal6: bytes, data: bytes, mac: bytes) -> bool: ...

    def check_purchase_tacs(
        self,
        asn8: Bytes,
        key_version: Numbers,
        amount_fen: Numbers,
        tti: Numbers,
        terminal6: Bytes,
        serial: Numbers,
        datetime7: Bytes,
        tac4: Bytes,
    ) -> Answers: ...

    def check_terminal_macs(self, terminal6: Bytes, data: Bytes, mac: Bytes) -> Answers: ...

    def check_value(self, purpose: str, version: int | None = None) -> bytes: ...

    def versions(self) -> list[KeyVersion]: ...


class Rates(Protocol):
    """Say what a record should have cost, and which records must cost the same."""

    def rate(self, record: TransactionRecord) -> Rating: ...

    def of_day(self, service: int) -> bool | None:
        """Say whether what is paid for a service is part of what prices ask of a card's day.

        None says that nobody knows the service.
        """

    def claimed_fen(self, service: int, records: Array) -> Array | None:
        """Give what terminals say that cards paid before on the day; None where no price asks for it."""

    def with_claims(self, service: int, records: Array, spent_fen: Array) -> Array:
        """Give records that say so, of a service whose terminals claim it."""

    def alike(self, service: int, records: Array) -> Array | None:
        """Give a row of bytes for each record of a service: equal rows mean equal ratings.

        None says that nobody knows: then every record is rated for itself.
        """


class Worker(Rates, Protocol):
    """Supply whoever judges a bucket with the folder, the vault, and the price of a record."""

    @property
    def folder(self) -> Path: ...
    @property
    def vault(self) -> TacVault: ...
    @property
    def rules_version(self) -> str: ...


class ClearingContext(Worker, Protocol):
    """Supply clearing with what a worker has, and with store, ledger, clock and terms.

    ``clearing_engine`` names where work is done (``engines.engine_of``). ``worker_here`` judges in this
    process, by the prices of one moment; ``worker`` makes a worker in another process: it is pickled with its
    arguments, among which no secret may be. ``city_file`` gives the
    file of records that another city, by its code, handed in under a number, and None where it did not.
    """

    @property
    def engine(self) -> Engine: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def terms(self) -> ClearingTerms: ...
    @property
    def clearing_engine(self) -> str: ...
    @property
    def worker(self) -> Callable[[], Worker]: ...
    @property
    def worker_here(self) -> Worker: ...

    def city_file(self, conn: Connection, city: str, number: int) -> CityFile | None: ...
