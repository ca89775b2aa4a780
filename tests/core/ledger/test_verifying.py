"""Whatever of a sealed ledger is changed behind the database's back, verifying finds it."""

import sqlite3
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from uuid import UUID

import pytest
from sqlalchemy import create_engine, delete, insert, select, text, update

from citycard.clock import SystemClock
from citycard.keys import CORE_PURPOSES, Vault
from citycard.keys.versions import KeyVersions
from citycard.ledger import Ledger, tables
from citycard.ledger.sealing import seal_ledger
from citycard.ledger.seals import last_seal, seals
from citycard.ledger.verifying import verify_ledger
from citycard.store import open_store, reading, writing
from citycard.store.guarding import append_only_sql, append_only_triggers

TABLES = [
    tables.account,
    tables.account_seal,
    tables.balance,
    tables.hold,
    tables.ledger,
    tables.limit_use,
    tables.request,
    tables.seal,
    tables.transfer,
]
GUARDED = [table for table in TABLES if table.info.get("append_only")]


_CHECKS = """\
SELECT conrelid::regclass, conname FROM pg_constraint
WHERE contype = 'c' AND connamespace = 'public'::regnamespace"""


@pytest.fixture(scope="module")
def migrated_sqlite(busy_sqlite):
    return busy_sqlite


@pytest.fixture(scope="module")
def migrated_postgresql(busy_postgresql):
    return busy_postgresql


@pytest.fixture
def busy(store):
    """A copy for each test of one busy ledger."""
    return Ledger(store)


class Intruder:
    """Somebody who writes into the database without asking it: no trigger, no foreign key, no check."""

    def __init__(self, engine):
        self.sqlite = engine.dialect.name == "sqlite"
        self.engine = engine if not self.sqlite else create_engine(engine.url)
        if not self.sqlite:
            with engine.begin() as conn:
                for table, name in conn.execute(text(_CHECKS)).all():
                    conn.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))

    def do(self, *statements):
        with self.engine.begin() as conn:
            if self.sqlite:
                conn.execute(text("PRAGMA ignore_check_constraints = ON"))
                self.triggers(conn, "DROP TRIGGER {name}")
            else:
                conn.execute(text("SET LOCAL session_replication_role = replica"))
            for statement in statements:
                conn.execute(statement)
            if self.sqlite:
                for table in GUARDED:
                    for again in append_only_sql(table.name, "sqlite"):
                        conn.execute(text(again))

    @staticmethod
    def triggers(conn, statement):
        for table in GUARDED:
            for name in append_only_triggers(table.name, "sqlite"):
                conn.execute(text(statement.format(name=name)))


@pytest.fixture
def intruder(busy):
    intruder = Intruder(busy.engine)
    yield intruder
    if intruder.sqlite:
        intruder.engine.dispose()


def rows_of(engine, table):
    with reading(engine) as conn:
        return [row._mapping for row in conn.execute(select(table).order_by(*table.primary_key.columns))]


def same_row(table, row):
    return [column == row[column.name] for column in table.primary_key.columns]


def other_than(column, value):
    """Give another value of the column's kind, as near as can be."""
    if value is None:
        return _NEW[column.type.python_type]
    # What a limit counts beyond its holds, and a ledger that waits for the clock, are as they may be.
    down = column.name in {"used_fen", "used_count"} or (column.table.name, column.name) == (
        "ledger",
        "posted_at",
    )
    kind = next(kind for kind in _CHANGES if isinstance(value, kind))
    return _CHANGES[kind](value, -1 if down else 1000 if column.primary_key else 1)


# A moment in UTC does not tell its type.
_NEW = {UUID: UUID(int=3), int: 2, object: datetime(2018, 9, 1, tzinfo=UTC)}
_CHANGES = {
    int: lambda value, step: value + step,
    UUID: lambda value, _: UUID(int=value.int ^ 1 << 100),
    datetime: lambda value, step: value + timedelta(microseconds=step),
    date: lambda value, step: value + timedelta(days=step),
    bytes: lambda value, _: bytes([value[0] ^ 1]) + value[1:],
    str: lambda value, _: value[:-1] + chr(ord(value[-1]) ^ 1) if value else "x",
    list: lambda value, _: [*value, "another/key"],
}


def test_a_ledger_in_order_holds(busy, verify, store, vault):
    assert verify() == ()
    seen = verify_ledger(store, vault.seal_keys())
    assert seen.holds
    assert (seen.seals, seen.accounts, seen.refusals) == (6, 9, 3)
    assert (seen.unsealed_transfers, seen.unsealed_refusals, seen.unsealed_accounts) == (0, 0, 0)


def test_what_no_seal_covers_is_counted_and_played_all_the_same(busy, post, move, store, vault):
    post(move(50, "purse/1", "shop", 1), move(51, "nowhere", "shop", 1))
    seen = verify_ledger(store, vault.seal_keys())
    assert seen.holds
    assert (seen.unsealed_transfers, seen.unsealed_refusals) == (1, 1)


@pytest.fixture
def change(intruder, verify):
    """Return a function that changes one value, verifies, and changes it back."""

    def change(table, column, row):
        values = {column.name: other_than(column, row[column.name])}
        intruder.do(update(table).where(*same_row(table, row)).values(values))
        assert verify(), f"{table.name}.{column.name} of {dict(row)}"
        changed = dict(row) | values
        intruder.do(update(table).where(*same_row(table, changed)).values({column.name: row[column.name]}))

    return change


@pytest.mark.parametrize("table", TABLES, ids=lambda one: one.name)
def test_a_changed_value_in_any_column_of_any_table_is_found(table, busy, change, verify):
    rows = rows_of(busy.engine, table)
    for place, column in enumerate(table.c):
        # Another row for each column, and where most hold nothing, one that does.
        telling = [row for row in rows if row[column.name]] or rows
        change(table, column, telling[place % len(telling)])
    assert verify() == ()


@pytest.mark.deep
@pytest.mark.parametrize("table", TABLES, ids=lambda one: one.name)
def test_a_changed_value_in_any_row_is_found(table, busy, change, verify):
    for row in rows_of(busy.engine, table):
        for column in table.c:
            change(table, column, row)
    assert verify() == ()


@pytest.mark.parametrize("table", TABLES, ids=lambda one: one.name)
def test_a_row_that_is_taken_away_is_found(table, intruder, busy, verify, store):
    rows = rows_of(busy.engine, table)
    with reading(store) as conn:
        head = last_seal(conn).head
    for row in {str(row): row for row in (rows[0], rows[len(rows) // 2], rows[-1])}.values():
        intruder.do(delete(table).where(*same_row(table, row)))
        # That the last seal is gone can only be seen from outside.
        assert verify(head), dict(row)
        intruder.do(insert(table).values(dict(row)))
    assert verify(head) == ()


@pytest.mark.parametrize(
    "table", [one for one in TABLES if one not in {tables.limit_use, tables.ledger}], ids=lambda one: one.name
)
def test_a_row_that_is_put_in_is_found(table, intruder, busy, verify):
    row = dict(rows_of(busy.engine, table)[0])
    for column in table.primary_key.columns:
        row[column.name] = {UUID: UUID(int=999), int: 999, str: "x"}[column.type.python_type]
    if table is tables.account:
        row["address"] = "another"
    intruder.do(insert(table).values(row))
    assert verify()


@pytest.mark.parametrize("table", TABLES, ids=lambda one: one.name)
def test_two_rows_that_change_places_are_found(table, intruder, busy, verify):
    keys = [column.name for column in table.primary_key.columns]
    rows = [dict(row) for row in rows_of(busy.engine, table)]
    if len(rows) < 2 or table is tables.account_seal:
        return
    contents = [
        {name: value for name, value in row.items() if name not in keys} for row in (rows[0], rows[-1])
    ]
    first, last = same_row(table, rows[0]), same_row(table, rows[-1])
    between = {"address": "between"} if table is tables.account else {}
    if contents[0] == contents[1]:
        return
    intruder.do(
        update(table).where(*first).values(contents[1] | between),
        update(table).where(*last).values(contents[0]),
        update(table).where(*first).values(contents[1]),
    )
    assert verify()


def test_the_first_thing_wrong_is_named(intruder, busy, verify):
    change = update(tables.transfer).where(tables.transfer.c.posted_seq == 3)
    intruder.do(change.values(amount_fen=71))
    first = verify()[0]
    assert (first.part, first.seal, first.posted_seq, first.field) == ("transfer", 1, 3, "content")
    assert first.id == str(UUID(int=3))
    assert "transfer number 3" in first.found
    assert {one.id for one in verify() if one.part == "balance"} == {"purse/1", "shop"}


def test_a_guard_that_was_broken_for_a_moment_is_found(busy, store, intruder, post, move, vault, verify):
    """The balances come out right, and so do all sums: only the order shows it."""
    post(move(60, "bank", "online/1", 900), move(61, "online/1", "shop", 900))
    found = {row["id"]: row for row in rows_of(store, tables.transfer)}
    load, spend = found[UUID(int=60)], found[UUID(int=61)]
    names = ("id", "dr_account", "cr_account", "dr_before", "cr_before", "code", "ref")
    shop_before, bank_before = spend["cr_before"], load["dr_before"]
    online_before = load["cr_before"]
    first = {name: spend[name] for name in names} | {"dr_before": online_before, "cr_before": shop_before}
    last = {name: load[name] for name in names} | {"dr_before": bank_before, "cr_before": load["posted_seq"]}
    number, transfer, answer = load["posted_seq"], tables.transfer, tables.request
    intruder.do(
        update(transfer).where(transfer.c.posted_seq == number).values(first),
        update(transfer).where(transfer.c.posted_seq == number + 1).values(last),
        update(answer).where(answer.c.id == UUID(int=61)).values(posted_seq=number),
        update(answer).where(answer.c.id == UUID(int=60)).values(posted_seq=number + 1),
        text(f"UPDATE balance SET last_seq = {number + 1} WHERE last_seq = {number}"),
        update(tables.balance)
        .where(tables.balance.c.account_id == spend["cr_account"])
        .values(last_seq=number),
    )
    assert [(one.field, one.posted_seq, one.id) for one in verify()] == [("guard", number, "online/1")]


def test_seals_that_are_made_again_with_another_key_are_found(busy, store, intruder, vault):
    versions = KeyVersions()
    versions.ensure(CORE_PURPOSES)
    stranger = Vault(bytes(16), versions)
    with reading(store) as conn:
        before = last_seal(conn)
    intruder.do(
        update(tables.transfer).where(tables.transfer.c.posted_seq == 3).values(ref="changed"),
        delete(tables.seal),
        update(tables.account_seal).values(seal=None),
    )
    seal_ledger(store, stranger.seal_signer(), SystemClock())
    found = verify_ledger(store, vault.seal_keys()).findings
    assert "key_id" in {one.field for one in found}
    # Even with the stranger's own keys, a seal that was noted tells.
    noted = verify_ledger(store, stranger.seal_keys(), heads=[before.head]).findings
    assert "noted" in " ".join(one.found for one in noted)


def test_a_signature_by_another_key_under_the_name_of_the_citys_is_found(busy, store, intruder, verify):
    versions = KeyVersions()
    versions.ensure(CORE_PURPOSES)
    signer = Vault(bytes(16), versions).seal_signer()
    with reading(store) as conn:
        last = last_seal(conn)
    signature = signer.sign(last.content.encode())
    intruder.do(update(tables.seal).where(tables.seal.c.seq == last.seq).values(signature=signature))
    assert [one.field for one in verify()] == ["signature"]


def test_a_tail_of_seals_that_is_cut_off_is_missed(busy, store, intruder, verify):
    with reading(store) as conn:
        chain = list(seals(conn))
    for left in range(len(chain) - 1, -1, -1):
        intruder.do(
            delete(tables.seal).where(tables.seal.c.seq > left),
            update(tables.account_seal).where(tables.account_seal.c.seal > left).values(seal=None),
        )
        assert [one.field for one in verify()] == []
        assert "taken away" in verify(chain[-1].head)[-1].found


def test_a_key_that_was_retired_still_proves_old_seals_and_signs_no_new_ones(
    busy, seal, post, move, vault, verify
):
    vault.roll("seal")
    assert verify() == ()
    vault.retire("seal", 1)
    assert [one.field for one in verify()] == ["key_id"]
    post(move(70, "purse/1", "shop", 1))
    (newest,) = seal()
    assert newest.key_id.startswith("seal/2/")
    assert verify() == ()


def test_a_trigger_that_is_gone_is_found(busy, store, verify):
    with writing(store) as conn:
        on = " ON transfer" if conn.dialect.name == "postgresql" else ""
        name = append_only_triggers("transfer", conn.dialect.name)[0]
        conn.execute(text(f"DROP TRIGGER {name}{on}"))
    assert [one.field for one in verify()] == [name]


def test_progress_is_told_in_order(busy, store, vault):
    told = []
    verify_ledger(store, vault.seal_keys(), progress=lambda what, _count: told.append(what))
    assert told == ["balances", "holds and limits", "audit"]


# ── the file itself ──


def dump(file):
    with sqlite3.connect(file) as conn:
        # The ledger's own row is not sealed: a moment in it may be written otherwise and mean the same.
        columns = {table.name: table.c.keys() for table in TABLES} | {"ledger": ["id", "posted_seq"]}
        return {
            table.name: sorted(
                conn.execute(f"SELECT {', '.join(columns[table.name])} FROM {table.name}"), key=repr
            )
            for table in TABLES
        }


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.parametrize("seed", range(6))
def test_a_flipped_byte_anywhere_in_the_file_is_found_or_changes_nothing(busy, store, vault, tmp_path, seed):
    file, copy = store.url.database, tmp_path / "flipped.db"
    busy.engine.dispose()
    with sqlite3.connect(file) as conn:
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    right, bytes_, dice = dump(file), Path(file).read_bytes(), Random(seed)
    pages = pages_of(file)
    found = 0
    for _ in range(25):
        place = dice.choice(pages) * 4096 + dice.randrange(4096)
        flipped = bytearray(bytes_)
        flipped[place] ^= 1 << dice.randrange(8)
        copy.write_bytes(flipped)
        for beside in ("-wal", "-shm"):
            copy.with_name(copy.name + beside).unlink(missing_ok=True)
        engine = open_store(f"sqlite:///{copy}")
        seen = verify_ledger(engine, vault.seal_keys())
        engine.dispose()
        found += not seen.holds
        if seen.holds:
            assert dump(copy) == right, f"byte {place} was changed and not found"
    assert found


def test_a_file_that_is_no_database_any_more_is_told(tmp_path, vault):
    file = tmp_path / "city.db"
    file.write_bytes(b"something else" * 1000)
    engine = open_store(f"sqlite:///{file}")
    (found,) = verify_ledger(engine, vault.seal_keys()).findings
    engine.dispose()
    assert (found.part, "is not a database" in found.found) == ("file", True)


def pages_of(file):
    """Give the pages of the ledger's tables, from 0; a flip anywhere else is no business of the ledger."""
    named = ", ".join(f"'{table.name}'" for table in TABLES)
    with sqlite3.connect(file) as conn:
        try:
            rows = conn.execute(f"SELECT pageno - 1 FROM dbstat WHERE name IN ({named})").fetchall()
        except sqlite3.OperationalError:
            rows = [(place,) for place in range(conn.execute("PRAGMA page_count").fetchone()[0])]
    return [place for (place,) in rows]
