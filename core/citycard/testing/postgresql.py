"""A real PostgreSQL server for tests: started when first needed, stopped at the end, gone afterwards.

Its data lie in a temporary folder, and it listens on a Unix socket in there and on no network. A server
does not run as root: root's tests start it as the user ``postgres``.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from citycard.errors import PostgresqlFailed, PostgresqlMissing

__all__ = ["PostgresqlDatabases", "PostgresqlServer", "find_programs"]

_INSTALLED = Path("/usr/lib/postgresql")
_PACKAGE = "postgresql"
_USER = "postgres"
_GONE_WITHIN_S = 10.0


def find_programs(installed: Path = _INSTALLED) -> Path:
    """Give the folder of the newest server's programs.

    Debian keeps them in ``/usr/lib/postgresql/<version>/bin``; elsewhere they are looked for on the path.
    Raise PostgresqlMissing, which names the Debian package, when there are none.
    """
    versions = [folder.parent for folder in installed.glob("*/bin/initdb")]
    if versions:
        return max(versions, key=lambda folder: int(folder.parent.name.split(".")[0]))
    on_path = shutil.which("initdb")
    if on_path is None:
        raise PostgresqlMissing(folder=str(installed), package=_PACKAGE)
    return Path(on_path).resolve().parent


class PostgresqlDatabases:
    """The databases of a server that listens in a folder: a fresh one for whoever asks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._created = 0

    def url(self, database: str = "postgres") -> str:
        """Give the URL of a database on this server, for ``open_store``."""
        return f"postgresql://{_USER}@/{database}?host={self._folder}"

    def create_database(self, template: str = "template1", name: str | None = None) -> str:
        """Create an empty database, or a copy of one to which nobody is connected, and return its URL."""
        self._created += 1
        # Others may make theirs on the same server.
        database = name or f"test_{os.getpid()}_{self._created}"
        # Files are copied: writing a template into the log as well takes seven times as long.
        self._do("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", database, template)
        return self.url(database)

    @staticmethod
    def database_of(url: str) -> str:
        """Give the name of the database in a URL of this server."""
        return url.rpartition("?")[0].rpartition("/")[2]

    def drop_database(self, url: str) -> None:
        """Drop a database that ``create_database`` made, and cut off whoever is still connected."""
        self._do("DROP DATABASE {} WITH (FORCE)", self.database_of(url))

    def _do(self, statement: str, *names: str) -> None:
        """Run a statement about databases, which stands in no transaction."""
        # Only who uses the server needs its driver.
        import psycopg
        from psycopg import sql

        asked = sql.SQL(statement).format(*map(sql.Identifier, names))
        try:
            with psycopg.connect(self.url(), autocommit=True) as conn:
                conn.execute(asked)
        except psycopg.Error as error:
            raise PostgresqlFailed(program="server", said=str(error).strip()) from error


class PostgresqlServer(PostgresqlDatabases):
    """A server that lives as long as a ``with`` block, with a fresh database for whoever asks.

    It syncs to disk as in production, unless it is told not to: then it is faster, still survives every
    ``kill``, and loses its data only with the power of the machine.
    """

    def __init__(self, *, syncs: bool = True) -> None:
        self._syncs = syncs
        self._programs = find_programs()
        super().__init__(Path(tempfile.mkdtemp(prefix="citycard-pg-")))
        self._data = self._folder / "data"

    def __enter__(self) -> Self:
        if os.getuid() == 0:
            shutil.chown(self._folder, _USER)
        try:
            self._run(
                "initdb",
                "--auth=trust",
                f"--username={_USER}",
                "--encoding=UTF8",
                "--no-locale",
                str(self._data),
            )
            self.start()
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._run("pg_ctl", "stop", "--wait", "--mode=immediate", f"--pgdata={self._data}")
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def folder(self) -> Path:
        """Give the folder in which it listens."""
        return self._folder

    def start(self) -> None:
        """Start the server on its data: at first, and after ``kill``."""
        options = f"-c listen_addresses= -c unix_socket_directories={self._folder} -c max_connections=50"
        if not self._syncs:
            options += " -c fsync=off -c full_page_writes=off"
        log = f"--log={self._folder / 'log'}"
        self._run("pg_ctl", "start", "--wait", f"--pgdata={self._data}", log, f"--options={options}")

    def kill(self) -> None:
        """Kill the server and every process of it with SIGKILL, in the midst of whatever they do.

        ``start`` lets it recover and serve again. Needs ``/proc``.
        """
        server = int((self._data / "postmaster.pid").read_text().split()[0])
        # While it stands still it begins no other process.
        os.kill(server, signal.SIGSTOP)
        processes = [*_children(server), server]
        for process in processes:
            os.kill(process, signal.SIGKILL)
        deadline = time.monotonic() + _GONE_WITHIN_S
        while any(map(_runs, processes)):
            if time.monotonic() > deadline:
                raise PostgresqlFailed(program="postgres", said="it was killed and did not end")
            time.sleep(0.01)
        # What is dead and not yet buried keeps its number, and would pass for a server that runs.
        for lock in (self._data / "postmaster.pid", *self._folder.glob(".s.PGSQL.*.lock")):
            lock.unlink()

    def _run(self, program: str, *arguments: str) -> None:
        command: Sequence[str] = [str(self._programs / program), *arguments]
        if os.getuid() == 0:
            command = ["runuser", "-u", _USER, "--", *command]
        # The server inherits the output and keeps it open: it must not be a pipe that is waited for.
        with tempfile.TemporaryFile() as output:
            done = subprocess.run(  # noqa: S603 - our own programs and arguments
                command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, cwd=self._folder, check=False
            )
            output.seek(0)
            said = output.read().decode(errors="replace").strip()
        if done.returncode:
            raise PostgresqlFailed(program=program, said=said[-2000:])


def _children(parent: int) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        # After the name, which stands in brackets, come the state and the parent.
        stat = _stat(int(folder.name))
        if stat and int(stat[1]) == parent:
            found.append(int(folder.name))
    return found


def _runs(process: int) -> bool:
    stat = _stat(process)
    return bool(stat) and stat[0] != "Z"


def _stat(process: int) -> list[str]:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
