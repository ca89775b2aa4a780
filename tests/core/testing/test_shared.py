import subprocess
import sys

import pytest

pytestmark = pytest.mark.postgresql

COPIES = """
import shutil, sys
from pathlib import Path
from sqlalchemy import text
from citycard.store import open_store, reading
from citycard.testing.postgresql import PostgresqlDatabases
from citycard.testing.shared import MIGRATED, shared_folder

copied = shutil.copyfile(shared_folder() / MIGRATED, Path(sys.argv[1]) / "copy")
copy = PostgresqlDatabases(shared_folder()).create_database(template=MIGRATED)
for url in (f"sqlite:///{copied}", copy):
    engine = open_store(url)
    with reading(engine) as conn:
        print(engine.dialect.name, conn.scalar(text("SELECT count(*) FROM load")))
    engine.dispose()
sys.exit(7)
"""


def test_a_command_copies_databases_that_have_the_tables_and_its_exit_code_is_told(tmp_path):
    command = [sys.executable, "-c", COPIES, str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "citycard.testing.shared", *command],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.stdout, done.returncode) == ("sqlite 0\npostgresql 0\n", 7), done.stderr
