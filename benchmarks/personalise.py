"""How many cards a second a personalisation job makes on one core, with eight sectors on each card.

    python benchmarks/personalise.py [cards]

Every card gets its own keys from the vault, its files with MACs, and a row in the registry; its image is
on the disk when it counts as made.
"""

from __future__ import annotations

import platform
import sys
import tempfile
import time
from pathlib import Path

from citycard import registry
from citycard.card import allocate
from citycard.card.codec import layout, reserved
from citycard.card.sector import SectorLayout
from citycard.chip import prepare_blank
from citycard.city import City
from citycard.city.personalising import JobWorker, open_job
from citycard.ids import new_id
from citycard.store import writing

CITY = """\
[city]
name = "Bench town"
code = "9901"
[plugins]
allow = ["transit"]
enable = ["transit"]
[[plugins.transit.products]]
name = "standard"
title = "City card"
"""
FIRST = "01019901000000000001"
DOMAINS = ("utilities", "retail", "tourism", "community", "campus", "egov", "health")


@layout(size=120)
class Domain:
    """What one domain keeps on a card."""

    rest: bytes = reserved(120)


def main(cards: int) -> None:
    """Make a city, run a job, and print how fast it went: the cards alone, then the whole job."""
    with tempfile.TemporaryDirectory() as folder:
        template = Path(folder) / "template.toml"
        template.write_text(CITY)
        city = City.create(Path(folder) / "town", template)
        city.issuing.publish()
        alone_s = _cards_alone(city, cards)
        job_s = _job(city, cards, Path(folder) / "out")
        city.close()
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, one process")
    print(f"personalisation alone, eight sectors: {cards / alone_s:,.0f} cards a second")
    print(f"a job of {cards:,}, registry and images on disk: {cards / job_s:,.0f} cards a second")


def _cards_alone(city: City, cards: int) -> float:
    product, previous = city.issuing.product("standard"), city.issuing.version("standard")
    eight = allocate(product, [SectorLayout(name=name, record=Domain) for name in DOMAINS], previous)
    assert len(eight.places) == 1 + len(DOMAINS)
    blank = prepare_blank(eight, city.issuing.profile)
    numbers = [f"{int(FIRST) + 10**8 + place:020d}" for place in range(cards)]
    today = city.now_local().date()
    begun = time.perf_counter()
    keys = city.vault.card_keys_many([bytes.fromhex(asn[4:]) for asn in numbers])
    for asn, own in zip(numbers, keys, strict=True):
        city.issuing.personalise(
            blank.clone(), asn, product, own, start=today, expiry=today.replace(year=today.year + 5)
        )
    return time.perf_counter() - begun


def _job(city: City, cards: int, out: Path) -> float:
    now = city.clock.now()
    numbers = registry.NumberRange(
        name="bench", product="standard", first=FIRST, size=cards, opened_on=now.date()
    )
    lot = registry.StockLot(name="box", supplier="bench", size=cards, received_on=now.date())
    with writing(city.engine) as conn:
        registry.add_number_range(conn, numbers)
        registry.receive_stock(conn, lot, id=new_id(), actor="bench", at=now)
    job = open_job(city, "standard", cards, numbers="bench", lot="box", actor="bench")
    begun = time.perf_counter()
    JobWorker(city, job.number).make_images(out)
    return time.perf_counter() - begun


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000)
