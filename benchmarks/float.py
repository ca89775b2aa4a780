"""The float at a past moment in a ledger of a million transfers, with and without checkpoints.

    python benchmarks/float.py [transfers] [--postgresql]

Loads, spends and payments of 100,000 cards are posted over thirty days; then the float is asked for at
moments in the middle of days. The peer is the trial balance, which knows only now.
"""

from __future__ import annotations

import platform
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from citycard.clock import FixedClock
from citycard.ids import derived_id
from citycard.ledger import AccountSpec, Ledger, Transfer
from citycard.store import open_store, reading, writing
from citycard.store.migrate import upgrade
from citycard.wallet.checkpoints import audit_float, keep_checkpoint
from citycard.wallet.float import float_at, float_over
from citycard.wallet.floataccounts import accounts_at

CARDS, PARTNERS, DAYS = 100_000, 40, 30
BATCH = 5_000
START = datetime(2026, 11, 1, tzinfo=UTC)
GOALS = {"one moment, with checkpoints": 0.2, "thirty days, with checkpoints": 1.0}


@contextmanager
def store(on_postgresql: bool) -> Iterator[str]:
    with ExitStack() as stack:
        if on_postgresql:
            from citycard.testing.postgresql import PostgresqlServer

            yield stack.enter_context(PostgresqlServer()).create_database()
        else:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            yield f"sqlite:///{Path(folder) / 'city.db'}"


def opened(ledger: Ledger) -> None:
    specs = [AccountSpec(address="trust/bank", code=1001), AccountSpec(address="transit", code=1103)]
    specs += [AccountSpec(address=f"card/{number:06}/purse", code=2001) for number in range(CARDS)]
    specs += [AccountSpec(address=f"partner/{number}/payable", code=2101) for number in range(PARTNERS)]
    with writing(ledger.engine) as conn:
        ledger.open_accounts(conn, specs)


def moves(count: int) -> Iterator[Transfer]:
    draw = random.Random(7)
    for number in range(count):
        card, partner = (
            f"card/{draw.randrange(CARDS):06}/purse",
            f"partner/{draw.randrange(PARTNERS)}/payable",
        )
        debit, credit, code = draw.choices(
            [("trust/bank", card, 10), (card, partner, 20), (partner, "transit", 50)], (20, 79, 1)
        )[0]
        yield Transfer(
            id=derived_id("benchmark", number),
            debit_address=debit,
            credit_address=credit,
            amount_fen=draw.randrange(1, 10_000),
            code=code,
            event_time=datetime(2026, 11, 1),  # noqa: DTZ001 - local time
            business_date=date(2026, 11, 1),
        )


def fill(ledger: Ledger, clock: FixedClock, count: int) -> None:
    step = timedelta(days=DAYS) / -(-count // BATCH)
    waiting = moves(count)
    for _ in range(0, count, BATCH):
        batch = [transfer for transfer, _ in zip(waiting, range(BATCH), strict=False)]
        clock.moment += step
        with writing(ledger.engine) as conn:
            ledger.post_all(conn, batch)


def timed(name: str, work: Callable[[], Any], runs: int = 5) -> None:
    taken = []
    for _ in range(runs):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    goal = f"   goal {GOALS[name]} s" if name in GOALS else ""
    print(f"{name:<34} median {sorted(taken)[runs // 2]:8.3f} s   worst {max(taken):8.3f} s{goal}")


def main() -> None:
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    count, on_postgresql = int(words[0]) if words else 1_000_000, "--postgresql" in sys.argv
    print(f"{platform.machine()}, Python {platform.python_version()}, {count:,} transfers, {CARDS:,} cards")
    with store(on_postgresql) as url:
        clock = FixedClock(START)
        engine = open_store(url)
        upgrade(engine)
        ledger = Ledger(engine, clock)
        opened(ledger)
        begun = time.perf_counter()
        fill(ledger, clock, count)
        print(f"{engine.dialect.name}, posted in {time.perf_counter() - begun:.0f} s")
        with engine.connect() as conn:
            conn.exec_driver_sql("ANALYZE")
            conn.commit()
        measure(ledger)
        engine.dispose()


def measure(ledger: Ledger) -> None:
    ends = [START + timedelta(days=day + 1) for day in range(DAYS)]
    noon = START + timedelta(days=DAYS - 8, hours=12)

    def asked(work: Callable[[Any], Any]) -> Callable[[], Any]:
        def ask() -> Any:
            with reading(ledger.engine) as conn:
                return work(conn)

        return ask

    timed("trial balance of now", asked(ledger.trial_balance))
    timed("one moment, no checkpoints", asked(lambda conn: float_at(conn, noon)), 3)
    timed("thirty days, no checkpoints", asked(lambda conn: list(float_over(conn, ends))), 3)
    plain = asked(lambda conn: float_at(conn, noon))()

    def keep() -> None:
        reports = asked(lambda conn: list(float_over(conn, ends)))()
        with writing(ledger.engine) as conn:
            for report in reports:
                keep_checkpoint(conn, report)

    timed("keeping thirty checkpoints", keep, 1)
    timed("one moment, with checkpoints", asked(lambda conn: float_at(conn, noon)))
    timed("thirty days, with checkpoints", asked(lambda conn: list(float_over(conn, ends))))
    timed("fifty accounts at a moment", asked(lambda conn: accounts_at(conn, 2001, noon)))
    assert asked(lambda conn: float_at(conn, noon))() == plain
    assert plain.difference_fen == 0
    timed("the audit of the float", asked(audit_float), 1)
    assert asked(audit_float)() == []


if __name__ == "__main__":
    main()
