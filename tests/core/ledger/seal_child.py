"""Kill whoever seals at every step, let another one seal, and print what came of it.

    python seal_child.py URL

A step is a statement or a commit. Before each, something new is posted; for step k a process is forked that
leaves with os._exit just before it, and then another one that seals to the end. This file is run on its own,
because only a process without threads may fork.
"""

import json
import os
import sys
from datetime import UTC, date, datetime
from uuid import UUID

from sqlalchemy import event

from citycard.clock import FixedClock
from citycard.keys import CORE_PURPOSES, Vault
from citycard.keys.versions import KeyVersions
from citycard.ledger import AccountSpec, Ledger, Transfer
from citycard.ledger.sealing import seal_ledger
from citycard.ledger.seals import seals
from citycard.ledger.verifying import verify_ledger
from citycard.store import open_store, reading, writing

_DIED = 9
_CLOCK = FixedClock(datetime(2018, 9, 1, tzinfo=UTC))


def vault():
    versions = KeyVersions()
    versions.ensure(CORE_PURPOSES)
    return Vault(bytes(range(16)), versions)


def post(url, number):
    engine = open_store(url)
    ledger = Ledger(engine, _CLOCK)
    with writing(engine) as conn:
        specs = [AccountSpec(address=name, code=1001) for name in ("bank", f"purse/{number}")]
        ledger.open_accounts(conn, specs)
        debits = ["bank", "bank", "bank", "nowhere"]
        ledger.post(
            conn,
            [
                Transfer(
                    id=UUID(int=number * 10 + place),
                    debit_address=debit,
                    credit_address=f"purse/{number}",
                    amount_fen=5,
                    code=10,
                    event_time=datetime(2018, 9, 1, 8),
                    business_date=date(2018, 9, 1),
                )
                for place, debit in enumerate(debits)
            ],
        )
    engine.dispose()


def work(url, die_at):
    """Seal; die at a step."""
    engine, count = open_store(url), 0

    def step(*_):
        nonlocal count
        count += 1
        if count == die_at:
            os._exit(_DIED)

    event.listen(engine, "before_cursor_execute", step)
    event.listen(engine, "commit", step)
    seal_ledger(engine, vault().seal_signer(), _CLOCK, span=2)


def forked(url, die_at=0):
    child = os.fork()
    if not child:
        work(url, die_at)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main():
    url, die_at, attempts = sys.argv[1], 0, []
    died = _DIED
    while died == _DIED:
        die_at += 1
        post(url, die_at)
        died = forked(url, die_at)
        attempts.append([died, forked(url)])
    engine = open_store(url)
    seen = verify_ledger(engine, vault().seal_keys())
    with reading(engine) as conn:
        chain = [
            [one.seq, one.first_posted_seq, one.last_posted_seq, one.hash32.hex()] for one in seals(conn)
        ]
    answer = {
        "attempts": attempts,
        "chain": chain,
        "findings": [one.found for one in seen.findings],
        "unsealed": [seen.unsealed_transfers, seen.unsealed_refusals, seen.unsealed_accounts],
        "transfers": seen.transfers,
    }
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
