"""Old sector cards become new cards: once, to the fen, and to one card only."""

from __future__ import annotations

import importlib.util
from contextlib import closing
from pathlib import Path

import pytest

from citycard import registry
from citycard.city import City
from citycard.city.migration import AGENT, CardMigration
from citycard.errors import (
    MigrationConflict,
    MigrationOpen,
    MigrationStopped,
    MigrationUnknown,
    RegistryMissing,
    SectorCardRefused,
)
from citycard.mifare import (
    PseudoReader,
    SectorReader,
)
from citycard.registry import CardStatus, MigrationState
from citycard.store import reading, writing
from citycard.terminal import InProcessReader
from citycard.wallet.addresses import LEGACY_FLOAT, agent_receivable
from citycard.wallet.loadbook import loads_of
from citycard.wallet.topup import TopUpDesk

_spec = importlib.util.spec_from_file_location(
    "migration_bench", Path(__file__).with_name("migration_bench.py")
)
desk = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(desk)

CITY = """\
[city]
name = "Yard town"
code = "9901"

[plugins]
allow = ["yard"]
enable = ["yard"]
"""


@pytest.fixture
def bench(city):
    return desk.Bench(city)


def test_money_points_and_rights_move_to_the_new_card(bench):
    pair = bench.pair()
    done = pair.migrate(resume=False)
    assert (done.state, done.balance_fen, done.dedicated) == (MigrationState.DONE, desk.BALANCE, desk.TRIPS)
    pair.check_done()
    assert bench.balance_fen(LEGACY_FLOAT) == -desk.BALANCE
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
        session.purchase(1, desk.DAY)
    pair.check_done()


def test_another_new_card_at_the_second_try_is_refused(bench):
    pair, other = bench.pair(), bench.pair()
    pair.old.memory.cut_after(1)
    assert pair.tried()
    mixed = desk.Pair(bench, pair.old, other.chip, other.asn)
    with pytest.raises(MigrationConflict, match=f"its migration to card {pair.asn} was begun"):
        mixed.migrate()
    pair.migrate()
    with pytest.raises(MigrationConflict, match=f"it was replaced by card {pair.asn}"):
        mixed.migrate()
    with pytest.raises(MigrationConflict, match="already takes the place of old card"):
        desk.Pair(bench, other.old, pair.chip, pair.asn).migrate()
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
    migration = CardMigration(bench.city, desk.PLAN)
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
    migration = CardMigration(bench.city, desk.PLAN, terminal=desk.TERMINAL)
    migration._desk = TopUpDesk(bench.city.vault, bench.city.ledger, agent=AGENT, purse_limit_fen=1000)
    with pytest.raises(MigrationStopped, match=r"stands at emptied and waits: load refused \(purse-limit\)"):
        migration.migrate(InProcessReader(PseudoReader(pair.old)), InProcessReader(pair.chip))
    assert bench.balance_fen(agent_receivable(AGENT)) == -desk.BALANCE
    pair.migrate()
    pair.check_done()


def test_an_empty_ordinary_card_moves_without_a_load(bench):
    pair = bench.pair(balance_fen=0, dedicated=0, kind=1)
    assert pair.migrate().state is MigrationState.DONE
    assert pair.new_balance_fen() == 0
    with reading(bench.city.engine) as conn:
        assert loads_of(conn, pair.asn) == []
        assert registry.carryover_of(conn, pair.asn) == {}
        assert registry.entitlements_of(conn, pair.asn, on=desk.DAY) == frozenset()


def test_a_torn_old_card_is_mended_first_and_moves_what_is_really_on_it(bench):
    pair = bench.pair()
    session = pair.old_session()
    session.open()
    pair.old.memory.cut_after(4)
    session.purchase(230, desk.DAY)
    assert pair.migrate().balance_fen == desk.BALANCE - 230
    pair.check_done(desk.BALANCE - 230)


def test_a_locked_purse_that_somebody_changed_is_not_moved(bench):
    pair = bench.pair()
    pair.old.memory.cut_after(2)
    assert pair.tried()
    reader = SectorReader(InProcessReader(PseudoReader(pair.old)), bench.keys)
    reader.connect()
    for block in (desk.PLAN.purse.main, desk.PLAN.purse.backup):
        reader.store(block, desk.BALANCE + 1, block)
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
        CardMigration(bench.city, desk.PLAN, terminal="990100000009")


def test_a_migration_on_postgresql_is_the_same(yard, tmp_path, clock, postgresql_url):
    template = tmp_path / "template.toml"
    template.write_text(CITY.replace("[plugins]", f'[store]\nurl = "{postgresql_url}"\n\n[plugins]'))
    with closing(City.create(tmp_path / "town", template, clock=clock)) as city:
        pair = desk.Bench(city).pair()
        pair.old.memory.cut_after(4, torn=True)
        assert pair.tried()
        pair.chip.eeprom.cut_after(3, torn=True)
        assert pair.tried()
        assert pair.migrate().state is MigrationState.DONE
        pair.check_done()
