"""What figures are put beside: the TPC-B of pgbench on PostgreSQL, and the same four statements on SQLite."""

from __future__ import annotations

import os
import random
import re
import shutil
import sqlite3
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs
from sqlalchemy.engine import URL

__all__ = ["Peer", "Pgbench", "SqliteTpcb"]

_SCALE = 16
_CLIENTS = 16
_ACCOUNTS = 100_000
_RATE = re.compile(r"tps = ([0-9.]+)")
_INSTALLED = Path("/usr/lib/postgresql")


@attrs.frozen(kw_only=True)
class Peer:
    """A peer's figure: what it is and its transactions a second; ``missing`` says why there is none."""

    name: str
    per_second: float | None = None
    missing: str = ""


class Pgbench:
    """``pgbench -M prepared -c 16`` (TPC-B, scale 16) in the database at a URL, run as often as asked."""

    name = f"pgbench -M prepared -c {_CLIENTS}, TPC-B, scale {_SCALE}"

    def __init__(self, url: URL) -> None:
        query = {key: str(value) for key, value in url.query.items()}
        where = {
            "PGHOST": url.host or query.get("host", ""),
            "PGPORT": str(url.port or ""),
            "PGUSER": url.username or "",
            "PGPASSWORD": url.password or "",
            "PGDATABASE": url.database or "",
        }
        self._environment = os.environ | {key: value for key, value in where.items() if value}
        self._program = _program()
        self.missing = "" if self._program else "pgbench is not installed: it comes with Debian's postgresql"
        self._call("-i", "-q", "-s", str(_SCALE))

    def run(self, seconds: int) -> float | None:
        """Return its transactions a second, without the time of connecting; None when it is missing."""
        told = self._call("-M", "prepared", "-c", str(_CLIENTS), "-j", "2", "-T", str(seconds))
        found = _RATE.search(told)
        return float(found[1]) if found else None

    def close(self) -> None:
        """Leave its tables: they are in a database that is dropped."""

    def _call(self, *arguments: str) -> str:
        if self.missing or self._program is None:
            return ""
        try:
            return _call([self._program, *arguments], self._environment)
        except subprocess.CalledProcessError as failed:
            self.missing = " ".join(failed.stderr.split())[-200:]
            return ""


class SqliteTpcb:
    """TPC-B's four statements, one durable transaction after the other, on one SQLite connection."""

    name = "TPC-B, one SQLite connection, synchronous = FULL"
    missing = ""

    def __init__(self) -> None:
        self._pick = random.Random(1)  # noqa: S311 - a load, not a secret
        self._folder = TemporaryDirectory()
        self._connection = connection = sqlite3.connect(f"{self._folder.name}/peer.db", isolation_level=None)
        connection.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
            "CREATE TABLE account (id INTEGER PRIMARY KEY, fen INTEGER);"
            "CREATE TABLE teller (id INTEGER PRIMARY KEY, fen INTEGER);"
            "CREATE TABLE branch (id INTEGER PRIMARY KEY, fen INTEGER);"
            "CREATE TABLE history (account INTEGER, teller INTEGER, branch INTEGER, fen INTEGER, at TEXT);"
        )
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO account VALUES (?, 0)", ((n,) for n in range(_ACCOUNTS)))
        connection.executemany("INSERT INTO teller VALUES (?, 0)", ((n,) for n in range(10)))
        connection.execute("INSERT INTO branch VALUES (0, 0)")
        connection.execute("COMMIT")

    def run(self, seconds: int) -> float | None:
        """Return its transactions a second."""
        pick, done, began = self._pick, 0, time.perf_counter()
        while time.perf_counter() - began < seconds:
            _one_tpcb(self._connection, pick.randrange(_ACCOUNTS), pick.randrange(10), pick.randrange(1, 100))
            done += 1
        return done / (time.perf_counter() - began)

    def close(self) -> None:
        """Take its file away."""
        self._connection.close()
        self._folder.cleanup()


def _one_tpcb(connection: sqlite3.Connection, account: int, teller: int, fen: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE account SET fen = fen + ? WHERE id = ?", (fen, account))
    connection.execute("SELECT fen FROM account WHERE id = ?", (account,)).fetchone()
    connection.execute("UPDATE teller SET fen = fen + ? WHERE id = ?", (fen, teller))
    connection.execute("UPDATE branch SET fen = fen + ? WHERE id = 0", (fen,))
    connection.execute("INSERT INTO history VALUES (?, ?, 0, ?, datetime('now'))", (account, teller, fen))
    connection.execute("COMMIT")


def _program() -> str | None:
    versions = sorted(_INSTALLED.glob("*/bin/pgbench"), key=lambda path: int(path.parts[-3].split(".")[0]))
    return str(versions[-1]) if versions else shutil.which("pgbench")


def _call(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(  # noqa: S603 - our own arguments
        command, env=environment, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL
    )
    return done.stdout
