import pytest
from sqlalchemy import Column, Integer, MetaData, Table, text
from sqlalchemy.exc import DBAPIError

from citycard.store import open_store, writing
from citycard.store.guarding import append_only, append_only_triggers
from citycard.store.schema import trigger_names

entry = Table("entry", MetaData(), Column("id", Integer, primary_key=True), Column("fen", Integer))
append_only(entry)


@pytest.fixture
def engine(store_url):
    engine = open_store(store_url)
    entry.create(engine)
    with writing(engine) as conn:
        conn.execute(text("INSERT INTO entry VALUES (1, 100)"))
    yield engine
    engine.dispose()


@pytest.mark.parametrize("change", ["UPDATE entry SET fen = 1", "DELETE FROM entry WHERE id = 1"])
def test_a_row_can_neither_be_changed_nor_deleted(engine, change):
    with pytest.raises(DBAPIError, match="entry is append-only"), writing(engine) as conn:
        conn.execute(text(change))
    with writing(engine) as conn:
        assert conn.scalar(text("SELECT fen FROM entry")) == 100


def test_a_row_can_be_added(engine):
    with writing(engine) as conn:
        conn.execute(text("INSERT INTO entry VALUES (2, 200)"))
        assert conn.scalar(text("SELECT sum(fen) FROM entry")) == 300


def test_sqlite_cannot_be_talked_into_replacing_a_row(tmp_path):
    engine = open_store(f"sqlite:///{tmp_path / 'city.db'}")
    entry.create(engine)
    with writing(engine) as conn:
        conn.execute(text("INSERT INTO entry VALUES (1, 100)"))
    with pytest.raises(DBAPIError, match="entry is append-only"), writing(engine) as conn:
        conn.execute(text("INSERT OR REPLACE INTO entry VALUES (1, 999)"))
    engine.dispose()


@pytest.mark.postgresql
def test_postgresql_cannot_empty_the_table(postgresql_url):
    engine = open_store(postgresql_url)
    entry.create(engine)
    with pytest.raises(DBAPIError, match="entry is append-only"), writing(engine) as conn:
        conn.execute(text("TRUNCATE entry"))
    entry.drop(engine)
    engine.dispose()


def test_the_triggers_are_there_by_name(engine):
    with writing(engine) as conn:
        assert trigger_names(conn) == set(append_only_triggers("entry", engine.dialect.name))
