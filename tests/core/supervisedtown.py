"""A town of kiosks and a market that lives two months, and notes by itself who used what."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import attrs

from citycard import registry
from citycard.city.charging import charge
from citycard.city.office import Office
from citycard.city.till import Sale
from citycard.clearing import receive
from citycard.ids import new_id
from citycard.store import writing
from citycard.terminal import InProcessReader
from citycard.terminal.batch import write_batch
from citycard.terminal.record import RecordKind
from citycard.testing.town import Town, TownCard
from citycard.wallet import Payments
from citycard.wallet.context import Payee

TARGETS = """
[[supervision.targets]]
measure = "cards"
value = 20
since = 2026-03-01
until = 2026-04-30

[[supervision.targets]]
domain = "kiosk"
measure = "uses"
value = 18
since = 2026-03-01
until = 2026-03-31

[[supervision.targets]]
domain = "market"
district = "harbour"
measure = "turnover_fen"
value = 1000
since = 2026-03-01
until = 2026-12-31

[[supervision.targets]]
district = "harbour"
domain = "kiosk"
measure = "cards"
value = 100
since = 2026-04-01
until = 2026-04-30
"""
MARCH = (dt.date(2026, 3, 1), dt.date(2026, 3, 31))
APRIL = (dt.date(2026, 4, 1), dt.date(2026, 4, 30))
DISTRICTS = {"old-stall": "old-town", "pier": "harbour", "kiosk-north": "-"}


@attrs.frozen
class Act:
    """What somebody did: when, with which card (of replaced ones the first), where, for how much."""

    day: dt.date
    card: str
    domain: str
    partner: str
    terminal: str | None
    fen: int
    uses: int = 1

    @property
    def district(self) -> str:
        return DISTRICTS[self.partner]


class SupervisedTown:
    """``acts`` are what counts. What does not, because it was rejected or came twice, is not in it."""

    def __init__(self, folder: Path) -> None:
        self.town = Town.make(folder, ["kiosk", "market"], {"market": {"price_fen": 300}}, more=TARGETS)
        self.acts: list[Act] = []
        self.first: dict[str, str] = {}
        self.town.partner("old-stall", district="old-town")
        self.town.partner("pier", district="harbour")
        self.stall, self.pier, self.later, self.north = (
            self.town.till(self.town.terminal(name)) for name in ("old-stall", "pier", "pier", "kiosk-north")
        )
        self.town.terminal("pier")  # nobody ever comes to this one
        self.partner = {
            self.stall.number: "old-stall",
            self.pier.number: "pier",
            self.later.number: "pier",
            self.north.number: "kiosk-north",
        }
        self.cards = [self.town.card() for _ in range(9)]
        for card in self.cards:
            self.town.load(card, 5000)
        self.live()

    def live(self) -> None:
        cards, town = self.cards, self.town
        for card in cards[:6]:
            self.paper(card, self.stall)
            self.visit(card, self.pier)
        self.paper(cards[0], self.later)
        late = self.later.close(town.now.date())
        self.locker(cards[6], self.north)
        for card in (*cards[:3], cards[7]):
            town.account(card, 4000)
        for card in cards[:3]:
            self.online(card, "paper", "pier")
        self.online(cards[7], "paper", "kiosk-north")
        self.online(cards[7], "", "kiosk-north")
        self.online(cards[7], "", "pier")
        copied = self.stall.records[0]
        town.clear(self.stall, self.pier, self.north)
        self.twice(copied)
        self.elsewhere(copied)
        self.replace(cards[2])
        town.clear()
        town.pass_time(dt.timedelta(days=40))
        receive(town.city, [("late.ccb", late)])
        self.april()

    def april(self) -> None:
        for card in self.cards[3:8]:
            self.paper(card, self.stall)
        self.visit(self.cards[3], self.pier)
        self.town.clear(self.stall, self.pier)

    # ── what people do ───────────────────────────────────────────────────────────────────────────

    def note(self, card, domain, partner, terminal, fen, uses=1) -> None:
        first = self.first.get(card.asn, card.asn)
        self.acts.append(Act(self.town.now.date(), first, domain, partner, terminal, fen, uses))

    def serve(self, card, till, domain, sale, uses=1) -> None:
        receipt = till.serve(card.reader, self.town.now, sale)
        self.note(card, domain, self.partner[till.number], till.number, receipt.amount_fen, uses)
        self.town.pass_time(dt.timedelta(minutes=2))

    def paper(self, card, till) -> None:
        self.serve(card, till, "kiosk", lambda _: Sale(service="paper", amount_fen=250, list_price_fen=250))

    def visit(self, card, till) -> None:
        from citycard_market.plugin import Stall

        def sale(visit):
            facts = Stall(pieces=1)
            fen = visit.price("stall", facts).amount_fen
            return Sale(service="stall", amount_fen=fen, facts=facts)

        self.serve(card, till, "market", sale)

    def locker(self, card, till) -> None:
        """Open a locker and pay at the end: two records, one use."""
        entry = Sale(service="locker", amount_fen=0, kind=RecordKind.ENTRY)
        exit_ = Sale(service="locker", amount_fen=300, list_price_fen=300, kind=RecordKind.EXIT)
        self.serve(card, till, "kiosk", lambda _: entry, uses=0)
        self.serve(card, till, "kiosk", lambda _: exit_)

    def online(self, card, service, partner) -> None:
        """Pay 250 fen; without a service, a partner that a domain declares is counted there."""
        if service:
            charge(
                self.town.city,
                new_id(),
                card.asn,
                service=service,
                partner=partner,
                list_price_fen=250,
                note="the paper of Sunday",
            )
        else:
            Payments(self.town.city.wallet).pay(new_id(), card.asn, Payee(partner=partner, kind="shop"), 250)
        domain = "kiosk" if service or partner == "kiosk-north" else "-"
        self.note(card, domain, partner, None, 250)

    def replace(self, card) -> None:
        """Give another card for one that is lost, which goes on where the first one stopped."""
        town, asn = self.town, "01019901009999999999"
        made = town.city.issuing.card(asn, "citizen", town.now.date())
        with writing(town.city.engine) as conn:
            registry.add_cards(conn, [attrs.evolve(made, status="stock")])
        office = Office(town.city, actor="desk")
        office.lost(card.asn, reason="lost")
        office.replace(card.asn, asn, reason="lost")
        chip = town.city.issuing.chip(asn, "citizen", town.now.date())
        again = TownCard(asn=asn, chip=chip, reader=InProcessReader(chip))
        self.first[asn] = card.asn
        town.load(again, 1000)
        self.paper(again, self.stall)
        self.town.clear(self.stall)

    # ── what does not count ──────────────────────────────────────────────────────────────────────

    def twice(self, record: bytes) -> None:
        """Hand the same record in again, in the next batch of its own terminal."""
        self.hand_in(self.stall.number, 90, [record])

    def elsewhere(self, record: bytes) -> None:
        """Hand a record in at a terminal that never made it."""
        self.hand_in(self.north.number, 91, [record])

    def hand_in(self, number: str, batch: int, records: list[bytes]) -> None:
        town = self.town
        sam = town.city.sam(number)
        data = write_batch(number, batch, 1000, records, sam, town.now, town.now.date())
        receive(town.city, [(f"{number}-{batch}.ccb", data)])

    # ── an independent count ─────────────────────────────────────────────────────────────────────

    def count(self, since, until, *, domain=None, district=None, partner=None):
        """Count in plain Python: cards, uses, fen, partners, terminals."""
        found = [
            act
            for act in self.acts
            if since <= act.day <= until
            and domain in {None, act.domain}
            and district in {None, act.district}
            and partner in {None, act.partner}
        ]
        return (
            len({act.card for act in found}),
            sum(act.uses for act in found),
            sum(act.fen for act in found),
            len({act.partner for act in found}),
            len({act.terminal for act in found if act.terminal}),
        )
