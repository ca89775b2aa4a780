import importlib
import pkgutil
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from textwrap import dedent

import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table, insert, inspect, text

import citycard
from citycard.clearing.senttables import sent_file
from citycard.clearing.tables import clearing_part, clearing_run
from citycard.errors import MigrationRefused
from citycard.registry.tables import card
from citycard.store import metadata, migrate, open_store, reading, writing
from citycard.store.migrate import (
    downgrade_plugin,
    drift,
    present_schemas,
    schema_state,
    scripts_of,
    upgrade,
    upgrade_plugin,
)
from citycard.store.schema import CORE, plugin_owner


@pytest.fixture(autouse=True, scope="module")
def _every_core_table_is_known():
    for package in pkgutil.iter_modules(citycard.__path__):
        if package.ispkg and package.name not in {"web", "cli", "testing"}:
            for module in pkgutil.iter_modules([f"{citycard.__path__[0]}/{package.name}"]):
                importlib.import_module(f"citycard.{package.name}.{module.name}")


@pytest.fixture
def engine(store_url):
    engine = open_store(store_url)
    yield engine
    engine.dispose()


zoo = MetaData()
Table("zoo_animal", zoo, Column("id", Integer, primary_key=True), Column("name", String(20), nullable=False))
Table(
    "zoo_visit",
    zoo,
    Column("id", Integer, primary_key=True),
    Column("asn", String(20), ForeignKey(card.c.asn)),
)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "migrations"
    folder.mkdir()
    folder.joinpath("0001_animals.py").write_text(
        dedent("""
            import sqlalchemy as sa
            from alembic import op

            revision = "zoo_0001"
            down_revision = None

            def upgrade():
                op.create_table("zoo_animal", sa.Column("id", sa.Integer, primary_key=True))

            def downgrade():
                op.drop_table("zoo_animal")
        """)
    )
    folder.joinpath("0002_visits.py").write_text(
        dedent("""
            import sqlalchemy as sa
            from alembic import op

            revision = "zoo_0002"
            down_revision = "zoo_0001"

            def upgrade():
                with op.batch_alter_table("zoo_animal") as table:
                    table.add_column(sa.Column("name", sa.String(20), nullable=False, server_default=""))
                op.create_table(
                    "zoo_visit",
                    sa.Column("id", sa.Integer, primary_key=True),
                    sa.Column("asn", sa.String(20), sa.ForeignKey("card.asn")),
                )

            def downgrade():
                op.drop_table("zoo_visit")
                with op.batch_alter_table("zoo_animal") as table:
                    table.drop_column("name")
        """)
    )
    return folder


def tables(engine):
    return set(inspect(engine).get_table_names())


def test_an_empty_database_gets_every_table_of_the_core(engine):
    state = upgrade(engine)
    assert state.up_to_date
    assert tables(engine) == {*metadata.tables, "citycard_version"}


def test_what_migrations_make_is_what_the_code_declares(engine):
    upgrade(engine)
    with writing(engine) as conn:
        assert drift(conn) == []


def test_a_difference_is_said(engine):
    upgrade(engine)
    with writing(engine) as conn:
        conn.execute(text("ALTER TABLE partner ADD COLUMN motto VARCHAR(20)"))
        trigger = (
            "transfer_no_update" if engine.dialect.name == "sqlite" else "transfer_no_change ON transfer"
        )
        conn.execute(text(f"DROP TRIGGER {trigger}"))
        found = drift(conn)
    assert len(found) == 2
    assert "motto" in found[0]
    assert found[1] == f"trigger {trigger.split(maxsplit=1)[0]} is missing"


def test_upgrading_again_changes_nothing(engine):
    before = upgrade(engine)
    assert upgrade(engine) == before


def test_the_core_can_be_taken_back_to_nothing(engine):
    revisions = list(scripts_of(CORE).walk_revisions())
    assert [revision.revision for revision in revisions][-1] == "citycard_0001"
    assert all(callable(revision.module.downgrade) for revision in revisions)


def test_several_unsigned_files_under_one_number_are_not_taken_back_to_tables_that_hold_one(engine):
    head = upgrade(engine)
    row = dict.fromkeys(("name", "digest", "reason", "archive", "format", "code"), "")
    row |= dict.fromkeys(("position", "records", "amount_fen", "unreadable"), 0)
    row |= {"sender": "depot", "number": 3, "state": "accepted", "problems": [], "signed": False}
    at = datetime(2026, 3, 2, tzinfo=UTC)
    with writing(engine) as conn:
        conn.execute(insert(sent_file), [row | {"intake": one, "received_at": at} for one in (1, 2)])
    scripts = scripts_of(CORE)
    refused = pytest.raises(
        MigrationRefused, match="depot has several accepted files under number 3, and the"
    )
    with refused, migrate._locked(engine) as conn:
        migrate._run(conn, CORE, scripts, lambda at: scripts._downgrade_revs("citycard_0019", at))
    with writing(engine) as conn:
        assert schema_state(conn) == head
        assert drift(conn) == []


def test_a_run_that_cut_buckets_is_not_taken_back_to_code_that_would_find_a_piece_only(engine):
    head = upgrade(engine)
    run = {"number": 7, "from_intake": 0, "watermark": 1, "state": "closed"}
    part = {"run": 7, "outcomes": "o", "cards": "c", "records": 1, "digest": "0" * 64}
    with writing(engine) as conn:
        conn.execute(insert(clearing_run), run | {"opened_at": datetime(2026, 3, 2, tzinfo=UTC)})
        conn.execute(insert(clearing_part), [part | {"share": share} for share in (3, 19)])
    scripts = scripts_of(CORE)
    refused = pytest.raises(MigrationRefused, match="run 7 has judged buckets piece by piece")
    with refused, migrate._locked(engine) as conn:
        migrate._run(conn, CORE, scripts, lambda at: scripts._downgrade_revs("citycard_0024", at))
    with writing(engine) as conn:
        assert schema_state(conn) == head
        assert drift(conn) == []


def test_processes_that_start_together_do_not_meet(engine):
    with ThreadPoolExecutor(4) as pool:
        states = list(pool.map(lambda _: upgrade(engine), range(4)))
    assert len(set(states)) == 1


def test_tables_that_no_migration_made_are_refused(engine):
    with writing(engine) as conn:
        conn.execute(text("CREATE TABLE card (asn VARCHAR(20))"))
    with pytest.raises(MigrationRefused, match=r"no citycard_version.*empty database.*\(found card\)"):
        upgrade(engine)
    assert tables(engine) == {"card"}


def test_a_plugin_has_its_own_version_table(engine, folder):
    upgrade(engine)
    assert upgrade_plugin(engine, "zoo", zoo, folder).current == "zoo_0002"
    with writing(engine) as conn:
        assert present_schemas(conn) == {
            "citycard": scripts_of(CORE).get_current_head(),
            "zoo": "zoo_0002",
        }
        assert drift(conn, plugin_owner("zoo", zoo, folder)) == []
    assert "alembic_version" not in tables(engine)


def test_the_core_goes_on_when_a_plugin_is_gone(engine, folder):
    upgrade(engine)
    upgrade_plugin(engine, "zoo", zoo, folder)
    for file in folder.iterdir():
        if file.is_file():
            file.unlink()
    assert upgrade(engine).up_to_date
    with writing(engine) as conn:
        assert drift(conn) == []
        assert present_schemas(conn)["zoo"] == "zoo_0002"


def test_a_plugins_tables_can_go_and_come_back(engine, folder):
    upgrade(engine)
    before = tables(engine)
    upgrade_plugin(engine, "zoo", zoo, folder)
    downgrade_plugin(engine, "zoo", zoo, folder)
    assert tables(engine) == before
    downgrade_plugin(engine, "zoo", zoo, folder)
    assert upgrade_plugin(engine, "zoo", zoo, folder).up_to_date


def test_a_plugins_tables_without_its_version_are_refused(engine, folder):
    upgrade(engine)
    with writing(engine) as conn:
        conn.execute(text("CREATE TABLE zoo_lion (id INTEGER)"))
    with pytest.raises(
        MigrationRefused, match=r"cannot migrate zoo.*citycard_version_zoo.*\(found zoo_lion\)"
    ):
        upgrade_plugin(engine, "zoo", zoo, folder)


def test_a_plugin_that_builds_on_a_newer_core_waits_for_it(engine, folder):
    upgrade(engine)
    with pytest.raises(MigrationRefused, match="citycard_0999, and the core is at citycard_0"):
        upgrade_plugin(engine, "zoo", zoo, folder, core_schema="citycard_0999")
    assert upgrade_plugin(engine, "zoo", zoo, folder, core_schema="citycard_0001").up_to_date


def test_a_database_from_a_newer_version_is_left_alone(engine):
    upgrade(engine)
    with writing(engine) as conn:
        conn.execute(text("UPDATE citycard_version SET version_num = 'citycard_0999'"))
    with pytest.raises(MigrationRefused, match=r"citycard_0999.*another version"):
        upgrade(engine)


def test_a_migration_that_fails_leaves_nothing(engine, folder):
    upgrade(engine)
    broken = folder / "0002_visits.py"
    broken.write_text(
        broken.read_text().replace('op.create_table(\n        "zoo_visit"', 'op.nothing(\n  "zoo_visit"')
    )
    with pytest.raises(AttributeError):
        upgrade_plugin(engine, "zoo", zoo, folder)
    assert not any(table.startswith(("zoo_", "citycard_version_zoo")) for table in tables(engine))


def test_rows_survive_a_table_that_is_rebuilt(engine, folder):
    upgrade(engine)
    second = folder / "0002_visits.py"
    later = second.read_text()
    second.unlink()
    upgrade_plugin(engine, "zoo", zoo, folder)
    with writing(engine) as conn:
        conn.execute(text("INSERT INTO zoo_animal (id) VALUES (7)"))
    second.write_text(later)
    upgrade_plugin(engine, "zoo", zoo, folder)
    with reading(engine) as conn:
        assert conn.execute(text("SELECT id, name FROM zoo_animal")).all() == [(7, "")]


def test_the_state_of_an_empty_database_is_said(engine):
    with reading(engine) as conn:
        state = schema_state(conn)
    assert (state.current, state.up_to_date) == (None, False)
