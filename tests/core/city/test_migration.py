"""Old sector cards become new cards: once, whatever goes wrong on the way, and never a fen more or less."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from datetime import date
from itertools import count

import pytest
from sqlalchemy import event

from citycard import registry
from citycard.city import City
from citycard.city.migration import AGENT, CardMigration, sector_keys
from citycard.errors import (
    CardRemoved,
    MigrationConflict,
    MigrationOpen,
    MigrationStopped,
    MigrationUnknown,
    RegistryMissing,
    SectorCardRefused,
)
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
from citycard.registry import CardStatus, MigrationState
from citycard.store import reading, writing
from citycard.terminal import InProcessReader, PurseSession
from citycard.wallet.chart import LEGACY_FLOAT, agent_receivable, card_purse
from citycard.wallet.loadbook import loads_of
from citycard.wallet.topup import TopUpDesk

TERMINAL = "990100000001"
CITY = """\
[city]
name = "Yard town"
code = "9901"

[plugins]
allow = ["yard"]
enable = ["yard"]
"""
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


@pytest.fixture
def bench(city):
    return Bench(city)


@pytest.fixture
def killing(bench):
    """Return a function that kills the process before, or just after, the n-th commit from now on."""
    state = {"left": None, "after": False}

    def before_commit(_conn):
        if state["left"] is None:
            return
        state["left"] -= 1
        if state["left"] < 0 and not state["after"]:
            state["left"] = None
            raise Killed

    def at_begin(_conn):
        if state["after"] and state["left"] is not None and state["left"] < 0:
            state["left"] = None
            raise Killed

    event.listen(bench.city.engine, "commit", before_commit)
    event.listen(bench.city.engine, "begin", at_begin)

    def kill(commits, *, after):
        state["left"], state["after"] = commits, after

    kill.struck = lambda: state["left"] is None
    return kill


def test_money_points_and_rights_move_to_the_new_card(bench):
    pair = bench.pair()
    done = pair.migrate(resume=False)
    assert (done.state, done.balance_fen, done.dedicated) == (MigrationState.DONE, BALANCE, TRIPS)
    pair.check_done()
    assert bench.balance_fen(LEGACY_FLOAT) == -BALANCE
    with reading(bench.city.engine) as conn:
        assert bench.city.ledger.audit(conn) == []


def test_an_old_card_presented_again_is_refused_with_the_reason(bench):
    pair = bench.pair()
    pair.migrate()
    with pytest.raises(MigrationConflict, match=rf"was replaced by card {pair.asn} on 2018-09-01"):
        pair.migrate(resume=False)
    assert pair.migrate(resume=True).state is MigrationState.DONE
    session = pair.old_session()
    session.open()
    with pytest.raises(SectorCardRefused, match="replaced by a new card"):
        session.purchase(1, DAY)
    pair.check_done()


def test_another_new_card_at_the_second_try_is_refused(bench):
    pair, other = bench.pair(), bench.pair()
    pair.old.memory.cut_after(1)
    assert pair.tried()
    mixed = Pair(bench, pair.old, other.chip, other.asn)
    with pytest.raises(MigrationConflict, match=f"its migration to card {pair.asn} was begun"):
        mixed.migrate()
    pair.migrate()
    with pytest.raises(MigrationConflict, match=f"it was replaced by card {pair.asn}"):
        mixed.migrate()
    with pytest.raises(MigrationConflict, match="already takes the place of old card"):
        Pair(bench, other.old, pair.chip, pair.asn).migrate()
    assert other.new_balance_fen() == 0
    pair.check_done()


def test_what_was_begun_goes_on_only_when_told_to(bench):
    pair = bench.pair()
    pair.old.memory.cut_after(3)
    with pytest.raises(MigrationStopped, match="stands at locked"):
        pair.migrate(resume=False)
    with pytest.raises(MigrationOpen, match=f"to {pair.asn} stands at locked: add --resume"):
        pair.migrate(resume=False)
    assert pair.migrate(resume=True).state is MigrationState.DONE
    pair.check_done()


def test_an_old_card_that_was_seen_empty_is_not_needed_any_more(bench):
    pair = bench.pair()
    migration = CardMigration(bench.city, PLAN)
    new = InProcessReader(pair.chip)
    with pytest.raises(MigrationUnknown, match=pair.asn):
        migration.finish(new)
    pair.old.memory.cut_after(3)
    assert pair.tried()
    with pytest.raises(MigrationStopped, match="the old card is needed"):
        migration.finish(new)
    pair.chip.eeprom.cut_after(2, torn=True)
    assert pair.tried()
    assert migration.finish(new).state is MigrationState.DONE
    assert migration.finish(new).state is MigrationState.DONE
    pair.check_done()


def test_a_load_that_the_desk_refuses_waits_with_the_money_in_the_ledger(bench):
    pair = bench.pair()
    migration = CardMigration(bench.city, PLAN, terminal=TERMINAL)
    migration._desk = TopUpDesk(bench.city.vault, bench.city.ledger, agent=AGENT, purse_limit_fen=1000)
    with pytest.raises(MigrationStopped, match=r"stands at emptied and waits: load refused \(purse-limit\)"):
        migration.migrate(InProcessReader(PseudoReader(pair.old)), InProcessReader(pair.chip))
    assert bench.balance_fen(agent_receivable(AGENT)) == -BALANCE
    pair.migrate()
    pair.check_done()


def test_an_empty_ordinary_card_moves_without_a_load(bench):
    pair = bench.pair(balance_fen=0, dedicated=0, kind=1)
    assert pair.migrate().state is MigrationState.DONE
    assert pair.new_balance_fen() == 0
    with reading(bench.city.engine) as conn:
        assert loads_of(conn, pair.asn) == []
        assert registry.carryover_of(conn, pair.asn) == {}
        assert registry.entitlements_of(conn, pair.asn, on=DAY) == frozenset()


def test_a_torn_old_card_is_mended_first_and_moves_what_is_really_on_it(bench):
    pair = bench.pair()
    session = pair.old_session()
    session.open()
    pair.old.memory.cut_after(4)
    session.purchase(230, DAY)
    assert pair.migrate().balance_fen == BALANCE - 230
    pair.check_done(BALANCE - 230)


def test_a_locked_purse_that_somebody_changed_is_not_moved(bench):
    pair = bench.pair()
    pair.old.memory.cut_after(2)
    assert pair.tried()
    reader = SectorReader(InProcessReader(PseudoReader(pair.old)), bench.keys)
    reader.connect()
    for block in (PLAN.purse.main, PLAN.purse.backup):
        reader.store(block, BALANCE + 1, block)
    with pytest.raises(MigrationConflict, match="it holds 5231 where 5230 were locked"):
        pair.migrate()
    assert pair.new_balance_fen() == 0


def test_a_copy_a_locked_card_and_a_blocked_new_card_take_no_part(bench):
    pair = bench.pair()
    pair.old_session_locked = pair.old_session()
    pair.old_session_locked.open()
    pair.old_session_locked.lock()
    with pytest.raises(MigrationConflict, match="no migration of it is known"):
        pair.migrate()
    blocked = bench.pair()
    with writing(bench.city.engine) as conn:
        registry.set_card_status(conn, blocked.asn, CardStatus.BLOCKED, reason="lost and found")
    with pytest.raises(MigrationConflict, match="is blocked"):
        blocked.migrate()
    assert blocked.old_session().open().info.locked is False


def test_a_desk_that_the_city_does_not_know_migrates_nothing(bench):
    with pytest.raises(RegistryMissing, match="terminal"):
        CardMigration(bench.city, PLAN, terminal="990100000009")


def places(killing):
    """Yield where the first try is cut: at each write of either card, before or within it, at each commit.

    Each is a kind, a function that arms the cut, and one that says whether it struck.
    """
    for write in range(16):
        for torn in (False, True):
            yield "old", *at_write(lambda pair: pair.old.memory, write, torn=torn)
    for write in range(30):
        for torn in (False, True):
            yield "new", *at_write(lambda pair: pair.chip.eeprom, write, torn=torn)
    for commit in range(20):
        for after in (False, True):
            yield (
                "kill",
                lambda _, at=commit, after=after: killing(at, after=after),
                lambda _: killing.struck(),
            )


def at_write(memory, write, *, torn):
    return lambda pair: memory(pair).cut_after(write, torn), lambda pair: memory(pair)._cut is None


def cut_try(pair, cut, killing):
    """Try with a cut, and say whether it struck. A card that comes back at once lets the try go on."""
    _, arm, struck = cut
    arm(pair)
    stopped = pair.tried()
    found = struck(pair)
    assert found or not stopped
    pair.old.memory.cut_after(None)
    pair.chip.eeprom.cut_after(None)
    killing(None, after=False)
    return found


def test_a_migration_that_is_cut_anywhere_ends_exactly_once(bench, killing, record_property):
    struck = Counter()
    for cut in places(killing):
        pair = bench.pair()
        if cut_try(pair, cut, killing):
            struck[cut[0]] += 1
            assert pair.migrate().state is MigrationState.DONE
            pair.check_done()
    record_property("cuts", struck.total())
    with reading(bench.city.engine) as conn:
        assert bench.city.ledger.audit(conn) == []
    # The lock takes 2 writes and each of the two purses 6; the store commits once for every step at least.
    assert struck["old"] == 2 * (2 + 6 + 6)
    assert struck["new"] > 10
    assert struck["kill"] > 2 * len(MigrationState)


@pytest.mark.parametrize("reader", ["lost_old", "lost_new"])
def test_an_answer_that_is_lost_anywhere_moves_nothing_twice(bench, record_property, reader):
    cuts = 0
    for lost in range(100):
        pair = bench.pair()
        pair.tried(**{reader: lost})
        if pair.all_heard:
            break
        assert pair.migrate().state is MigrationState.DONE
        pair.check_done()
        cuts += 1
    record_property("cuts", cuts)
    assert 10 <= cuts < 100


def test_a_migration_that_is_cut_twice_ends_exactly_once(bench, killing, record_property):
    struck = Counter()
    cuts = list(places(killing))
    for number, first in enumerate(cuts):
        # Each place of the first try meets other places of the second.
        for step in (1, 11, 40):
            second = cuts[(number + step) % len(cuts)]
            pair = bench.pair()
            if cut_try(pair, first, killing) and cut_try(pair, second, killing):
                struck[first[0], second[0]] += 1
                assert pair.migrate().state is MigrationState.DONE
                pair.check_done()
    record_property("cuts", struck.total())
    assert {kinds[0] for kinds in struck} == {kinds[1] for kinds in struck} == {"old", "new", "kill"}
    assert struck.total() > 30


def test_a_migration_on_postgresql_is_the_same(yard, tmp_path, clock, postgresql_url):
    template = tmp_path / "template.toml"
    template.write_text(CITY.replace("[plugins]", f'[store]\nurl = "{postgresql_url}"\n\n[plugins]'))
    with closing(City.create(tmp_path / "town", template, clock=clock)) as city:
        pair = Bench(city).pair()
        pair.old.memory.cut_after(4, torn=True)
        assert pair.tried()
        pair.chip.eeprom.cut_after(3, torn=True)
        assert pair.tried()
        assert pair.migrate().state is MigrationState.DONE
        pair.check_done()
