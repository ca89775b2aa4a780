from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, insert, select
from sqlalchemy.exc import StatementError

from citycard.store import NAMING_CONVENTION, UtcTime, metadata, open_store, reading, writing

moment = Table("moment", MetaData(), Column("id", Integer, primary_key=True), Column("at", UtcTime))


@pytest.fixture
def engine(store_url):
    engine = open_store(store_url)
    moment.create(engine)
    yield engine
    engine.dispose()


def test_a_moment_comes_back_as_the_same_moment_in_utc(engine):
    at = datetime(2018, 9, 1, 8, 30, 0, 123456, tzinfo=timezone(timedelta(hours=8)))
    with writing(engine) as conn:
        conn.execute(insert(moment), [{"id": 1, "at": at}, {"id": 2, "at": None}])
    with reading(engine) as conn:
        found = conn.scalars(select(moment.c.at).order_by(moment.c.id)).all()
    assert found == [datetime(2018, 9, 1, 0, 30, 0, 123456, tzinfo=UTC), None]
    assert found[0].tzinfo is UTC


def test_a_moment_without_a_time_zone_is_refused(engine):
    with pytest.raises(StatementError, match="aware datetime"), writing(engine) as conn:
        conn.execute(insert(moment), {"id": 1, "at": datetime(2018, 9, 1)})


def test_every_constraint_of_the_core_has_a_name():
    assert metadata.naming_convention == NAMING_CONVENTION
    unnamed = [
        (table.name, constraint)
        for table in metadata.tables.values()
        for constraint in table.constraints
        if constraint.name is None
    ]
    assert unnamed == []
