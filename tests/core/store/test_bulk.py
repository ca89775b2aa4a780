from datetime import UTC, date, datetime
from uuid import UUID

import pyarrow as pa
import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Uuid,
    select,
    tuple_,
)
from sqlalchemy.exc import IntegrityError

from citycard.store import UtcTime, open_store, writing
from citycard.store.bulk import chunks, columns_at, insert_missing, insert_rows, select_in

mixed = Table(
    "mixed",
    MetaData(),
    Column("id", Uuid, primary_key=True),
    Column("number", Integer, nullable=False, unique=True),
    Column("name", String(20)),
    Column("day", Date),
    Column("at", UtcTime),
    Column("sealed", LargeBinary),
    Column("body", JSON),
    Column("wanted", Boolean),
)


def row(number):
    return (
        UUID(int=number),
        number,
        None if number % 3 else f"tab\tand\\back 卡 {number}",
        date(2018, 9, 1 + number % 28),
        datetime(2018, 9, 1, number % 24, tzinfo=UTC),
        bytes([number % 256, 0, 255]),
        {"fen": number, "list": [1, None]},
        number % 2 == 0,
    )


NAMES = tuple(mixed.c.keys())


@pytest.fixture
def conn(store_url):
    engine = open_store(store_url)
    mixed.create(engine)
    with writing(engine) as conn:
        yield conn
    engine.dispose()


def stored(conn):
    return [tuple(found) for found in conn.execute(select(mixed).order_by(mixed.c.number))]


def named(*numbers):
    return [dict(zip(NAMES, row(number), strict=True)) for number in numbers]


def test_rows_come_back_as_they_were_given(conn):
    rows = [row(number) for number in range(50)]
    insert_rows(conn, mixed, NAMES, rows)
    assert stored(conn) == rows


def test_nothing_is_inserted_without_rows(conn):
    insert_rows(conn, mixed, NAMES, [])
    assert insert_missing(conn, mixed, []) == 0
    assert stored(conn) == []


def test_a_key_that_is_there_is_an_error(conn):
    insert_rows(conn, mixed, NAMES, [row(1)])
    with pytest.raises(IntegrityError), conn.begin_nested():
        insert_rows(conn, mixed, NAMES, [row(1)])


@pytest.mark.parametrize("many", [3, 1200])
def test_only_missing_rows_are_inserted_and_counted(conn, many):
    assert insert_missing(conn, mixed, named(*range(many))) == many
    assert insert_missing(conn, mixed, named(*range(many + 2))) == 2
    assert stored(conn) == [row(number) for number in range(many + 2)]


def test_a_missing_value_that_must_be_there_is_not_taken_for_a_row_that_is_there(conn):
    with pytest.raises(IntegrityError), conn.begin_nested():
        insert_missing(conn, mixed, [{"id": UUID(int=1), "number": None}])


def test_keys_are_found_however_many_are_asked_for(conn):
    insert_rows(conn, mixed, NAMES, [row(number) for number in range(0, 40_000, 2)])
    asked = [UUID(int=number) for number in range(40_000)]
    found = {one.number for one in select_in(conn, select(mixed.c.number), mixed.c.id, asked)}
    assert found == set(range(0, 40_000, 2))


def test_pairs_of_columns_can_be_asked_for(conn):
    insert_rows(conn, mixed, NAMES, [row(number) for number in range(6)])
    pairs = tuple_(mixed.c.number, mixed.c.wanted)
    found = select_in(conn, select(mixed.c.number), pairs, [(2, True), (3, True), (5, False)])
    assert sorted(one.number for one in found) == [2, 5]


def test_no_keys_find_nothing(conn):
    assert list(select_in(conn, select(mixed), mixed.c.id, [])) == []


def test_columns_say_at_which_place_each_key_stands(conn):
    insert_rows(conn, mixed, NAMES, [row(number) for number in range(0, 40_000, 2)])
    asked = [UUID(int=number) for number in reversed(range(40_000))]
    query = select(mixed.c.number, mixed.c.day, mixed.c.wanted, mixed.c.number % 8 == 0)
    kinds = (pa.int64(), pa.date32(), pa.bool_(), pa.bool_())
    columns = columns_at(conn, query, mixed.c.id, asked, kinds)
    places, numbers, days, wanted, by_eight = (column.to_pylist() for column in columns)
    assert sorted(numbers) == list(range(0, 40_000, 2))
    assert all(asked[place].int == number for place, number in zip(places, numbers, strict=True))
    assert days == [row(number)[3] for number in numbers]
    assert wanted == [True] * len(numbers)
    assert by_eight == [number % 8 == 0 for number in numbers]


def test_columns_have_words_and_what_is_not_known(conn):
    words = ["plain", 'a "quoted", word', "卡", None]
    asked = [UUID(int=number) for number in range(len(words))]
    rows = [(one, number, word) for number, (one, word) in enumerate(zip(asked, words, strict=True))]
    insert_rows(conn, mixed, ("id", "number", "name"), rows)
    query = select(mixed.c.name, mixed.c.day)
    _, names, days = columns_at(conn, query, mixed.c.id, asked, (pa.string(), pa.date32()))
    assert sorted(names.to_pylist()) == sorted(word or "" for word in words)
    assert days.to_pylist() == [None] * len(words)


@pytest.mark.parametrize("asked", [[], [UUID(int=1)]])
def test_columns_of_nothing_are_empty(conn, asked):
    columns = columns_at(conn, select(mixed.c.number), mixed.c.id, asked, (pa.int64(),))
    assert [column.to_pylist() for column in columns] == [[], []]


def test_a_sequence_is_cut_into_pieces():
    assert [list(piece) for piece in chunks(range(7), 3)] == [[0, 1, 2], [3, 4, 5], [6]]


def test_who_commits_by_hand_has_it_committed(store_url):
    engine = open_store(store_url)
    mixed.create(engine)
    with engine.connect() as conn:
        insert_rows(conn, mixed, NAMES, [row(1)])
        conn.commit()
        insert_rows(conn, mixed, NAMES, [row(2)])
        conn.rollback()
        assert stored(conn) == [row(1)]
    engine.dispose()
