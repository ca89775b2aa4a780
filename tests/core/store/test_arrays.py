"""A column that is sent as a binary array arrives as it was."""

from datetime import UTC, date, datetime, timedelta, timezone
from uuid import UUID

import pytest
from sqlalchemy import create_engine, text

from citycard.store.arrays import array_bytes
from citycard.store.copying import driver_of

COLUMNS = {
    "bigint": [0, 1, -1, 2**63 - 1, -(2**63)],
    "bytea": [b"", b"\x00\xff", bytes(16)],
    "date": [date(2018, 9, 1), date(1999, 12, 31), date(1, 1, 1), date(9999, 12, 31)],
    "integer": [0, 1, -1, 2**31 - 1, -(2**31)],
    "timestamp": [datetime(2018, 9, 1, 8, 30, 0, 1), datetime(1999, 12, 31, 23, 59, 59, 999_999)],
    "timestamptz": [
        datetime(2018, 9, 1, 8, 30, tzinfo=timezone(timedelta(hours=8))),
        datetime(1970, 1, 1, tzinfo=UTC),
    ],
    "uuid": [UUID(int=0), UUID(int=2**128 - 1), UUID(int=1)],
    "varchar": ["", "NULL", '"', "\\", "{a,b}", "it's", "公交 1 路", "a b", "%s", "$1"],
}


@pytest.fixture
def read(postgresql_server):
    """Return a function that gives what PostgreSQL reads in an array of a type."""
    engine = create_engine(postgresql_server.url().replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as conn:

        def read(kind, values):
            libpq = driver_of(conn).pgconn
            sent = array_bytes(kind, values)
            one = f"CASE WHEN element IS NULL THEN NULL ELSE element::text END FROM unnest($1::{kind}[])"
            asked = f"SELECT {one} AS element".encode()
            conn.execute(text("SET TIME ZONE 'UTC'"))
            found = libpq.exec_params(asked, [sent], param_formats=[1])
            assert not found.error_message
            return [found.get_value(row, 0) for row in range(found.ntuples)]

        yield read
    engine.dispose()


def written(kind, value):
    """Give a value as PostgreSQL's text says it."""
    if value is None:
        return None
    if kind == "bytea":
        return b"\\x" + value.hex().encode()
    if kind == "timestamptz":
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S+00}".encode()
    if kind == "date":
        return f"{value.year:04}-{value.month:02}-{value.day:02}".encode()
    return str(value).encode()


@pytest.mark.postgresql
@pytest.mark.parametrize("kind", COLUMNS)
def test_every_value_arrives_as_it_was(read, kind):
    some = COLUMNS[kind]
    for values in (
        [],
        some,
        [None],
        [None, None],
        [*some, None],
        [None, *some, None],
        some[-1:] * 3,
        some * 9,
    ):
        assert read(kind, values) == [written(kind, value) for value in values]


@pytest.mark.parametrize(("kind", "value"), [("bigint", 2**63), ("bigint", -(2**63) - 1), ("integer", 2**31)])
def test_a_number_that_the_type_does_not_hold_is_refused(kind, value):
    for values in ([value], [1, value], [None, value, 1]):
        with pytest.raises(OverflowError, match=kind):
            array_bytes(kind, values)
