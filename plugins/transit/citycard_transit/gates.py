"""A tap at a metro gate or a bus validator: what is read, what is asked, what is debited, what is recorded.

The gate sees the card only through its terminal. It asks the city's fares offline, writes the facts it priced
by into its record, and serves a card that left the field too early once more, without charging it twice.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import attrs

from citycard.card.codec import decode, encode
from citycard.card.product import Place
from citycard.clearing.pricing import Quote
from citycard.errors import CardRemoved
from citycard.terminal.load import Load
from citycard.terminal.reader import Reader
from citycard.terminal.record import RecordKind, RecordPlan
from citycard.terminal.session import PurseSession
from citycard.terminal.terminal import Terminal
from citycard.terminal.views import Debit
from citycard_transit.fares import longest_window
from citycard_transit.neighbours import SAME_PASSAGE, paid_nearby, passed_nearby
from citycard_transit.purselog import Earlier, earlier_ride, spent_today
from citycard_transit.railcard import entered, exited, journey, opened
from citycard_transit.sectors import RailRecord, RailState, RideFacts
from citycard_transit.services import BUS, METRO, NUMBERS, Fares

__all__ = ["Gate", "Network", "Passage", "Served", "Site"]

_TRIES = 4
_INSIDE = frozenset({RailState.ENTERED, RailState.ENTRY_UPDATED})
_VEHICLE = 10


@attrs.frozen(kw_only=True)
class Site:
    """Where a gate or validator is, and whose.

    ``line`` is what a transfer has to change: a bus line, or ``metro`` for the whole metro. ``operator`` is
    the operator's own number, 0 when it has none. ``group`` names validators that a rider may take one for
    the other, such as the two doors of one bus: a fare that one of them took is not taken by another within
    a minute. The gates of a metro station are such a group anyway.
    """

    place: int
    line: str
    operator: int = 0
    group: str = ""


@attrs.frozen(kw_only=True)
class Network:
    """What every gate of a city is configured with.

    ``code`` is the acquiring city, ``institution`` the acquirer (16 hex digits), ``rail`` the place of the
    rail record on the card; ``site_of`` tells where another terminal is, to recognise transfers.
    """

    code: str
    institution: str
    fares: Fares
    rail: Place
    site_of: Callable[[str], Site | None]


@attrs.frozen(kw_only=True)
class Passage:
    """What a rider does at a gate, and what a published file adds: list price and transfer, if known."""

    kind: RecordKind
    at: datetime
    vehicle: str = ""
    list_price_fen: int = 0
    transfer: bool | None = None


@attrs.define(kw_only=True)
class Served:
    """What a tap came to: what the ride cost (``amount_fen``), and the debits and loads that the card proved.

    ``opened``: the gate had to open the ride first; ``incomplete``: an earlier ride was never ended;
    ``passed``: a neighbouring gate has done all there was to do, and only has not heard of it.
    """

    amount_fen: int = 0
    quote: Quote | None = None
    transfer: bool = False
    opened: bool = False
    incomplete: bool = False
    passed: bool = False
    recovered: int = 0
    debits: list[Debit] = attrs.field(factory=list)
    loads: list[Load] = attrs.field(factory=list)


@attrs.frozen(kw_only=True)
class Gate:
    """A terminal at its site, ready for passengers."""

    terminal: Terminal
    site: Site
    network: Network

    def serve(self, card: Reader, passage: Passage, served: Served | None = None) -> Served:
        """Serve one passenger; a card that leaves the field is asked for again, at most three times.

        Raises CardRefused when the card may not pass, LoadRefused when a short purse is not topped up, and
        CardRemoved when the card does not come back: its debit then stays in the terminal's journal. What was
        done before an error stands in ``served``, when one is given.
        """
        served = Served() if served is None else served
        for attempt in range(_TRIES):
            try:
                self._serve(card, passage, served)
            except CardRemoved:
                if attempt == _TRIES - 1:
                    raise
            else:
                break
        return served

    def _serve(self, card: Reader, passage: Passage, served: Served) -> None:
        session = self.terminal.tap(card, passage.at)
        view = session.view
        if view.recovered_load is not None:
            served.loads.append(view.recovered_load)
        done = view.recovered
        if done is not None:
            served.recovered += 1
            served.debits.append(done)
            served.opened |= done.plan.kind is RecordKind.OPENED
            if done.plan.kind is passage.kind and passage.at - done.at <= SAME_PASSAGE:
                served.amount_fen, served.transfer = done.amount_fen, done.plan.transfer
                return
        _Visit(self, session, passage, served).serve()


class _Visit:
    """One card in the field of one gate, from the opened session to the record."""

    __slots__ = ("_balance_fen", "_gate", "_passage", "_served", "_session")

    def __init__(self, gate: Gate, session: PurseSession, passage: Passage, served: Served) -> None:
        self._gate, self._session, self._passage, self._served = gate, session, passage, served
        self._balance_fen = session.view.balance_fen

    def serve(self) -> None:
        if self._passage.kind is RecordKind.ENTRY:
            self._enter()
        elif self._passage.kind is RecordKind.EXIT:
            self._leave()
        else:
            self._ride()

    # ── metro ────────────────────────────────────────────────────────────────────────────────────

    def _rail(self) -> RailRecord:
        return decode(RailRecord, self._session.read_sector(self._gate.network.rail))

    def _enter(self) -> None:
        before = self._rail()
        if self._passed(passed_nearby(before, self._gate, self._passage)):
            return
        self._served.incomplete = before.state in _INSIDE
        after = entered(before, self._gate, self._passage.at, self._balance_fen)
        self._write(
            RecordKind.ENTRY, 0, after, RideFacts(place=self._gate.site.place, vehicle=self._vehicle())
        )

    def _leave(self) -> None:
        before = self._rail()
        if self._passed(passed_nearby(before, self._gate, self._passage)):
            return
        if before.state not in _INSIDE or not self._recent(before):
            # The field's way with a rider whose entry was never written: open the ride here, then end it.
            self._served.incomplete |= before.state in _INSIDE
            self._served.opened = True
            before = opened(before, self._gate, self._passage.at, self._balance_fen)
            facts = RideFacts(place=self._gate.site.place, vehicle=self._vehicle())
            self._write(RecordKind.OPENED, 0, before, facts)
        seen = before.state is RailState.ENTERED
        facts, transfer = self._facts(
            origin=int(before.entry_station[:8], 16) if seen else 0,
            entered_at=before.entry_at if seen else None,
            entry_terminal=before.entry_terminal[:12] if seen else "0" * 12,
        )
        amount_fen = self._price(METRO, facts, transfer=transfer)
        after = exited(before, self._gate, self._passage.at, amount_fen)
        self._write(RecordKind.EXIT, amount_fen, after, facts, transfer=transfer)

    def _recent(self, rail: RailRecord) -> bool:
        longest = timedelta(minutes=self._gate.network.fares.settings.play.longest_ride_minutes)
        return rail.entry_at is not None and timedelta(0) <= self._passage.at - rail.entry_at <= longest

    def _write(
        self, kind: RecordKind, amount_fen: int, rail: RailRecord, facts: RideFacts, *, transfer: bool = False
    ) -> None:
        session, gate, at = self._session, self._gate, self._passage.at
        updates = [session.write_sector(gate.network.rail, encode(rail))]
        if session.keeps_journeys:
            told = journey(kind, gate, at, amount_fen, self._balance_fen - amount_fen)
            updates.append(session.write_journey(encode(told)))
        plan = self._plan(kind, METRO, facts, transfer=transfer)
        self._done(session.capp(amount_fen, at, updates, plan=plan))

    # ── bus ──────────────────────────────────────────────────────────────────────────────────────

    def _ride(self) -> None:
        if self._passed(paid_nearby(self._session, self._gate, self._passage)):
            return
        facts, transfer = self._facts()
        amount_fen = self._price(BUS, facts, transfer=transfer)
        plan = self._plan(RecordKind.SINGLE, BUS, facts, transfer=transfer)
        self._done(self._session.purchase(amount_fen, self._passage.at, plan=plan))

    # ── both ─────────────────────────────────────────────────────────────────────────────────────

    def _passed(self, done: bool) -> bool:
        # An own debit of this visit is not a neighbour's, and what a gate opened it also has to end.
        self._served.passed = done and not self._served.debits
        return self._served.passed

    def _facts(
        self, *, origin: int = 0, entered_at: datetime | None = None, entry_terminal: str = "0" * 12
    ) -> tuple[RideFacts, bool]:
        """Gather what the price depends on; the flag says whether the gate asserts a transfer."""
        before = self._connects(entered_at or self._passage.at) if self._passage.transfer is None else None
        capped = bool(self._gate.network.fares.settings.caps)
        facts = RideFacts(
            place=self._gate.site.place,
            origin=origin,
            entered_at=entered_at,
            entry_terminal=entry_terminal,
            vehicle=self._vehicle(),
            previous_place=before[1].place if before else 0,
            previous_at=before[0].at if before else None,
            spent_today_fen=self._spent_today() if capped else 0,
            operator=self._gate.site.operator,
        )
        return facts, bool(self._passage.transfer or before)

    def _spent_today(self) -> int:
        # What was bought elsewhere is no fare, and no cap on fares knows it.
        site_of = self._gate.network.site_of
        return spent_today(self._session, self._passage.at.date(), lambda one: site_of(one) is not None)

    def _connects(self, begun: datetime) -> tuple[Earlier, Site] | None:
        network = self._gate.network
        window = longest_window(network.fares.settings)
        earlier = earlier_ride(self._session, begun) if window is not None else None
        if earlier is None or window is None or begun - earlier.at > window:
            return None
        site = network.site_of(earlier.terminal)
        return (earlier, site) if site is not None and site.line != self._gate.site.line else None

    def _price(self, service: str, facts: RideFacts, *, transfer: bool) -> int:
        """Ask the fares, and top the purse up when it is short of the answer."""
        fares, view = self._gate.network.fares, self._session.view
        quote = fares.quote(
            fares.request(
                service,
                at=self._passage.at,
                card_kind=view.card_kind,
                facts=facts,
                list_price_fen=self._passage.list_price_fen,
                transfer=transfer,
            )
        )
        self._served.quote, self._served.transfer = quote, transfer
        short_fen = quote.amount_fen - self._balance_fen
        if short_fen > 0:
            step_fen = fares.settings.play.load_fen
            self._load(-(-short_fen // step_fen) * step_fen)
        return quote.amount_fen

    def _load(self, amount_fen: int) -> None:
        load = self._session.load(amount_fen, self._passage.at)
        self._served.loads.append(load)
        self._balance_fen = load.balance_after_fen

    def _plan(self, kind: RecordKind, service: str, facts: RideFacts, *, transfer: bool) -> RecordPlan:
        return RecordPlan(
            kind=kind,
            service=NUMBERS[service],
            facts=encode(facts),
            list_price_fen=self._passage.list_price_fen,
            transfer=transfer,
        )

    def _done(self, debit: Debit) -> None:
        self._gate.terminal.record(debit)
        self._served.debits.append(debit)
        self._served.amount_fen += debit.amount_fen
        self._balance_fen = debit.balance_after_fen

    def _vehicle(self) -> bytes:
        # A name may be cut in the middle of a character: these bytes are for people who look for a vehicle.
        return self._passage.vehicle.encode("gb18030")[:_VEHICLE].ljust(_VEHICLE, b"\0")
