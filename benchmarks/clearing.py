"""Time clearing: receive 4,780 batches of 46,000 records of 30,000 cards, clear them, print what it took.

    python benchmarks/clearing.py [--records N] [--json]

Making the input is not timed. Everything runs in one process on one core, with SQLite on this disk.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import platform
import random
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from citycard import registry
from citycard.card.codec import encode
from citycard.clearing.context import BankAccount, ClearingTerms, Rating, Share
from citycard.clearing.intake import receive
from citycard.clearing.pricing import Adjustment, FeeRule, PriceRequest, RuleBook, Stage
from citycard.clearing.run import clear
from citycard.clock import SystemClock
from citycard.keys.hierarchy import CORE_PURPOSES
from citycard.keys.purse import purchase_tac
from citycard.keys.vault import Vault
from citycard.keys.versions import KeyVersions
from citycard.ledger.ledger import Ledger
from citycard.store import open_store, writing
from citycard.store.migrate import upgrade
from citycard.terminal.batch import write_batch
from citycard.terminal.record import MAC_OFFSET, RecordKind, TransactionRecord
from citycard.terminal.sam import SoftSam
from citycard.wallet.load import Load, LoadState, Proof, load_id
from citycard.wallet.loadbook import keep

DAY = dt.date(2018, 9, 1)
MORNING = dt.datetime.fromisoformat("2018-09-01T06:00:00")
ISSUER = "0101344000FFFFFF"
TERMINALS, CARDS = 4780, 30_000


class Bench:
    """A city with rules like those of a transit operator."""

    def __init__(self, folder: Path) -> None:
        versions = KeyVersions()
        versions.ensure(CORE_PURPOSES)
        self.folder, self.clock = folder, SystemClock()
        self.vault = Vault(bytes(range(16)), versions)
        self.engine = open_store(f"sqlite:///{folder}/city.db")
        self.ledger = Ledger(self.engine, self.clock)
        bank = BankAccount(name="City Card Company", account="6222000011112222", bic="ICBKCNBJSZN")
        self.terms = ClearingTerms(
            issuers=frozenset({ISSUER}), debtor=bank, amount_limit_fen=100_000, fee_bp=50
        )
        self.rules = RuleBook(
            [
                FeeRule(name="discount-95", stage=Stage.DISCOUNT, apply=_percent(95)),
                FeeRule(name="student-50", stage=Stage.CONCESSION, apply=_half),
                FeeRule(name="transfer-40", stage=Stage.TRANSFER, apply=_transfer),
            ]
        )
        self.rules_version = self.rules.version

    def rate(self, record: TransactionRecord) -> Rating:
        """Price a ride as the gate did."""
        request = PriceRequest(service="ride", at=record.at, list_price_fen=record.list_price_fen)
        return Rating(quote=self.rules.quote(request), shares=(Share(partner=f"line-{record.service}"),))

    def alike(self, service: int, records: np.ndarray) -> np.ndarray:
        """Say what a price depends on: what the gate asked."""
        return np.ascontiguousarray(records["list_price_fen"]).view(np.uint8).reshape(len(records), -1)

    clearing_engine = "local"

    def city_file(self, _conn: object, _city: str, _number: int) -> None:
        """Say that no other city hands in files."""


def _percent(percent: int):  # noqa: ANN202
    def apply(_request: PriceRequest, amount_fen: int) -> Adjustment:
        return Adjustment(amount_fen=amount_fen * percent // 100, reason=f"{percent} percent")

    return apply


def _half(request: PriceRequest, amount_fen: int) -> Adjustment | None:
    if "student" not in request.entitlements:
        return None
    return Adjustment(amount_fen=amount_fen // 2, reason="student")


def _transfer(request: PriceRequest, amount_fen: int) -> Adjustment | None:
    return Adjustment(amount_fen=max(amount_fen - 40, 0), reason="transfer") if request.transfer else None


def prepare(city: Bench, records: int) -> list[tuple[str, bytes]]:
    """Register everything, load every card, and let terminals write their batches."""
    upgrade(city.engine)
    numbers = [f"3440{place:08d}" for place in range(TERMINALS)]
    asns = [f"3104440000{place:010d}" for place in range(CARDS)]
    with writing(city.engine) as conn:
        partners = [f"line-{line}" for line in range(1, 12)]
        registry.add_partners(
            conn,
            [
                registry.Partner(id=name, name=name, account_name=name, account_no=f"44001{place:04d}")
                for place, name in enumerate(partners)
            ],
        )
        registry.add_terminals(
            conn,
            [
                registry.Terminal(number=number, partner=partners[place % 11], opened_on=DAY)
                for place, number in enumerate(numbers)
            ],
        )
        registry.add_products(conn, [registry.Product(name="adult", title="Adult", kind=1)])
        registry.add_product_versions(
            conn, [registry.ProductVersion(product="adult", version=1, layout="{}")]
        )
        registry.add_cards(
            conn,
            [
                registry.Card(
                    asn=asn,
                    issuer=ISSUER,
                    product="adult",
                    kind=1,
                    issued_on=DAY,
                    expires_on=dt.date(2030, 1, 1),
                )
                for asn in asns
            ],
        )
        keep(conn, city.ledger, [_load(asn) for asn in asns])
    return _tap(city, records, numbers, asns)


def _load(asn: str) -> Load:
    return Load(
        id=load_id(asn, 0, b"mac1", "344000000000", MORNING),
        asn=asn,
        online_atc=0,
        key_version=1,
        amount_fen=50_000,
        balance_before_fen=0,
        terminal="344000000000",
        agent="",
        at=MORNING,
        mac1="00000000",
        state=LoadState.PROVEN,
        proof=Proof.TAC,
        tac="00000000",
    )


def _tap(city: Bench, records: int, numbers: list[str], asns: list[str]) -> list[tuple[str, bytes]]:
    dice = random.Random(20180901)
    keys = city.vault.sam_keys()
    sams = {n: SoftSam(n, keys, city.vault.terminal_key(bytes.fromhex(n))) for n in numbers}
    tacs = {asn: city.vault.card_keys(bytes.fromhex(asn)[-8:]).tac for asn in asns}
    counters, balances = dict.fromkeys(asns, 0), dict.fromkeys(asns, 50_000)
    open_batches: dict[str, list[bytes]] = {number: [] for number in numbers}
    for place in range(records):
        asn, number = dice.choice(asns), dice.choice(numbers)
        price = dice.choice((200, 300, 400, 500))
        amount, at = price * 95 // 100, MORNING + dt.timedelta(seconds=place // 4)
        sam = sams[number]
        sam.serial += 1
        moment, terminal6 = bytes.fromhex(at.strftime("%Y%m%d%H%M%S")), bytes.fromhex(number)
        raw = encode(
            TransactionRecord(
                kind=RecordKind.EXIT,
                tti=9,
                service=1 + int(number) % 11,
                issuer=ISSUER,
                asn=asn,
                card_kind=1,
                key_version=1,
                algorithm=0,
                counter=counters[asn],
                balance_before_fen=balances[asn],
                amount_fen=amount,
                balance_after_fen=balances[asn] - amount,
                terminal=number,
                terminal_serial=sam.serial,
                at=at,
                tac=purchase_tac(tacs[asn], amount, 9, terminal6, sam.serial, moment),
                config=1,
                blacklist=0,
                list_price_fen=price,
            )
        )
        counters[asn] += 1
        balances[asn] -= amount
        open_batches[number].append(
            raw[:MAC_OFFSET] + sam.record_mac(raw[:MAC_OFFSET]) + raw[MAC_OFFSET + 4 :]
        )
    noon = dt.datetime.combine(DAY, dt.time(12))
    return [
        (f"{number}.ccb", write_batch(number, 1, 1, raws, sams[number], noon, DAY))
        for number, raws in open_batches.items()
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=46_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        city = Bench(Path(folder))
        files = prepare(city, options.records)
        before_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        started = time.perf_counter()
        received = receive(city, files)
        between = time.perf_counter()
        done = clear(city)
        ended = time.perf_counter()
        again = clear(city)
        report = {
            "machine": f"{platform.processor() or platform.machine()}, Python {platform.python_version()}",
            "files": len(received.files),
            "records": done.records,
            "accepted": done.count("accepted"),
            "receive_seconds": round(between - started, 2),
            "clear_seconds": round(ended - between, 2),
            "again_seconds": round(time.perf_counter() - ended, 3),
            "records_per_second": round(done.records / (ended - started)),
            "input_mib": before_mib,
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            "changed_again": again.changed,
            "digest": done.digest,
        }
    print(
        json.dumps(report, indent=2) if options.json else "\n".join(f"{k:20} {v}" for k, v in report.items())
    )


if __name__ == "__main__":
    main()
