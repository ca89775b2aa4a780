import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from citycard.errors import PostgresqlFailed, PostgresqlMissing
from citycard.store import open_store, reading, writing
from citycard.testing.postgresql import PostgresqlServer, find_programs

pytestmark = pytest.mark.postgresql


def test_a_machine_without_postgresql_is_told_which_package_it_needs(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PostgresqlMissing, match="install the Debian package postgresql") as caught:
        find_programs(tmp_path)
    assert "-m 'not postgresql'" in str(caught.value)


def test_the_newest_version_is_taken(tmp_path):
    for version in ("9.6", "15", "17"):
        folder = tmp_path / version / "bin"
        folder.mkdir(parents=True)
        (folder / "initdb").touch()
    assert find_programs(tmp_path) == tmp_path / "17" / "bin"


def test_a_database_is_ones_own_and_can_be_copied(postgresql_server):
    first = postgresql_server.create_database()
    engine = open_store(first)
    with writing(engine) as conn:
        conn.execute(text("CREATE TABLE thing (id int)"))
    engine.dispose()
    copy = open_store(postgresql_server.create_database(template=postgresql_server.database_of(first)))
    with reading(copy) as conn:
        assert conn.scalar(text("SELECT count(*) FROM thing")) == 0
        assert conn.scalar(text("SHOW fsync")) == "off"
        assert conn.scalar(text("SHOW listen_addresses")) == ""
    copy.dispose()
    postgresql_server.drop_database(first)


def test_what_the_server_says_is_passed_on(postgresql_server):
    with pytest.raises(PostgresqlFailed, match=r"server failed.*no_such_template"):
        postgresql_server.create_database(template="no_such_template")


def test_a_server_that_is_killed_comes_back_with_all_that_was_committed():
    with PostgresqlServer() as server:
        engine = open_store(server.create_database())
        with writing(engine) as conn:
            conn.execute(text("CREATE TABLE thing (id int)"))
            assert conn.scalar(text("SHOW fsync")) == "on"
        with engine.connect() as conn:
            conn.execute(text("INSERT INTO thing VALUES (1)"))
            server.kill()
            with pytest.raises(OperationalError):
                conn.commit()
        with pytest.raises(OperationalError):
            engine.connect()
        server.start()
        with reading(engine) as conn:
            assert conn.scalar(text("SELECT count(*) FROM thing")) == 0
        engine.dispose()
