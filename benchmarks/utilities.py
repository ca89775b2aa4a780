"""How fast a biller's file is taken, and a day's payments are matched with its bills.

    python benchmarks/utilities.py [bills]

Beside it, in the same run, what only loads the same CSV into a table: DuckDB, and sqlite3 with executemany.
Taking a file reads and checks every line, looks for the bill, and writes all of it with its report in one
transaction; matching divides each payment, settles its bill and tells of the deduction, in one transaction.
"""

from __future__ import annotations

import csv
import datetime as dt
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from citycard import codec, yuan
from citycard.bench.machine import this_machine
from citycard.store import writing
from citycard.testing.town import Town
from citycard_utilities.importing import take_file
from citycard_utilities.matching import Accepted, match_records
from citycard_utilities.opening import settings_of
from citycard_utilities.sectors import BillFacts

GOAL_S = 20.0
DUE = dt.date(2026, 3, 20)
AT = dt.datetime(2026, 3, 2, 9, 0)  # noqa: DTZ001 - cards know local time only
BILLER = {"id": "water-works", "number": 1, "kind": "water", "name": "Haibin Water"}


def bill_file(count: int) -> bytes:
    """Write a file of so many bills."""
    rows = ["bill,household,amount,due,action,name,period"]
    rows += [f"W{n:07d},H{n:07d},{yuan(1000 + n % 9000)},{DUE},,王小明,2026-02" for n in range(count)]
    total = sum(1000 + n % 9000 for n in range(count))
    return "\n".join([*rows, f"end,{count},{yuan(total)}", ""]).encode()


def records(count: int) -> list[Accepted]:
    """Give what clearing would have accepted for these bills, each paid by another card at a kiosk."""
    return [
        Accepted(
            f"990100000001-{n // 1000 + 1}-{n % 1000 + 1}",
            f"{n:020d}",
            100,
            1000 + n % 9000,
            AT,
            codec.encode(BillFacts(biller=1, bill=f"W{n:07d}", due=DUE, household=f"H{n:07d}")),
        )
        for n in range(count)
    ]


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Give the seconds that some work takes, by the clock and of the processor."""
    began, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - used


def load_duckdb(path: Path, store: Path) -> None:
    """Load the file into a table of DuckDB's, with a key, and no check."""
    with duckdb.connect(str(store)) as engine:
        engine.execute(
            "CREATE TABLE bill (bill VARCHAR PRIMARY KEY, household VARCHAR, amount DECIMAL(18,2),"
            " due DATE, action VARCHAR, name VARCHAR, period VARCHAR)"
        )
        engine.execute(
            "INSERT INTO bill SELECT * FROM read_csv(?, header = true, all_varchar = true,"
            " null_padding = true) WHERE bill <> 'end'",
            [str(path)],
        )


def load_sqlite(path: Path, store: Path) -> None:
    """Load the file into a table of SQLite's, with a key, durably, and no check."""
    connection = sqlite3.connect(store)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(
        "CREATE TABLE bill (bill TEXT PRIMARY KEY, household TEXT, amount TEXT, due TEXT,"
        " action TEXT, name TEXT, period TEXT)"
    )
    with path.open(newline="", encoding="utf-8") as file:
        rows = (row for row in csv.reader(file) if row[0] not in {"bill", "end"})
        connection.executemany("INSERT INTO bill VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    connection.commit()
    connection.close()


def main(count: int) -> None:
    """Measure, and print one line for each."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "bills.csv"
        path.write_bytes(bill_file(count))
        town = Town.make(Path(folder), domains=["utilities"], settings={"utilities": {"billers": [BILLER]}})
        settings, paid = settings_of(town.city), records(count)

        def match() -> None:
            with writing(town.city.engine) as conn:
                taken, _, _ = match_records(conn, settings, paid, 1)
            assert (taken.receipts, taken.surplus_fen, taken.unmatched) == (count, 0, 0)

        def take() -> None:
            report = take_file(town.city, settings, "water-works", path.read_bytes(), file=path.name)
            assert (report.added, report.bad_count) == (count, 0)

        seconds = {
            "duckdb loads the CSV": timed(lambda: load_duckdb(path, Path(folder) / "peer.duckdb")),
            "sqlite3 loads the CSV": timed(lambda: load_sqlite(path, Path(folder) / "peer.sqlite")),
            "citycard takes the file": timed(take),
            "citycard matches the payments": timed(match),
        }
        town.close()
    machine = this_machine()
    print(f"{count:,} bills; {machine.processor}, {machine.cores} cores, Python {machine.python}")
    for name, (needed, used) in seconds.items():
        print(f"{name:30} {needed:7.2f} s ({used:.2f} s of processor)  {count / needed:9,.0f} a second")
    whole = seconds["citycard takes the file"][0] + seconds["citycard matches the payments"][0]
    print(f"taken and matched: {whole:.2f} s (goal {GOAL_S:.0f} s)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
