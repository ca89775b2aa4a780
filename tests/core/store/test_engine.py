from threading import Event, Thread

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, insert, select, text
from sqlalchemy.exc import DBAPIError

from citycard.errors import StoreUrlInvalid
from citycard.store import open_store, reading, writing
from citycard.store.engine import write_alone

thing = Table("thing", MetaData(), Column("number", Integer, primary_key=True))


@pytest.fixture
def engine(store_url):
    engine = open_store(store_url)
    thing.create(engine)
    yield engine
    engine.dispose()


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("recursive_triggers", 1)],
)
def test_sqlite_is_opened_so_that_nothing_committed_is_lost(tmp_path, pragma, value):
    engine = open_store(f"sqlite:///{tmp_path / 'city.db'}")
    with reading(engine) as conn:
        assert conn.scalar(text(f"PRAGMA {pragma}")) == value
    engine.dispose()


def test_an_unknown_database_is_named_and_its_password_is_not():
    with pytest.raises(StoreUrlInvalid, match="starts with 'mysql'") as caught:
        open_store("mysql://root:secret@host/city")
    assert "secret" not in str(caught.value)


def test_a_url_that_is_none_is_refused():
    with pytest.raises(StoreUrlInvalid, match="sqlite:///<file>"):
        open_store("the city database")


def test_what_fails_inside_leaves_nothing(engine):
    with pytest.raises(ZeroDivisionError), writing(engine) as conn:
        assert conn.execute(insert(thing), {"number": 1}).rowcount / 0
    with reading(engine) as conn:
        assert conn.scalars(select(thing.c.number)).all() == []


def test_the_values_of_a_statement_that_fails_are_not_told(engine):
    with pytest.raises(DBAPIError) as caught, writing(engine) as conn:
        conn.execute(select(thing).where(thing.c.number == text(":mac / nothing")), {"mac": "caa21d1b"})
    assert "caa21d1b" not in str(caught.value)


def test_a_reader_does_not_wait_for_a_writer_and_sees_one_state(engine):
    with writing(engine) as writer, reading(engine) as reader:
        writer.execute(insert(thing), {"number": 1})
        assert reader.scalars(select(thing.c.number)).all() == []
        writer.commit()
        assert reader.scalars(select(thing.c.number)).all() == []


def test_writers_on_sqlite_take_turns_from_their_first_statement_on(tmp_path):
    engine = open_store(f"sqlite:///{tmp_path / 'city.db'}")
    thing.create(engine)
    started, seen = Event(), []

    def second():
        started.set()
        with writing(engine) as conn:
            count = len(conn.execute(select(thing)).all())
            conn.execute(insert(thing), {"number": count})
            seen.append(count)

    with writing(engine) as conn:
        thread = Thread(target=second)
        thread.start()
        started.wait()
        count = len(conn.execute(select(thing)).all())
        conn.execute(insert(thing), {"number": count})
    thread.join()
    assert seen == [1]
    engine.dispose()


@pytest.mark.postgresql
def test_who_writes_alone_is_waited_for_by_writers_and_not_by_readers(engine):
    seen, begun = [], Event()

    def second():
        begun.set()
        with writing(engine) as conn:
            write_alone(conn, thing)
            seen.extend(conn.scalars(select(thing.c.number)))

    with writing(engine) as conn:
        write_alone(conn, thing)
        other = Thread(target=second)
        other.start()
        begun.wait()
        with reading(engine) as looking:
            assert looking.scalars(select(thing.c.number)).all() == []
        other.join(timeout=0.2)
        assert other.is_alive()
        conn.execute(insert(thing), {"number": 1})
    other.join()

    assert seen == [1]


def test_a_reading_transaction_on_postgresql_cannot_write(postgresql_url):
    engine = open_store(postgresql_url)
    with pytest.raises(DBAPIError, match="read-only"), reading(engine) as conn:
        conn.execute(text("CREATE TABLE never (id int)"))
    engine.dispose()
