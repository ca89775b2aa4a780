"""What eight domains cost a city: importing them, and pricing their services by their rules.

    python benchmarks/domains.py [--json]

Opening a city with all eight is timed in fresh processes, beside importing SQLAlchemy and Starlette alone,
which any web application pays. A price is timed in one process, beside such a sum as a plain function.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from citycard.city import City
from citycard.clearing.pricing import PriceRequest
from citycard.errors import CitycardError

EXAMPLE = Path(__file__).parents[1] / "examples" / "haibin" / "city.toml"
OPEN = (
    "from pathlib import Path; from citycard.city import City; City.open(Path({folder!r})).plugins.reports()"
)
PEER = "import sqlalchemy, starlette.applications, starlette.routing, jinja2, attrs, pluggy"
NOON = dt.datetime(2026, 3, 2, 12, 0)  # noqa: DTZ001 - local time
TEN = 10
RUNS, ASKED = 7, 20_000


def seconds(code: str) -> float:
    taken = []
    for _ in range(RUNS + 1):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken[1:])


def each(call: Callable[[PriceRequest], object], argument: PriceRequest) -> float:
    """Give microseconds a call, the best of three rounds."""
    rounds = []
    for _ in range(3):
        begun = time.perf_counter()
        for _ in range(ASKED):
            call(argument)
        rounds.append((time.perf_counter() - begun) / ASKED * 1e6)
    return min(rounds)


def plain(request: PriceRequest) -> int:
    """Take a fifth off before ten, and never more than 60 yuan."""
    amount_fen = request.list_price_fen or 0
    return min(amount_fen * 4 // 5 if request.at.hour < TEN else amount_fen, 6000)


def prices(city: City) -> dict[str, float]:
    """Time every service that can be asked for its price with no more than a list price."""
    book, found = city.plugins.rules(), {}
    for owned in city.plugins.services():
        request = PriceRequest(service=owned.record.name, at=NOON, list_price_fen=800)
        try:
            book.quote(request)
        except CitycardError:
            continue
        found[f"{owned.owner.plugin}: {owned.record.name}"] = each(book.quote, request)
    found["a plain function"] = each(plain, PriceRequest(service="plain", at=NOON, list_price_fen=800))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        city = City.create(Path(folder) / "city", EXAMPLE)
        city.create_hierarchy("health")
        running = sum(report.running for report in city.plugins.reports())
        found = {
            "plugins": running,
            "open_seconds": seconds(OPEN.format(folder=str(city.folder))),
            "empty_python_seconds": seconds("pass"),
            "peer_imports_seconds": seconds(PEER),
            "price_us": prices(city),
        }
        city.close()
    if given.json:
        print(json.dumps(found, indent=2))
        return
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}")
    print(f"a city with {running} plugins opened in {found['open_seconds']:.3f} s (goal 1 s)")
    print(f"its libraries alone {found['peer_imports_seconds']:.3f} s")
    print(f"an empty Python {found['empty_python_seconds']:.3f} s")
    for name, taken in sorted(found["price_us"].items(), key=lambda item: -item[1]):
        print(f"{taken:8.1f} µs  {name}")
    print("goal for a price: 200 µs")


if __name__ == "__main__":
    main()
