import pytest
from sqlalchemy import Column, Index, Integer, MetaData, String, Table

from citycard.store import NAMING_CONVENTION, SerialNumber, UtcTime, open_store, writing
from citycard.store.draft import draft_revision
from citycard.store.guarding import append_only
from citycard.store.migrate import drift, upgrade_owner
from citycard.store.schema import plugin_owner


def zoo(tmp_path, *, named=False):
    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    animal = Table(
        "zoo_animal",
        metadata,
        Column("seq", SerialNumber, primary_key=True),
        Column("born", UtcTime, nullable=False),
        Column("kind", Integer, index=True),
        *([Column("name", String(20))] if named else []),
        sqlite_autoincrement=True,
    )
    Index(
        "ix_zoo_animal_young",
        animal.c.born,
        sqlite_where=animal.c.kind == 1,
        postgresql_where=animal.c.kind == 1,
    )
    append_only(animal)
    return plugin_owner("zoo", metadata, tmp_path / "migrations")


@pytest.fixture
def engine(store_url):
    engine = open_store(store_url)
    yield engine
    engine.dispose()


def test_a_drafted_revision_makes_what_was_declared(engine, tmp_path):
    owner = zoo(tmp_path)
    file = draft_revision(owner, "Keep animals.")
    assert file.name == "0001_keep_animals.py"
    assert upgrade_owner(engine, owner).current == "zoo_0001"
    with writing(engine) as conn:
        assert drift(conn, owner) == []


def test_the_next_draft_holds_only_what_is_new(engine, tmp_path):
    draft_revision(zoo(tmp_path), "Keep animals")
    owner = zoo(tmp_path, named=True)
    text = draft_revision(owner, "Name them").read_text()
    assert "create_table" not in text
    assert "down_revision = 'zoo_0001'" in text
    assert upgrade_owner(engine, owner).current == "zoo_0002"
    with writing(engine) as conn:
        assert drift(conn, owner) == []
