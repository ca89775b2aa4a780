"""Many processes that post at the same time, and that are killed; and a look at what became of their work.

    python traffic_child.py kill FOLDER URL COUNT     kill a process COUNT times, and verify
    python traffic_child.py load FOLDER URL           post until the standard input ends
    python traffic_child.py pay FOLDER URL            the same, but one process that only pays
    python traffic_child.py verify FOLDER URL         compare what was acknowledged with what is there

Each process writes into a file what it sends before it does so, and what was answered when it has the answer.
This file is run on its own, because only a process without threads may fork.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from datetime import datetime
from pathlib import Path
from random import Random

from sqlalchemy import event, select

from citycard.errors import LedgerBusy, OutcomeUnknown
from citycard.ledger import Ledger, LedgerWriter
from citycard.ledger.tables import request, transfer
from citycard.store import open_store, reading, writing
from citycard.store.bulk import chunks

sys.path.insert(0, str(Path(__file__).parent))
from traffic import ACCOUNTS, PAYMENT, call

_PROCESSES = 3
_THREADS, _PAYING = 3, 30


class Caller:
    """One process: its threads share a writer, and a file of what was sent and answered."""

    def __init__(self, engine, folder, name, start, pays):
        self.folder, self.start, self.pays = folder, start, pays
        self.file = os.open(folder / f"{name}.told", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self.writer = LedgerWriter(Ledger(engine))

    def work(self):
        target, many = (self._pay, _PAYING) if self.pays else (self._send, _THREADS)
        threads = [threading.Thread(target=target, args=(seed,)) for seed in range(many)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _send(self, seed):
        dice = Random(f"{os.getpid()} {seed} {time.time_ns()}")
        while True:
            number = dice.getrandbits(40) & ~1
            known = self._numbers_of_others(dice) if dice.random() < 0.3 else []
            for one in (dice.choice(known),) if known else (number, number + 1):
                self._submit(one)

    def _pay(self, seed):
        dice = Random(f"{os.getpid()} {seed} {time.time_ns()}")
        while True:
            self._submit(PAYMENT + dice.getrandbits(40))

    def _submit(self, number):
        os.write(self.file, f"sent {number}\n".encode())
        try:
            outcomes = self.writer.submit(call(number, self.start))
        except (LedgerBusy, OutcomeUnknown):
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody must hear of it
            os.write(self.file, f"error {type(error).__name__}\n".encode())
            return
        answers = " ".join(str(one.result) for one in outcomes)
        os.write(self.file, f"told {number} {answers}\n".encode())

    def _numbers_of_others(self, dice):
        """Give numbers that any process sent a moment ago: two who send the same get the same answer."""
        with dice.choice(sorted(self.folder.glob("*.told"))).open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 2000))
            lines = file.read().decode().splitlines()[1:-1]
        return [int(line.split()[1]) for line in lines if line.startswith("sent")]


class Crowd:
    """Processes that send, as long as nobody kills them."""

    def __init__(self, engine, folder, *, pays=False):
        self.engine, self.folder, self.pays = engine, folder, pays
        self.start = datetime.fromisoformat((folder / "start").read_text())
        self.running, self.begun, self.files = [], 0, {}

    def fork(self):
        self.begun += 1
        name = f"{os.getpid()}-{self.begun}"
        child = os.fork()
        if not child:
            # Nobody may be left behind who posts for ever.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            Caller(self.engine, self.folder, name, self.start, self.pays).work()
            os._exit(0)
        self.running.append(child)
        self.files[child] = self.folder / f"{name}.told"

    def kill(self, place):
        child = self.running.pop(place)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        del self.files[child]

    def written(self):
        """Give how much those who run have written."""
        return sum(file.stat().st_size for file in self.files.values() if file.exists())

    def wait_for(self, size, most_s=5.0):
        """Wait until so much more is written: on a busy machine processes do less in the same time."""
        until, deadline = self.written() + size, time.monotonic() + most_s
        while self.written() < until and time.monotonic() < deadline:
            time.sleep(0.002)


def told_of(folder):
    """Give what was sent, what was answered, and which errors nobody expects."""
    sent, told, errors = set(), {}, []
    for file in folder.glob("*.told"):
        lines = file.read_text().split("\n")[:-1]  # a line that was cut off says nothing
        for line in lines:
            word, number, *answers = line.split(" ")
            if word == "sent":
                sent.add(int(number))
            elif word == "told":
                told.setdefault(int(number), []).append(answers)
            else:
                errors.append(number)
    return sent, told, errors


def verify(engine, folder):
    """Compare what was acknowledged with what is there; ``lost`` and ``changed`` must be empty."""
    sent, told, errors = told_of(folder)
    start = datetime.fromisoformat((folder / "start").read_text())
    with reading(engine) as conn:
        kept = {str(row.id): row.result for row in conn.execute(select(request.c.id, request.c.result))}
        posted = {str(identity) for identity in conn.scalars(select(transfer.c.id))}
        violations = [str(one) for one in Ledger(engine).audit(conn)]
    lost, changed, acknowledged = [], [], 0
    for number, answered in told.items():
        for answers in answered:
            for one, answer in zip(call(number, start), answers, strict=True):
                acknowledged += 1
                wanted = "posted" if answer == "exists" else answer
                if (wanted == "posted") != (str(one.id) in posted):
                    lost.append(str(one.id))
                if kept.get(str(one.id)) != wanted:
                    changed.append(str(one.id))
    return {
        "sent": len(sent),
        "acknowledged": acknowledged,
        "lost": lost,
        "changed": changed,
        "violations": violations,
        "errors": errors,
    }


def send_again(engine, folder):
    """Send everything once more: who got no answer gets one now, and all others the same."""
    sent, told, _ = told_of(folder)
    start = datetime.fromisoformat((folder / "start").read_text())
    town = Ledger(engine)
    different = []
    for some in chunks(sorted(sent), 500):
        calls = [(number, call(number, start)) for number in some]
        with writing(engine) as conn:
            outcomes = iter(town.post(conn, [one for _, made in calls for one in made]))
        for number, made in calls:
            answers = [str(next(outcomes).result) for _ in made]
            if any(first_time(before) != first_time(answers) for before in told.get(number, [])):
                different.append(number)
    with reading(engine) as conn:
        return {"different": different, "violations": [str(one) for one in town.audit(conn)]}


def first_time(answers):
    """Give answers as they were the first time."""
    return ["posted" if answer == "exists" else answer for answer in answers]


def begin(engine, folder, *, pays=False):
    """Open the accounts, and use everything once, so that processes find all statements compiled."""
    folder.mkdir(exist_ok=True)
    if not (folder / "start").exists():
        (folder / "start").write_text(datetime.now().astimezone().isoformat())
    with writing(engine) as conn:
        Ledger(engine).open_accounts(conn, ACCOUNTS)
    crowd = Crowd(engine, folder, pays=pays)
    for number in range(40):
        with writing(engine) as conn:
            Ledger(engine).post(conn, call(number, crowd.start))
    engine.dispose()
    return crowd


def kill(engine, folder, count):
    """Kill one process after the other, each after it has done a little, and look at what they left."""
    crowd, dice, dirty = begin(engine, folder), Random(), []
    for _ in range(_PROCESSES):
        crowd.fork()
    for number in range(1, count + 1):
        crowd.wait_for(dice.randrange(1, 1500))
        crowd.kill(dice.randrange(len(crowd.running)))
        if number % 50 == 0:
            # The others go on meanwhile.
            found = verify(engine, folder)
            dirty += found["violations"] + found["lost"] + found["changed"]
            engine.dispose()
        crowd.fork()
    while crowd.running:
        crowd.kill(0)
    return {"kills": count, "dirty": dirty, **verify(engine, folder), "again": send_again(engine, folder)}


def load(engine, folder, *, pays=False):
    crowd = begin(engine, folder, pays=pays)
    for _ in range(1 if pays else _PROCESSES):
        crowd.fork()
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    sys.stdin.read()
    while crowd.running:
        crowd.kill(0)
    return {"begun": crowd.begun}


def open_quickly(url):
    """Open the store; SQLite does not wait for the disk, for it is processes that die here."""
    engine = open_store(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF"))
    return engine


def main():
    what, folder, engine = sys.argv[1], Path(sys.argv[2]), open_quickly(sys.argv[3])
    if what == "kill":
        found = kill(engine, folder, int(sys.argv[4]))
    elif what in {"load", "pay"}:
        found = load(engine, folder, pays=what == "pay")
    else:
        found = verify(engine, folder) | {"again": send_again(engine, folder)}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
