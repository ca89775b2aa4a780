"""The ledger at the speed of the database: authorised and bulk, on PostgreSQL and SQLite, and as it grows.

python benchmarks/wallet.py                  both databases, with their peers
python benchmarks/wallet.py --growth         10⁵, 10⁶, 10⁷ transfers in the store (a quarter of an hour)
"""

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from citycard.bench.wallet import Load, measure_wallet, post_bulk
from citycard.cli.output import emit
from citycard.ledger import Ledger
from citycard.store import open_store
from citycard.store.migrate import upgrade
from citycard.testing.postgresql import PostgresqlServer

SQLITE_GOAL = 5_000
MARKS = (100_000, 1_000_000, 10_000_000)
WINDOW = 80_000


def say(words: str) -> None:
    print(words, file=sys.stderr)


def measure(seconds: int) -> None:
    with TemporaryDirectory() as folder:
        sqlite = measure_wallet(f"sqlite:///{Path(folder) / 'ledger.db'}", seconds=seconds, say=say)
    with PostgresqlServer() as server:
        postgresql = measure_wallet(server.url(), seconds=seconds, say=say)
    for figures in (sqlite, postgresql):
        emit(figures)
    print(f"postgresql: authorised {postgresql.authorised_to_peer}× the peer (goal 3), ", end="")
    print(f"bulk {postgresql.bulk_to_peer}× (goal 10)")
    print(f"sqlite: {sqlite.authorised_per_second:,.0f} acknowledged a second (goal {SQLITE_GOAL:,})")


def grow(url: str, marks: list[int], accounts: int = 100_000) -> None:
    """Fill the store to each mark, and measure the rate of a window of transfers there."""
    engine = open_store(url)
    upgrade(engine)
    ledger, load = Ledger(engine), Load(accounts)
    load.open(ledger)
    stored, rates = accounts, {}
    for mark in marks:
        while stored < mark:
            step = min(WINDOW * 5, mark - stored)
            post_bulk(ledger, load, step)
            stored += step
            say(f"{stored:,} transfers")
        rates[mark] = post_bulk(ledger, load, WINDOW)
        stored += WINDOW
        print(f"{engine.dialect.name}: {mark:,} in the store, {rates[mark]:,.0f} a second", flush=True)
    ratio = rates[marks[-1]] / rates[marks[0]]
    print(f"{engine.dialect.name}: the last is {ratio:.2f} of the first (goal 0.75)")
    engine.dispose()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--most", type=int, default=MARKS[-1], help="the largest mark of --growth")
    parser.add_argument("--only", choices=["postgresql", "sqlite"])
    given = parser.parse_args()
    if not given.growth:
        measure(given.seconds)
        return
    marks = [mark for mark in MARKS if mark <= given.most]
    if given.only != "sqlite":
        with PostgresqlServer() as server:
            grow(server.create_database(), marks=marks)
    if given.only != "postgresql":
        with TemporaryDirectory() as folder:
            grow(f"sqlite:///{Path(folder) / 'ledger.db'}", marks=marks)


if __name__ == "__main__":
    main()
