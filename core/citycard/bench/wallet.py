"""How many transfers a second the ledger answers: authorised ones of many callers, and bulk postings.

Every transfer has a guard on its debit account, all of them credit one merchant, and each is answered after
its commit, which is synchronised to disk.
"""

from __future__ import annotations

import asyncio
import gc
import random
import secrets
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date, datetime
from pathlib import Path

import attrs
from sqlalchemy import Engine, text
from sqlalchemy.engine import URL, make_url

from citycard.bench.machine import Machine, this_machine
from citycard.bench.peers import Peer, Pgbench, SqliteTpcb
from citycard.errors import DatabaseInUse
from citycard.ids import new_id
from citycard.ledger import AccountSpec, Ledger, LedgerWriter, Transfer
from citycard.store import open_store, writing
from citycard.store.migrate import upgrade

__all__ = ["Load", "WalletFigures", "measure_wallet", "post_bulk"]

_AT = datetime(2018, 9, 1, 8, 30)  # noqa: DTZ001 - the city's local time
_DAY = date(2018, 9, 1)
_SHOP = "partner/shop/payable"
_FUNDED_FEN = 10**9
_BATCH = 8000
_TURNS = 5
#: So many records are made before they are posted, by so many callers.
_AT_A_TIME, _BULK_CALLERS = 10 * _BATCH, 3


@attrs.frozen(kw_only=True)
class WalletFigures:
    """What was measured: transfers a second, latencies of one authorised transfer, and the peer beside."""

    database: str
    machine: Machine
    accounts: int
    callers: int
    authorised_per_second: float
    p50_ms: float
    p99_ms: float
    bulk_per_second: float
    bulk_transfers: int
    peer: Peer
    authorised_to_peer: float | None
    bulk_to_peer: float | None


def measure_wallet(
    url: str,
    *,
    seconds: int = 10,
    callers: int = 64,
    accounts: int = 100_000,
    bulk: int = 400_000,
    say: Callable[[str], None] = lambda _: None,
) -> WalletFigures:
    """Measure on the server at ``url``, in a database made for it and dropped afterwards.

    ``seconds`` are for the peer and for the callers each, in turns of some seconds: a machine that others
    slow down for a while is slow for both. A SQLite file is made and removed; raise DatabaseInUse when it
    exists. ``say`` is told what goes on.
    """
    with _fresh(url) as (engine, parsed):
        postgresql = engine.dialect.name == "postgresql"
        say(f"opening {accounts:,} accounts")
        ledger = Ledger(engine)
        load = Load(accounts)
        load.open(ledger)
        if postgresql:
            _analyse(engine)
        with closing(Pgbench(parsed) if postgresql else SqliteTpcb()) as beside:
            rates, latencies, taken_s = _in_turns(beside, ledger, load, callers, seconds, say)
        mean = statistics.fmean(rates) if rates else None
        peer = Peer(name=beside.name, per_second=mean, missing=beside.missing)
        say(f"posting {bulk:,} transfers")
        bulk_per_second = post_bulk(ledger, load, bulk)
    authorised = len(latencies) / taken_s
    return WalletFigures(
        database=engine.dialect.name,
        machine=this_machine(),
        accounts=accounts,
        callers=callers,
        authorised_per_second=round(authorised, 1),
        p50_ms=round(1000 * statistics.median(latencies), 3),
        p99_ms=round(1000 * statistics.quantiles(latencies, n=100)[-1], 3),
        bulk_per_second=round(bulk_per_second, 1),
        bulk_transfers=bulk,
        peer=peer,
        authorised_to_peer=_ratio(authorised, peer),
        bulk_to_peer=_ratio(bulk_per_second, peer),
    )


def _in_turns(
    beside: Pgbench | SqliteTpcb,
    ledger: Ledger,
    load: Load,
    callers: int,
    seconds: int,
    say: Callable[[str], None],
) -> tuple[list[float], list[float], float]:
    """Let the peer and the callers run in turns; give the peer's rates, all latencies, the callers' time."""
    turns = max(1, min(_TURNS, seconds // 2))
    rates: list[float] = []
    latencies: list[float] = []
    taken_s = 0.0
    for turn in range(turns):
        say(f"turn {turn + 1} of {turns}: the peer, then {callers} callers")
        rate = beside.run(seconds // turns)
        rates += [] if rate is None else [rate]
        found, took_s = asyncio.run(_authorise(ledger, load, callers, seconds // turns))
        latencies += found
        taken_s += took_s
    return rates, latencies, taken_s


def _ratio(per_second: float, peer: Peer) -> float | None:
    return round(per_second / peer.per_second, 2) if peer.per_second else None


class Load:
    """Citizens who pay one merchant: who pays is drawn, and the same in every run."""

    def __init__(self, accounts: int) -> None:
        self._addresses = [f"account/{number}/online" for number in range(accounts)]
        self._pick = random.Random(1)  # noqa: S311 - a load, not a secret

    def open(self, ledger: Ledger) -> None:
        """Open the accounts and put money on each."""
        specs = [AccountSpec(address="trust/bank", code=1001), AccountSpec(address=_SHOP, code=2101)]
        specs += [AccountSpec(address=one, code=2002, guard="dr<=cr") for one in self._addresses]
        for start in range(0, len(specs), _BATCH):
            with writing(ledger.engine) as conn:
                ledger.open_accounts(conn, specs[start : start + _BATCH])
        for start in range(0, len(self._addresses), _BATCH):
            filled = [
                _transfer("trust/bank", one, _FUNDED_FEN) for one in self._addresses[start : start + _BATCH]
            ]
            with writing(ledger.engine) as conn:
                ledger.post_all(conn, filled)

    def payment(self) -> Transfer:
        """Make one payment of a drawn account to the merchant."""
        return _transfer(self._pick.choice(self._addresses), _SHOP, self._pick.randrange(1, 100))


def _transfer(debit: str, credit: str, amount_fen: int) -> Transfer:
    return Transfer(
        id=new_id(),
        debit_address=debit,
        credit_address=credit,
        amount_fen=amount_fen,
        code=120,
        event_time=_AT,
        business_date=_DAY,
    )


async def _authorise(ledger: Ledger, load: Load, callers: int, seconds: int) -> tuple[list[float], float]:
    """Let callers pay one after the other, each waiting for its answer; give all latencies and the time."""
    latencies: list[float] = []
    with LedgerWriter(ledger) as writer:

        async def caller(until: float) -> None:
            while (began := time.perf_counter()) < until:
                (outcome,) = await writer.asubmit([load.payment()], wait_s=60)
                assert outcome.posted
                latencies.append(time.perf_counter() - began)

        await asyncio.gather(*(caller(time.perf_counter() + 1) for _ in range(callers)))
        latencies.clear()
        with _kept():
            began = time.perf_counter()
            await asyncio.gather(*(caller(began + seconds) for _ in range(callers)))
            return latencies, time.perf_counter() - began


def post_bulk(ledger: Ledger, load: Load, transfers: int) -> float:
    """Post transfers in large calls, a few on the way at a time; making the records is the callers' work."""
    taken_s = 0.0
    with LedgerWriter(ledger, most=_BATCH, most_waiting=_AT_A_TIME) as writer:
        for start in range(0, transfers, _AT_A_TIME):
            end = min(start + _AT_A_TIME, transfers)
            batches = [
                [load.payment() for _ in range(min(_BATCH, end - first))]
                for first in range(start, end, _BATCH)
            ]
            with _kept():
                began = time.perf_counter()
                asyncio.run(_post_batches(writer, batches))
                taken_s += time.perf_counter() - began
    return transfers / taken_s


@contextmanager
def _kept() -> Iterator[None]:
    """Keep Python's collector from what is there now: what was set up and what waits is no garbage."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


async def _post_batches(writer: LedgerWriter, batches: Sequence[Sequence[Transfer]]) -> None:
    waiting = iter(batches)

    async def caller() -> None:
        for batch in waiting:
            assert all(outcome.posted for outcome in await writer.asubmit(batch, wait_s=600))

    await asyncio.gather(*(caller() for _ in range(_BULK_CALLERS)))


@contextmanager
def _fresh(url: str) -> Iterator[tuple[Engine, URL]]:
    """Make a database for the measurement and drop it afterwards."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        with _fresh_postgresql(url, parsed) as made:
            yield made
        return
    path = Path(parsed.database or "")
    if path.exists():
        raise DatabaseInUse(path=path)
    engine = open_store(url)
    try:
        upgrade(engine)
        yield engine, parsed
    finally:
        engine.dispose()
        for file in path.parent.glob(f"{path.name}*"):
            file.unlink()


@contextmanager
def _fresh_postgresql(url: str, parsed: URL) -> Iterator[tuple[Engine, URL]]:
    name = f"citycard_bench_{secrets.token_hex(4)}"
    admin = open_store(url)
    try:
        with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            conn.execute(text(f"CREATE DATABASE {name}"))
            made = parsed.set(database=name)
            engine = open_store(made.render_as_string(hide_password=False))
            try:
                upgrade(engine)
                yield engine, made
            finally:
                engine.dispose()
                conn.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    finally:
        admin.dispose()


def _analyse(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(text("ANALYZE"))
