"""Databases that many runs of tests share, one after the other or side by side.

    python -m citycard.testing.shared COMMAND [ARGUMENT...]

One PostgreSQL server lives as long as the command, and each database has the core's tables once, to be
copied: the fixtures of ``citycard.testing.fixtures`` find them by themselves. So a run of a single test, as
where thousands of changes to the code are tried, does not spend its time on a server of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from citycard.store import open_store
from citycard.store.migrate import upgrade
from citycard.testing.postgresql import PostgresqlServer

__all__ = ["MIGRATED", "migrate", "shared_folder"]

_SHARED: Final = "CITYCARD_TEST_STORES"

MIGRATED: Final = "migrated"
"""The database on the shared server, and the file beside it, that have the core's tables."""


def shared_folder() -> Path | None:
    """Give the folder in which the shared server listens; None when there is none."""
    folder = os.environ.get(_SHARED)
    return Path(folder) if folder else None


def migrate(url: str) -> None:
    """Write the core's tables into an empty database."""
    engine = open_store(url)
    upgrade(engine)
    # What the write-ahead log of SQLite holds goes into the file when the last connection is closed.
    engine.dispose()


def main(command: list[str]) -> int:
    """Run a command beside shared databases; give its exit code."""
    with PostgresqlServer(syncs=False) as server:
        migrate(server.create_database(name=MIGRATED))
        migrate(f"sqlite:///{server.folder / MIGRATED}")
        return subprocess.run(command, env=os.environ | {_SHARED: str(server.folder)}, check=False).returncode  # noqa: S603 - whoever calls this says what runs


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
