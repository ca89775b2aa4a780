"""Time sealing and verifying a ledger, beside SHA-256 over the same leaves as the floor.

    python benchmarks/verify.py [--transfers N] [--postgresql] [--json]

Making the ledger is not timed: holds, captures, refusals and guarded accounts among plain transfers. The
floor hashes the very bytes that the seals cover, read from memory.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import json
import platform
import random
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from citycard.clock import SystemClock
from citycard.ids import new_id
from citycard.keys import CORE_PURPOSES, Vault
from citycard.keys.versions import KeyVersions
from citycard.ledger import AccountSpec, Kind, Ledger, Transfer, capture
from citycard.ledger.findings import Verification
from citycard.ledger.leaves import leaf, transfers_query
from citycard.ledger.sealing import seal_ledger
from citycard.ledger.verifying import verify_ledger
from citycard.store import open_store, reading, writing
from citycard.store.migrate import upgrade

AT = dt.datetime.fromisoformat("2018-09-01T08:00")
#: Of what is sent: holds that are taken up to here, loads up to there, the rest is paid to the shop.
HOLDS, LOADS = 0.1, 0.5
AT_ONCE = 2000


@contextmanager
def opened(*, postgresql: bool) -> Iterator[Any]:
    """Give an empty store."""
    if postgresql:
        from citycard.testing.postgresql import PostgresqlServer

        with PostgresqlServer() as server:
            engine = open_store(server.create_database())
            upgrade(engine)
            yield engine
            engine.dispose()
        return
    with tempfile.TemporaryDirectory() as folder:
        engine = open_store(f"sqlite:///{folder}/city.db")
        upgrade(engine)
        yield engine
        engine.dispose()


def move(debit: str, credit: str, fen: int, **more: Any) -> Transfer:
    """Make a transfer."""
    return Transfer(
        id=new_id(),
        debit_address=debit,
        credit_address=credit,
        amount_fen=fen,
        code=20,
        event_time=AT,
        business_date=AT.date(),
        **more,
    )


def fill(ledger: Ledger, transfers: int) -> None:
    """Post a city's mixture of transfers."""
    dice, count = random.Random(20180901), max(10, transfers // 20)
    accounts = [f"account/{number}" for number in range(count)]
    with writing(ledger.engine) as conn:
        specs = [AccountSpec(address=name, code=2002, guard="dr<=cr") for name in accounts]
        plain = [AccountSpec(address="bank", code=1001), AccountSpec(address="shop", code=2101)]
        ledger.open_accounts(conn, [*plain, *specs])
        ledger.post_all(conn, [move("bank", name, 1000) for name in accounts])
    end = {"event_time": AT, "business_date": AT.date()}
    posted = count
    while posted < transfers:
        batch: list[Transfer] = []
        while len(batch) < AT_ONCE and posted + len(batch) < transfers:
            name = dice.choice(accounts)
            held = move(name, "shop", 200, kind=Kind.PENDING)
            drawn = dice.random()
            if drawn < HOLDS:
                batch += [held, capture(held, id=new_id(), amount_fen=150, **end)]
            elif drawn < LOADS:
                batch.append(move("bank", name, 400))
            else:
                batch.append(move(name, "shop", dice.randrange(1, 600)))
        with writing(ledger.engine) as conn:
            ledger.post(conn, batch)
        posted += len(batch)


def floor(engine: Any) -> tuple[int, int, float]:
    """Hash the leaves of all transfers; return how many, their bytes and the seconds."""
    with reading(engine) as conn:
        rows = conn.execute(transfers_query(conn.dialect.name).execution_options(yield_per=AT_ONCE))
        leaves = [leaf("transfer", row) for row in rows]
    began = time.perf_counter()
    for one in leaves:
        hashlib.sha256(one).digest()
    return len(leaves), sum(map(len, leaves)), time.perf_counter() - began


def make_vault() -> Vault:
    """Make a vault whose keys every process knows."""
    versions = KeyVersions()
    versions.ensure(CORE_PURPOSES)
    return Vault(bytes(range(16)), versions)


def store_url(engine: Any) -> str:
    """Give the URL by which another process opens the same store."""
    return str(engine.url.set(drivername=engine.dialect.name).render_as_string(hide_password=False))


def peak() -> int:
    """Give the most memory that this process had, in MiB (Linux)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024


def verified(url: str) -> tuple[Verification, float, int, int]:
    """Verify a ledger; return what came of it, the seconds, and the memory before and at most."""
    engine, keys = open_store(url), make_vault().seal_keys()
    idle_mib, began = peak(), time.perf_counter()
    seen = verify_ledger(engine, keys)
    ended = time.perf_counter()
    engine.dispose()
    return seen, ended - began, idle_mib, peak()


def measure(engine: Any, transfers: int) -> dict[str, object]:
    """Seal, verify, hash."""
    vault = make_vault()
    fill(Ledger(engine), transfers)
    if engine.dialect.name == "postgresql":
        with engine.begin() as conn:
            conn.exec_driver_sql("ANALYZE")
    began = time.perf_counter()
    made = seal_ledger(engine, vault.seal_signer(), SystemClock())
    sealed = time.perf_counter()
    # In a process of its own, which has made nothing before and whose memory is that of verifying.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        seen, verify_s, idle_mib, peak_mib = pool.submit(verified, store_url(engine)).result()
    assert seen.holds, seen.findings[:3]
    count, size, floor_s = floor(engine)
    return {
        "machine": f"{platform.processor() or platform.machine()}, Python {platform.python_version()}",
        "database": engine.dialect.name,
        "transfers": seen.transfers,
        "refusals": seen.refusals,
        "accounts": seen.accounts,
        "seals": len(made),
        "sealed_per_second": round(seen.transfers / (sealed - began)),
        "verified_per_second": round(seen.transfers / verify_s),
        "sha256_per_second": round(count / floor_s),
        "leaf_bytes": round(size / count),
        "idle_mib": idle_mib,
        "verifying_peak_mib": peak_mib,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transfers", type=int, default=200_000)
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with opened(postgresql=options.postgresql) as engine:
        report = measure(engine, options.transfers)
    print(
        json.dumps(report, indent=2) if options.json else "\n".join(f"{k:28} {v}" for k, v in report.items())
    )


if __name__ == "__main__":
    main()
