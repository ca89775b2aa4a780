"""Migrations of old cards as the registry keeps them, on each database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import attrs
import pytest
from sqlalchemy import delete
from sqlalchemy.exc import DBAPIError, IntegrityError

from citycard.registry import (
    Card,
    MigrationState,
    MigrationStep,
    OldCardMigration,
    Product,
    ProductVersion,
    add_cards,
    add_carryover,
    add_product_versions,
    add_products,
    advance_migration,
    begin_migration,
    carryover_of,
    migration_steps,
    migrations_of,
)
from citycard.registry.oldcards import card_carryover, card_migration_step
from citycard.store import reading, writing

NOW = datetime(2018, 9, 1, 8, 30, tzinfo=UTC)
ASNS = ("01019901000000000001", "01019901000000000002")
OLD = OldCardMigration(
    old_card="9901000100000001",
    plan="construction",
    uid="01020304",
    new_asn=ASNS[0],
    card_kind=2,
    started_at=NOW,
    changed_at=NOW,
)


@pytest.fixture
def begun(store):
    """Return a store in which one migration is begun."""
    with writing(store) as conn:
        add_products(conn, [Product(name="standard", title="Card", kind=1)])
        add_product_versions(conn, [ProductVersion(product="standard", version=1, layout="{}")])
        add_cards(
            conn,
            [
                Card(
                    asn=asn,
                    issuer="01019901FFFFFFFF",
                    product="standard",
                    kind=1,
                    issued_on=date(2018, 1, 1),
                    expires_on=date(2028, 1, 1),
                )
                for asn in ASNS
            ],
        )
        begin_migration(conn, OLD)
    return store


def test_a_migration_is_found_by_either_card(begun):
    with reading(begun) as conn:
        assert migrations_of(conn, old_card=OLD.old_card, new_asn="") == [OLD]
        assert migrations_of(conn, old_card="", new_asn=OLD.new_asn) == [OLD]
        assert migrations_of(conn, old_card="", new_asn=ASNS[1]) == []
    with writing(begun) as conn:
        assert migrations_of(conn, old_card=OLD.old_card, new_asn=OLD.new_asn, hold=True) == [OLD]


def test_every_step_is_kept_in_order(begun):
    later = NOW + timedelta(minutes=1)
    locked = attrs.evolve(OLD, state="locked", balance_fen=500, dedicated=7, changed_at=later)
    with writing(begun) as conn:
        advance_migration(conn, locked, note="500 fen")
    with reading(begun) as conn:
        assert migrations_of(conn, old_card=OLD.old_card, new_asn="") == [locked]
        assert migration_steps(conn, OLD.old_card) == [
            MigrationStep(old_card=OLD.old_card, state=MigrationState.INTENDED, note=f"to {ASNS[0]}", at=NOW),
            MigrationStep(old_card=OLD.old_card, state=MigrationState.LOCKED, note="500 fen", at=later),
        ]


def test_no_card_takes_part_twice(begun):
    for wrong in ({"new_asn": ASNS[1]}, {"old_card": "9901000100000002"}):
        with pytest.raises(IntegrityError), writing(begun) as conn:
            begin_migration(conn, attrs.evolve(OLD, **wrong))


def test_what_is_carried_over_is_written_once_and_for_ever(begun):
    with writing(begun) as conn:
        add_carryover(conn, ASNS[0], {"points": 120}, old_card=OLD.old_card)
        add_carryover(conn, ASNS[0], {"points": 120}, old_card=OLD.old_card)
    with reading(begun) as conn:
        assert carryover_of(conn, ASNS[0]) == {"points": 120}
        assert carryover_of(conn, ASNS[1]) == {}
    for table in (card_carryover, card_migration_step):
        with pytest.raises(DBAPIError, match="append-only"), writing(begun) as conn:
            conn.execute(delete(table))
