import subprocess
import sys

import pytest
from sqlalchemy import MetaData

from citycard.store import open_store, reading
from citycard.store.migrate import state_by_alembic, upgrade, upgrade_plugin
from citycard.store.revisions import SchemaState, schema_state
from citycard.store.schema import CORE, plugin_owner

FIRST = 'revision = "zoo_0001"\ndown_revision = None\n'
SECOND = "revision: str = 'zoo_0002'\ndown_revision: str | None = 'zoo_0001'\n"
BRANCHES = {
    "two heads": {"a.py": FIRST, "b.py": SECOND, "c.py": SECOND.replace("zoo_0002", "zoo_0003")},
    "a merge": {
        "a.py": FIRST,
        "b.py": SECOND,
        "c.py": SECOND.replace("zoo_0002", "zoo_0003"),
        "d.py": 'revision = "zoo_0004"\ndown_revision = ("zoo_0002", "zoo_0003")\n',
    },
    "a computed revision": {"a.py": 'NAME = "zoo_0001"\nrevision = NAME\ndown_revision = None\n'},
    "a revision that is written twice": {"a.py": f'{FIRST}revision = "zoo_0007"\n'},
    "no revision": {},
}


@pytest.fixture
def engine(store_url):
    engine = open_store(store_url)
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "migrations"
    folder.mkdir()
    return folder


def written(folder, files):
    for name, content in files.items():
        folder.joinpath(name).write_text(f"{content}\n\ndef upgrade():\n    pass\n")
    return plugin_owner("zoo", MetaData(), folder)


def test_the_core_is_where_alembic_says(engine):
    with reading(engine) as conn:
        state = schema_state(conn)
        assert state == state_by_alembic(conn, CORE)
    assert state.up_to_date


def test_a_plugin_is_behind_until_it_was_upgraded(engine, folder):
    owner = written(folder, {"0002_later.py": SECOND, "0001_first.py": FIRST})
    with reading(engine) as conn:
        assert schema_state(conn, owner) == SchemaState(owner="zoo", current=None, head="zoo_0002")
    upgrade_plugin(engine, "zoo", MetaData(), folder)
    with reading(engine) as conn:
        assert schema_state(conn, owner) == SchemaState(owner="zoo", current="zoo_0002", head="zoo_0002")


@pytest.mark.parametrize("files", BRANCHES.values(), ids=BRANCHES)
def test_what_is_no_plain_line_is_as_alembic_says(engine, folder, files):
    def said(by):
        try:
            return by(conn, owner)
        except Exception as error:  # noqa: BLE001 - Alembic's own, whatever it is
            return type(error), str(error)

    owner = written(folder, files)
    with reading(engine) as conn:
        assert said(schema_state) == said(state_by_alembic)


def test_asking_does_not_import_alembic(tmp_path):
    url = f"sqlite:///{tmp_path / 'store.db'}"
    engine = open_store(url)
    upgrade(engine)
    engine.dispose()
    program = f"""
import sys
from citycard.store import open_store, reading
from citycard.store.revisions import schema_state
with reading(open_store({url!r})) as conn:
    assert schema_state(conn).up_to_date
assert "alembic" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)
