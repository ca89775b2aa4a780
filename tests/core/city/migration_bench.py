"""A city with a service desk, and pairs of an old card and a new one, for the tests of migration."""

from __future__ import annotations

from datetime import date
from itertools import count

from citycard import registry
from citycard.city.migration import AGENT, CardMigration, sector_keys
from citycard.errors import CardRemoved, MigrationStopped
from citycard.mifare import (
    BasicIssue,
    PseudoReader,
    SectorCard,
    SectorReader,
    SectorSession,
    personalise_sector_card,
    plan_of,
)
from citycard.mifare.value import read_value
from citycard.registry import MigrationState
from citycard.store import reading, writing
from citycard.terminal import InProcessReader, PurseSession
from citycard.wallet.addresses import agent_receivable, card_purse
from citycard.wallet.loadbook import loads_of

TERMINAL = "990100000001"
PLAN = plan_of("construction")
BALANCE, TRIPS, STUDENT = 5230, 7, 2
DAY = date(2018, 9, 1)


class Killed(BaseException):
    """The process is killed."""


class DeafReader(InProcessReader):
    """A reader that loses the answer of one command: the card has done it, and nobody heard."""

    def __init__(self, card, lost):
        super().__init__(card)
        self.lost = lost

    def transmit(self, apdu):
        answer = super().transmit(apdu)
        self.lost -= 1
        if self.lost == -1:
            raise CardRemoved(during="an answer that was lost")
        return answer


class Bench:
    """A city with a service desk, and as many pairs of cards as a test wants."""

    def __init__(self, city):
        self.city, self.numbers, self.keys = city, count(1), sector_keys(city)
        with writing(city.engine) as conn:
            registry.add_partners(conn, [registry.Partner(id="desk", name="Service desk")])
            terminal = registry.Terminal(number=TERMINAL, partner="desk", opened_on=DAY)
            registry.add_terminals(conn, [terminal])
        self.chip0 = None

    def pair(self, balance_fen=BALANCE, dedicated=TRIPS, kind=STUDENT):
        number = next(self.numbers)
        old = SectorCard.blank(bytes((1,)) + number.to_bytes(3, "big"))
        issue = BasicIssue(city="9901", industry="0001", serial=f"{number:08X}", card_kind=kind)
        reader = InProcessReader(PseudoReader(old))
        personalise_sector_card(reader, PLAN, self.keys, issue, balance_fen=balance_fen, dedicated=dedicated)
        asn = f"01019901{number:012d}"
        chip = self.city.issuing.chip(asn, "yard-pass", DAY)
        with writing(self.city.engine) as conn:
            registry.add_cards(conn, [self.city.issuing.card(asn, "yard-pass", DAY)])
        return Pair(self, old, chip, asn)

    def balance_fen(self, address):
        with reading(self.city.engine) as conn:
            return self.city.ledger.balance_fen(conn, address)


class Pair:
    def __init__(self, bench, old, chip, asn):
        self.bench, self.old, self.chip, self.asn = bench, old, chip, asn

    def migrate(self, *, resume=True, lost_old=-1, lost_new=-1):
        migration = CardMigration(self.bench.city, PLAN, terminal=TERMINAL)
        old, new = DeafReader(PseudoReader(self.old), lost_old), DeafReader(self.chip, lost_new)
        try:
            return migration.migrate(old, new, resume=resume)
        finally:
            self.all_heard = old.lost >= 0 or new.lost >= 0

    def tried(self, **lost):
        """Try once, and say whether it was cut off."""
        try:
            self.migrate(**lost)
        except (CardRemoved, MigrationStopped, Killed):
            return True
        return False

    def old_session(self):
        reader = SectorReader(InProcessReader(PseudoReader(self.old)), self.bench.keys)
        return SectorSession(reader, PLAN, terminal=TERMINAL)

    def new_balance_fen(self):
        session = PurseSession(InProcessReader(self.chip), self.bench.city.sam(TERMINAL))
        view = session.open(self.bench.city.now_local())
        assert view.asn == self.asn
        return view.balance_fen

    def check_done(self, balance_fen=BALANCE):
        """Check both cards, the ledger and the registry: everything moved, and moved once."""
        bench = self.bench
        view = self.old_session().open()
        assert (view.balance_fen, view.dedicated, view.info.locked) == (0, 0, True)
        assert read_value(self.old.memory.block(PLAN.purse.backup)) == 0
        assert self.new_balance_fen() == balance_fen
        assert bench.balance_fen(card_purse(self.asn)) == balance_fen
        assert bench.balance_fen(agent_receivable(AGENT)) == 0
        with reading(bench.city.engine) as conn:
            assert registry.entitlements_of(conn, self.asn, on=DAY) == {"student"}
            assert registry.carryover_of(conn, self.asn) == {"trips": TRIPS}
            states = [step.state for step in registry.migration_steps(conn, view.card)]
            assert states == list(MigrationState)
            loads = [one for one in loads_of(conn, self.asn) if str(one.state) == "proven"]
            assert [one.amount_fen for one in loads] == [balance_fen]
            assert [one for one in registry.card_events(conn, self.asn) if one.what == "migrated"]
