"""Do a day's work once for every database call at which it can die; print how each attempt ended.

    python crash_child.py FOLDER URL

URL is a database with the core's tables. A call is a statement, or a commit, and the process dies before or
after it. For each k a process is forked that gets SIGKILL at its k-th call, then another one looks at what it
left and does the same work to the end. Where a process left what another one had left before it, row for row
in the database and byte for byte in the caller's files, what came of that is known. This file is run on its
own, because only a process without threads may fork.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

from sqlalchemy import event, select, text

from citycard.ledger import Ledger
from citycard.ledger.tables import account, account_seal, balance, hold, ledger, limit_use, request, transfer
from citycard.store import open_store, reading, writing
from citycard.wallet import loads_of, open_loads
from citycard.wallet.tables import load

sys.path.insert(0, str(Path(__file__).parent))
from crash_script import ASN, Day

_TABLES = (load, account_seal, limit_use, hold, transfer, request, balance, account, ledger)
_OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


class Calls:
    """Count calls to the database, and die at the one that is named."""

    def __init__(self, engine, die_at):
        self.count, self.die_at = 0, die_at
        commit = engine.dialect.do_commit

        def do_commit(connection):
            self.step()
            commit(connection)
            self.step()

        engine.dialect.do_commit = do_commit
        if engine.dialect.name == "sqlite":
            event.listen(engine, "before_cursor_execute", self.step)
        else:
            self._count_in_driver()

    def _count_in_driver(self):
        # Statements in a pipeline pass SQLAlchemy by.
        import psycopg

        for name in ("execute", "executemany", "copy"):
            done = getattr(psycopg.Cursor, name)

            def counted(cursor, *arguments, _done=done, **more):
                self.step()
                return _done(cursor, *arguments, **more)

            setattr(psycopg.Cursor, name, counted)

    def step(self, *_):
        self.count += 1
        if self.count == self.die_at:
            os.kill(os.getpid(), signal.SIGKILL)


def open_quickly(url):
    """Open the store without waiting for the disk: processes die here, and the machine does not."""
    if not url.startswith("sqlite"):
        return open_store(f"{url}&options=-csynchronous_commit%3Doff")
    engine = open_store(url)
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF"))
    return engine


def fresh(engine, folder):
    """Empty the database and the caller's folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    if engine.dialect.name == "sqlite":
        file = engine.url.database
        for end in ("", "-wal", "-shm"):
            Path(file + end).unlink(missing_ok=True)
        shutil.copyfile(file + ".empty", file)
    else:
        with writing(engine) as conn:
            conn.execute(text("SET LOCAL session_replication_role = replica"))
            for table in _TABLES:
                conn.execute(text(f"DELETE FROM {table.name}"))
        engine.dispose()


def left_in(engine, folder):
    """Give all that outlives a process: every row, and what the caller and the card have."""
    with reading(engine) as conn:
        rows = [sorted(repr(row) for row in conn.execute(select(table))) for table in _TABLES]
    files = sorted((file.name, file.read_bytes()) for file in folder.iterdir())
    return repr((rows, files))


def wait_for_end(engine):
    """Wait until the server has noticed that nobody is there any more who sent it something."""
    # In one transaction the server always gives the answer that it gave first.
    while engine.dialect.name == "postgresql" and _others(engine):
        time.sleep(0.001)


def _others(engine):
    with reading(engine) as conn:
        return conn.scalar(_OTHERS)


def work(engine, folder, die_at=0):
    """Do all of the work and say what there is at the end."""
    calls = Calls(engine, die_at)
    day = Day(engine, folder)
    day.work()
    steps = calls.count
    return look(engine, day) | {"calls": steps}


def pick_up(engine, folder):
    """Look at what a dead process left, do the work again, and say what there was before and after."""
    day = Day(engine, folder)
    told = day.told()
    with reading(engine) as conn:
        before = {
            "violations": [str(one) for one in day.ledger.audit(conn)],
            "lost": lost(conn, told),
            "acknowledged": sum(len(one["answers"]) for one in told),
        }
    day.work()
    return {"before": before, "after": look(engine, day), "changed": contradictions(day.told())}


def lost(conn, told):
    """Give what the caller was told and the store does not hold."""
    kept = dict(conn.execute(select(request.c.id, request.c.result)).all())
    results = {str(identity): result for identity, result in kept.items()}
    posted = {str(identity) for identity in conn.scalars(select(transfer.c.id))}
    loads = {(one.online_atc, str(one.state)) for one in loads_of(conn, ASN)}
    missing = []
    for one in told:
        for identity, result in one["answers"].items():
            wanted = "posted" if result == "exists" else result
            if results.get(identity) != wanted or (wanted == "posted") != (identity in posted):
                missing.append(identity)
        step, _, counter = one["step"].partition(" ")
        if step == "begun" and all(int(counter) != known for known, _ in loads):
            missing.append(one["step"])
        if step == "proven" and (int(counter), "proven") not in loads:
            missing.append(one["step"])
    return missing


def contradictions(told):
    """Give the ids that got two different answers."""
    answers = {}
    for one in told:
        for identity, result in one["answers"].items():
            answers.setdefault(identity, set()).add("posted" if result == "exists" else result)
    return [identity for identity, given in answers.items() if len(given) > 1]


def look(engine, day):
    """Say all that must be the same, however often somebody died on the way."""
    town = Ledger(engine)
    with reading(engine) as conn:
        sums = (
            balance.c.dr_posted_fen,
            balance.c.cr_posted_fen,
            balance.c.dr_pending_fen,
            balance.c.cr_pending_fen,
        )
        balances = select(account.c.address, *sums, balance.c.transfers).join(balance)
        holds = select(hold.c.id, hold.c.state, hold.c.amount_fen).order_by(hold.c.id)
        results = select(request.c.id, request.c.result).where(request.c.id.not_in(select(load.c.id)))
        return {
            "balances": [list(row) for row in conn.execute(balances.order_by(account.c.address))],
            "holds": [[str(value) for value in row] for row in conn.execute(holds)],
            "uses": [list(row) for row in conn.execute(select(limit_use).order_by(limit_use.c.key))],
            "answers": sorted([str(row.id), row.result] for row in conn.execute(results)),
            "violations": [str(one) for one in town.audit(conn)],
            "card": day.pocket.card.balance_fen,
            "open loads": len(open_loads(conn)),
            "proven": sorted(one.amount_fen for one in loads_of(conn, ASN) if one.state == "proven"),
        }


def forked(task, *arguments):
    """Do a task in a process of its own; return its exit code and what it said."""
    come, go = os.pipe()
    child = os.fork()
    if not child:
        os.close(come)
        said = json.dumps(task(*arguments))
        with os.fdopen(go, "w") as pipe:
            pipe.write(said)
        os._exit(0)
    os.close(go)
    with os.fdopen(come) as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), json.loads(said) if said else None


def main():
    folder, engine = Path(sys.argv[1]), open_quickly(sys.argv[2])
    # Once in here, so that every process finds all statements compiled.
    fresh(engine, folder)
    Day(engine, folder).work()
    pick_up(engine, folder)
    engine.dispose()
    fresh(engine, folder)
    _, calm = forked(work, engine, folder)
    attempts, known = [], {}
    for die_at in range(1, calm["calls"] + 1):
        fresh(engine, folder)
        code, _ = forked(work, engine, folder, die_at)
        left = left_in(engine, folder)
        # No process inherits an open connection, and none stays open to a file that is replaced.
        engine.dispose()
        if left not in known:
            _, known[left] = forked(pick_up, engine, folder)
        wait_for_end(engine)
        attempts.append({"die_at": die_at, "died": code == -signal.SIGKILL, "found": known[left]})
    sys.stdout.write(json.dumps({"calm": calm, "attempts": attempts, "left": len(known)}))


if __name__ == "__main__":
    main()
