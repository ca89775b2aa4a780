"""A till: a partner's terminal that serves cards offline for the services of plugins.

What it knows is its configuration, its SAM and the card. A price is asked with the very record that clearing
will ask about, so that both give the same answer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from citycard import registry
from citycard.card.codec import decode, encode
from citycard.card.product import Place
from citycard.city.configuration import require_on, served_issuers
from citycard.errors import (
    CardLacksSector,
    CardRemoved,
    CommandFailed,
    SectorInvalid,
    ServiceUnknown,
)
from citycard.store import reading
from citycard.terminal.acceptance import Acceptance
from citycard.terminal.load import Load
from citycard.terminal.reader import Reader
from citycard.terminal.record import RecordKind, RecordPlan, TransactionRecord
from citycard.terminal.session import PurseSession
from citycard.terminal.terminal import Terminal
from citycard.terminal.views import Debit

if TYPE_CHECKING:
    from citycard.city.city import City
    from citycard.clearing.pricing import Quote
    from citycard.kernel.owned import Owned
    from citycard.kernel.services import Service

__all__ = ["Asked", "Decide", "Receipt", "Sale", "Till", "TillState", "Visit"]

_TRIES = 4
_SAME_SALE = dt.timedelta(minutes=1)
_PURCHASE = 0x06


@attrs.frozen(kw_only=True)
class Sale:
    """What a card pays for, and what is written onto it in the same step; 0 fen is a use that costs nothing.

    ``facts`` is a record of the service's layout, ``writes`` the new record of each sector by name.
    """

    service: str
    amount_fen: int
    facts: Any = None
    list_price_fen: int = 0
    kind: RecordKind = RecordKind.SINGLE
    writes: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Receipt:
    """What a card was charged; ``recovered`` when the tap before had done it and was torn from the field."""

    debit: Debit
    recovered: bool = False

    @property
    def amount_fen(self) -> int:
        """Give what was charged."""
        return self.debit.amount_fen


@attrs.frozen(kw_only=True)
class TillState:
    """Where a till goes on: its next batch and record, and the last serial of its SAM."""

    next_batch: int = 1
    next_sequence: int = 1
    serial: int = 0


class Visit:
    """A card in the field of a till: who it is, what it carries, and what a service costs it.

    ``finished`` is a debit of this till for another sale, whose end was not seen before: it is done, and its
    record is kept.
    """

    def __init__(
        self, till: Till, session: PurseSession, at: dt.datetime, finished: Debit | None = None
    ) -> None:
        self._till, self._session = till, session
        self.at, self.finished = at, finished
        self.asn = session.view.asn
        self.asn8 = session.view.asn8
        self.card_kind = session.view.card_kind

    @property
    def at_home(self) -> bool:
        """Say whether the card is the city's own; another city's debit is paid when its issuer accepts it."""
        return self._till.issued(self._session.view.issuer)

    @property
    def balance_fen(self) -> int:
        """Return what is on the purse now."""
        return self._session.balance_fen

    def read(self, sector: str) -> Any:
        """Return the record of a sector; CardLacksSector when the card was never given it."""
        place = self._till.place(sector, self.card_kind, self.asn)
        try:
            body = self._session.read_sector(place)
        except (SectorInvalid, CommandFailed):
            raise CardLacksSector(asn=self.asn, sector=sector) from None
        return decode(self._till.layout(sector), body)

    def price(
        self,
        service: str,
        facts: Any = None,
        *,
        list_price_fen: int = 0,
        kind: RecordKind = RecordKind.SINGLE,
    ) -> Quote:
        """Say what a service costs this card, by the rules that clearing asks; ServiceOff, PriceUnknown."""
        number = self._till.service(service).record.number
        asked = TransactionRecord(
            kind=kind,
            tti=_PURCHASE,
            service=number,
            issuer=self._session.view.issuer,
            asn=self.asn,
            card_kind=self.card_kind,
            key_version=1,
            algorithm=0,
            counter=0,
            balance_before_fen=self.balance_fen,
            amount_fen=0,
            balance_after_fen=self.balance_fen,
            terminal=self._till.number,
            terminal_serial=0,
            at=self.at.replace(microsecond=0),
            tac=bytes(4),
            config=self._till.config_number,
            blacklist=0,
            list_price_fen=list_price_fen,
            facts=_facts(facts).ljust(48, b"\0"),
        )
        return self._till.quote(asked)

    def load(self, amount_fen: int) -> Load:
        """Load the purse through the city's desk; LoadRefused, CardRefused, CardRemoved."""
        return self._session.load(amount_fen, self.at)


Decide = Callable[[Visit], Sale]


@attrs.frozen
class Asked:
    """A sale that knows itself again, to be served like a function that decides.

    ``again`` says whether a debit that an earlier call made, and whose end nobody saw, was for this very
    sale; it knows it by what the sale put into ``plan``, such as a receipt's number in its facts, or by
    ``terminal_serial``.
    """

    decide: Decide
    again: Callable[[Debit], bool]

    def __call__(self, visit: Visit) -> Sale:
        return self.decide(visit)


class Till:
    """Be terminal ``number`` for the cards of a city; RegistryMissing when there is no such terminal.

    It keeps journal and records in memory: hand in what ``close`` gives, and go on later from ``state``.
    """

    def __init__(self, city: City, number: str, *, state: TillState | None = None) -> None:
        state = state or TillState()
        with reading(city.engine) as conn:
            self._partner = registry.find_partner(conn, registry.find_terminal(conn, number).partner)
        self._city, self.number = city, number
        self._sam = city.sam(number, state.serial)
        self._terminal = Terminal(
            number,
            self._sam,
            profile=city.issuing.profile,
            host=city.desk,
            next_batch=state.next_batch,
            next_sequence=state.next_sequence,
        )
        self.refresh()

    @property
    def config_number(self) -> int:
        """Return the number of the configuration that the till works under."""
        return self._terminal.config_number

    def configured(self, plugin: str, section: str) -> Mapping[str, Any]:
        """Return a section of a plugin's terminal configuration, as it was when the till last refreshed."""
        found: Mapping[str, Any] = self._content["plugins"].get(plugin, {}).get(section, {})
        return found

    @property
    def state(self) -> TillState:
        """Return where another till of this number goes on, after ``close``."""
        return TillState(
            next_batch=self._terminal.next_batch,
            next_sequence=self._terminal.next_sequence,
            serial=self._sam.serial,
        )

    @property
    def records(self) -> tuple[bytes, ...]:
        """Return the records that are not handed in yet."""
        return self._terminal.records

    def refresh(self) -> int:
        """Take the city's newest configuration and list of cards, and return the configuration's number."""
        configuration = self._city.configuration()
        content = self._content = configuration.content
        with reading(self._city.engine) as conn:
            listed = registry.blacklist_at(conn, content["blacklist"])
        self._terminal.config_number = configuration.number
        self._terminal.acceptance = Acceptance(
            home_issuer=content["issuer"],
            others=served_issuers(content),
            blacklist=listed,
            blacklist_number=content["blacklist"],
            amount_limit_fen=content["amount_limit_fen"],
        )
        return configuration.number

    def serve(self, card: Reader, at: dt.datetime, decide: Decide) -> Receipt:
        """Serve the card in a reader: ``decide`` looks at it and says what it pays and what is written.

        A card that leaves the field is asked for again, at most three times. What was debited meanwhile, by
        the serial of the till's SAM, is not charged again: that receipt is ``recovered``. So is a debit that
        an earlier call made for the same sale: an ``Asked`` says which one that is, of any other ``decide``
        it is one of the last minute. A debit for another sale is told as ``Visit.finished``. Raise
        CardRefused, CardRemoved, ServiceOff, SectorInvalid, and what ``decide`` raises.
        """
        begun_at = self._sam.serial

        def mine(debit: Debit) -> bool:
            if debit.terminal_serial > begun_at:
                return True
            if isinstance(decide, Asked):
                return decide.again(debit)
            return dt.timedelta(0) <= at - debit.at <= _SAME_SALE

        for attempt in range(_TRIES):
            try:
                return self._serve(card, at, decide, mine)
            except CardRemoved:
                if attempt == _TRIES - 1:
                    raise
        raise AssertionError

    def load(self, card: Reader, amount_fen: int, at: dt.datetime) -> Load:
        """Load the purse of the card in a reader; a load that was torn before is finished instead."""
        session = self._terminal.tap(card, at)
        return session.view.recovered_load or session.load(amount_fen, at)

    def close(self, business_date: dt.date, at: dt.datetime | None = None) -> bytes | None:
        """Write the batch file of what was done since the last one; None when nothing was."""
        return self._terminal.close_batch(business_date, at or self._city.now_local())

    # ── what a visit asks ────────────────────────────────────────────────────────────────────────

    def issued(self, issuer: str) -> bool:
        """Say whether cards of an issuer are the city's own."""
        return issuer.startswith(self._content["issuer"])

    def service(self, name: str) -> Owned[Service]:
        """Return a service that is on here; raise ServiceUnknown or ServiceOff."""
        owned = self._city.plugins.service(name)
        if owned is None:
            raise ServiceUnknown(number=name)
        require_on(self._content, owned, self._partner)
        return owned

    def place(self, sector: str, card_kind: int, asn: str = "") -> Place:
        """Return where cards of a kind carry a sector; CardLacksSector when no version of them does."""
        for product in self._content["products"].values():
            if product["kind"] != card_kind:
                continue
            for _, version in sorted(product["versions"].items(), key=lambda item: -int(item[0])):
                for place in version["places"]:
                    if place["sector"] == sector:
                        return Place(**place)
        raise CardLacksSector(asn=asn, sector=sector)

    def layout(self, sector: str) -> type[Any]:
        """Return the layout class of a sector; CardLacksSector when no plugin that is on has it."""
        for owned in self._city.plugins.sectors():
            if owned.record.name == sector:
                return owned.record.record
        raise CardLacksSector(asn="", sector=sector)

    def quote(self, record: TransactionRecord) -> Quote:
        """Ask what a record should cost, as clearing does: by the settings of the till's configuration."""
        quote = self._city.rate(record).quote
        assert quote is not None, "a record of our own has a price, or PriceUnknown is raised"
        return quote

    # ── one card ─────────────────────────────────────────────────────────────────────────────────

    def _serve(self, card: Reader, at: dt.datetime, decide: Decide, mine: Callable[[Debit], bool]) -> Receipt:
        session = self._terminal.tap(card, at)
        done = session.view.recovered
        if done is not None and mine(done):
            return Receipt(debit=done, recovered=True)
        sale = decide(Visit(self, session, at, done))
        plan = RecordPlan(
            kind=sale.kind,
            service=self.service(sale.service).record.number,
            facts=_facts(sale.facts),
            list_price_fen=sale.list_price_fen,
        )
        kind, asn = session.view.card_kind, session.view.asn
        updates = [
            session.write_sector(self.place(sector, kind, asn), encode(record))
            for sector, record in sale.writes.items()
        ]
        if updates or not sale.amount_fen:
            debit = session.capp(sale.amount_fen, at, updates, plan=plan)
        else:
            debit = session.purchase(sale.amount_fen, at, plan=plan)
        self._terminal.record(debit)
        return Receipt(debit=debit)


def _facts(facts: Any) -> bytes:
    return b"" if facts is None else encode(facts)
