"""A chained log shows what was changed, taken out, or cut off after somebody saw it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import JSON, Column, Engine, Integer, LargeBinary, MetaData, Table, delete, update

from citycard.store import open_store, reading, writing
from citycard_egov import chain

LOG = Table(
    "log",
    MetaData(),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("content", JSON, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
)


@pytest.fixture
def engine(tmp_path: object) -> Iterator[Engine]:
    engine = open_store(f"sqlite:///{tmp_path}/log.sqlite")
    LOG.create(engine)
    yield engine
    engine.dispose()


def broken(engine: Engine, seen: chain.Head | None = None) -> str | None:
    with reading(engine) as conn:
        return chain.broken(conn, LOG, seen=seen)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    contents=st.lists(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5)), min_size=1),
    data=st.data(),
)
def test_a_row_that_was_changed_or_taken_out_is_found(
    engine: Engine, contents: list[dict[str, object]], data: st.DataObject
) -> None:
    with writing(engine) as conn:
        conn.execute(delete(LOG))
        heads = [chain.append(conn, LOG, content) for content in contents]
    assert broken(engine) is None
    assert all(broken(engine, seen) is None for seen in heads)
    victim = data.draw(st.integers(1, len(contents)))
    changed = json.loads(json.dumps(contents[victim - 1])) | {"added later": True}
    with writing(engine) as conn:
        conn.execute(update(LOG).where(LOG.c.seq == victim).values(content=changed))
    assert broken(engine) == f"row {victim} is not what was written"
    with writing(engine) as conn:
        conn.execute(delete(LOG).where(LOG.c.seq >= victim))
    assert broken(engine) is None
    assert broken(engine, heads[-1]) is not None


def test_a_log_written_anew_is_not_the_one_that_was_seen(engine: Engine) -> None:
    with writing(engine) as conn:
        seen = chain.append(conn, LOG, {"asked": 1})
        conn.execute(delete(LOG))
        chain.append(conn, LOG, {"asked": 2})
    assert broken(engine) is None
    assert broken(engine, seen) == "row 1 is another than the other side saw"
