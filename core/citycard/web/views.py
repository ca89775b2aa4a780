"""What the pages show and the endpoints answer: frozen records, amounts in fen, times local to the city."""

from __future__ import annotations

from datetime import date, datetime

import attrs

__all__ = [
    "CardLine",
    "CardRight",
    "CardView",
    "CodeCount",
    "DayView",
    "Domain",
    "FareBand",
    "FileCount",
    "FloatView",
    "HealthView",
    "JourneyView",
    "OperatorTake",
    "Part",
    "PartnerView",
    "Payment",
    "Period",
    "PluginView",
    "Posting",
    "PriceStep",
    "RecordView",
    "StateCount",
]


@attrs.frozen(kw_only=True)
class Period:
    """Taps within one span of the day, by what they were.

    ``opened`` counts rides whose entry no record has: the exit gate wrote an opening. That is no tap.
    """

    begins: datetime
    entries: int = 0
    exits: int = 0
    singles: int = 0
    opened: int = 0

    @property
    def taps(self) -> int:
        """Count the taps."""
        return self.entries + self.exits + self.singles


@attrs.frozen(kw_only=True)
class OperatorTake:
    """What one operator's terminals charged: its partner id, its name, priced rides, fen."""

    id: str
    name: str
    rides: int
    charged_fen: int


@attrs.frozen(kw_only=True)
class FareBand:
    """How many rides paid at least ``from_fen`` and less than ``to_fen`` (None: no upper end)."""

    from_fen: int
    to_fen: int | None
    rides: int

    @property
    def is_free(self) -> bool:
        """Say whether these rides cost nothing: they have a band of their own."""
        return self.to_fen == 1


@attrs.frozen(kw_only=True)
class FloatView:
    """Where the money is: what was taken in, and where each fen of it lies now.

    ``taken_fen`` is what the city holds or is owed, with what the bank has paid out for it; of it,
    ``loads_fen`` are the loads that cards have proven. ``difference_fen`` is what the right side has more
    than the left; it must be 0.
    """

    taken_fen: int
    loads_fen: int
    cards_fen: int
    payables_fen: int
    settled_fen: int
    fees_fen: int
    other_fen: int = 0

    @property
    def held_fen(self) -> int:
        """Add up where the money is now."""
        return self.cards_fen + self.payables_fen + self.settled_fen + self.fees_fen + self.other_fen

    @property
    def difference_fen(self) -> int:
        """Compare both sides of the float."""
        return self.held_fen - self.taken_fen


@attrs.frozen(kw_only=True)
class StateCount:
    """Records that ended in one state: accepted, rejected, suspended or duplicate."""

    state: str
    records: int
    amount_fen: int


@attrs.frozen(kw_only=True)
class CodeCount:
    """Records in one state for one reason, such as D01 or T01."""

    state: str
    code: str
    records: int
    amount_fen: int


@attrs.frozen(kw_only=True)
class FileCount:
    """Batch files that ended in one state for one reason; code F05 counts batches that have not arrived."""

    state: str
    code: str
    files: int


@attrs.frozen(kw_only=True)
class DayView:
    """A city's day as sums that name nobody.

    ``taps``, ``rides``, ``opened`` and ``charged_fen`` count accepted records; a ride ends with an exit or
    is a single tap. ``waiting`` counts records handed in and not yet cleared. ``float``, ``cards`` and
    ``files`` are as of now, whatever the day.
    """

    city: str
    city_zh: str
    day: date | None
    days: tuple[date, ...] = ()
    taps: int = 0
    cards: int = 0
    rides: int = 0
    opened: int = 0
    charged_fen: int = 0
    period_minutes: int = 10
    periods: tuple[Period, ...] = ()
    operators: tuple[OperatorTake, ...] = ()
    fares: tuple[FareBand, ...] = ()
    float: FloatView | None = None
    states: tuple[StateCount, ...] = ()
    codes: tuple[CodeCount, ...] = ()
    files: tuple[FileCount, ...] = ()
    waiting: int = 0

    @property
    def paid_uses(self) -> int:
        """Count the rides that cost something."""
        return sum(band.rides for band in self.fares if not band.is_free)


@attrs.frozen(kw_only=True)
class PartnerView:
    """A partner with its sums over all clearing runs: gross, fees, net, and what the ledger still owes it.

    Sums are of records that terminals wrote. Without an account, ``has_account``, nothing can be paid out.
    """

    id: str
    name: str
    kind: str
    status: str
    records: int
    gross_fen: int
    fee_fen: int
    net_fen: int
    unpaid_fen: int
    has_account: bool


@attrs.frozen(kw_only=True)
class Part:
    """Something a plugin claims: its kind (sector, service, route, …) and its name."""

    kind: str
    name: str


@attrs.frozen(kw_only=True)
class PluginView:
    """A plugin: who it is, where it stands, why, and what it claims.

    ``off_in`` names the districts and partners for which it is switched off while the city has it on.
    """

    name: str
    title: str
    title_zh: str
    distribution: str
    version: str
    description: str
    state: str
    reason: str
    claims: tuple[Part, ...] = ()
    failures: int = 0
    off_in: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Domain:
    """A plugin that runs here, with the titles (English, Chinese) of what a card can be used for in it."""

    plugin: str
    title: str
    title_zh: str
    services: tuple[tuple[str, str], ...] = ()


@attrs.frozen(kw_only=True)
class JourneyView:
    """One tap as its terminal recorded it and as clearing ended it. ``id`` leads to its explanation."""

    id: str
    at: datetime
    kind: str
    service: str
    service_zh: str
    place: str
    partner: str
    list_price_fen: int
    amount_fen: int
    balance_after_fen: int
    counter: int
    state: str
    code: str


@attrs.frozen(kw_only=True)
class CardRight:
    """Something a card entitles its holder to: who says so, and the last day when there is one."""

    name: str
    source: str
    until: date | None


@attrs.frozen(kw_only=True)
class CardView:
    """A card: what it is, what is in its purse by the books, and where it was used."""

    asn: str
    product: str
    product_title: str
    product_title_zh: str
    product_version: int
    status: str
    issued_on: date
    expires_on: date
    balance_fen: int
    loaded_fen: int
    spent_fen: int
    entitlements: tuple[CardRight, ...] = ()
    journeys: tuple[JourneyView, ...] = ()


@attrs.frozen(kw_only=True)
class CardLine:
    """A card as a search finds it."""

    asn: str
    product_title: str
    product_title_zh: str
    status: str
    issued_on: date
    expires_on: date


@attrs.frozen(kw_only=True)
class PriceStep:
    """One rule's part in a price: what it made of the amount, and why. ``owner`` is its plugin."""

    rule: str
    owner: str
    stage: str
    before_fen: int
    after_fen: int
    reason: str


@attrs.frozen(kw_only=True)
class Posting:
    """A transfer of the ledger that holds a record's amount, with others of the same card or partner."""

    debit: str
    credit: str
    amount_fen: int


@attrs.frozen(kw_only=True)
class Payment:
    """A payment to a partner (its name): the reference in the bank instruction, and the whole amount."""

    partner: str
    reference: str
    amount_fen: int
    file: str


@attrs.frozen(kw_only=True)
class Share:
    """What one partner (its name) gets of one record's amount, before the clearing fee."""

    partner: str
    amount_fen: int


@attrs.frozen(kw_only=True)
class ServiceOff:
    """A service that no plugin offers now: its number, and the plugin that had it, where that is known."""

    number: int
    plugin: str


@attrs.frozen(kw_only=True)
class RecordView:
    """One record explained: from the terminal's file to the bank.

    ``price_fen`` is what the rules of now say, in ``steps``; None where nothing is priced. ``failure`` says
    why no price could be given. ``shares`` are what this record alone paid to whom; ``off`` says that its
    service is not offered now, so that no rule can be asked. ``tac`` and ``terminal_mac`` tell whether the
    proofs hold, checked again; ``terminal_mac`` is None where another city's terminal signed: that one did.
    ``tac`` is None while its key cannot be used.
    """

    journey: JourneyView
    file: str
    line: int
    run: int | None
    terminal: str
    terminal_mac: bool | None
    tac: bool | None
    price_fen: int | None
    steps: tuple[PriceStep, ...]
    same_rules: bool
    failure: str
    postings: tuple[Posting, ...]
    payments: tuple[Payment, ...]
    shares: tuple[Share, ...] = ()
    off: ServiceOff | None = None


@attrs.frozen(kw_only=True)
class HealthView:
    """Whether one part of the server works; ``words`` say what is wrong, or are empty."""

    name: str
    well: bool
    words: str = ""
