"""Receive and clear a prepared town and be killed, again and again; print how each attempt ended.

    python crash_child.py FOLDER TIMES

With 0 for TIMES it is killed once at each step: a file renamed into place, or a transaction committed. For
each step k a process is forked that gets SIGKILL just before its k-th step; then another process does the
same work again to the end. With another number it is so often killed at a random moment of the work.
This file is run on its own, because only a process without threads may fork.
"""

from __future__ import annotations

import importlib.util
import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

from sqlalchemy import event

from citycard.clearing.intake import receive
from citycard.clearing.queries import code_totals
from citycard.clearing.run import clear, last_report
from citycard.store import reading


def load_town(folder):
    spec = importlib.util.spec_from_file_location("clearing_town", Path(__file__).with_name("conftest.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    town = module.Town(folder)
    # Processes die here, and the machine does not: nobody waits for the disk.
    event.listen(town.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF"))
    return town


class Steps:
    """Count steps, and die before or after the one that is named."""

    def __init__(self, town, die_at):
        self.count, self.die_at = 0, die_at
        event.listen(town.engine, "commit", self.step)
        replace = Path.replace

        def counted(path, target):
            self.step()
            return replace(path, target)

        Path.replace = counted

    def step(self, *_):
        self.count += 1
        if self.count == self.die_at:
            os.kill(os.getpid(), signal.SIGKILL)


def work(town, die_at=0):
    """Do all of the work in this process and say what came of it."""
    steps = Steps(town, die_at)
    files = sorted((path.name, path.read_bytes()) for path in (town.folder / "inbox").iterdir())
    for half in (files[: len(files) // 2], files[len(files) // 2 :]):
        receive(town, half)
        clear(town)
    report = last_report(town)
    with reading(town.engine) as conn:
        ledger = sorted((b.address, b.balance_fen) for b in balances(town, conn))
        violations = len(town.ledger.audit(conn))
    return {
        "steps": steps.count,
        "run": report.number,
        "digest": report.digest,
        "codes": [[total.code, total.records, total.amount_fen] for total in code_totals(town)],
        "ledger": ledger,
        "violations": violations,
        "bank": {path.name: path.read_text("utf-8") for path in sorted((town.folder / "bank").glob("*.xml"))},
    }


def balances(town, conn):
    from sqlalchemy import select

    from citycard.ledger.tables import account

    return [town.ledger.balance(conn, address) for address in conn.scalars(select(account.c.address))]


def forked(town, die_at=0, *, after_s=None):
    """Work in a process of its own, killed after a time if one is given; return exit code and answer."""
    come, go = os.pipe()
    child = os.fork()
    if not child:
        os.close(come)
        said = json.dumps(work(town, die_at))
        with os.fdopen(go, "w") as pipe:
            pipe.write(said)
        os._exit(0)
    os.close(go)
    if after_s is not None:
        time.sleep(after_s)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(come) as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), json.loads(said) if said else None


def main():
    prepared, times = Path(sys.argv[1]), int(sys.argv[2])
    trial = prepared.with_name("trial")

    def fresh():
        shutil.rmtree(trial, ignore_errors=True)
        shutil.copytree(prepared, trial)

    # Once in here, so that every process finds all statements compiled.
    fresh()
    town = load_town(trial)
    work(town)
    town.engine.dispose()
    fresh()
    began = time.monotonic()
    _, calm = forked(town)
    took_s, draw = time.monotonic() - began, random.Random(times)
    ends = [{"after_s": draw.uniform(0, took_s)} for _ in range(times)]
    ends = ends or [{"die_at": step} for step in range(1, calm["steps"] + 1)]
    attempts = []
    for end in ends:
        fresh()
        code, _ = forked(town, **end)
        _, again = forked(town)
        attempts.append({"end": end, "died": code == -signal.SIGKILL, "again": again})
    sys.stdout.write(json.dumps({"calm": calm, "attempts": attempts}))


if __name__ == "__main__":
    main()
