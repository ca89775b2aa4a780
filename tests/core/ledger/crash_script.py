"""A day of a small ledger with everything in it, written so that it can be killed anywhere and run again.

Every step has ids of its own and is done again without harm. What was answered is written to a file before
the next step, as an outside caller would keep it. The card is real in one respect: what it was loaded with
stays on it, whatever becomes of the process at the desk.
"""

import json
import os
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import attrs

from citycard.clock import FixedClock
from citycard.keys import CORE_PURPOSES, KeyHierarchy, Vault
from citycard.keys.versions import KeyVersions
from citycard.ledger import (
    AccountSpec,
    Kind,
    Ledger,
    LedgerWriter,
    Limit,
    Transfer,
    capture,
    release,
    reversal,
)
from citycard.store import writing
from citycard.wallet import TopUpDesk

sys.path.insert(0, str(Path(__file__).parents[1] / "wallet"))
from pocketcard import ASN, PocketCard

START = datetime(2018, 9, 1, 0, 30, tzinfo=UTC)
AT, DAY = datetime(2018, 9, 1, 8, 30), date(2018, 9, 1)
WHEN = {"event_time": AT, "business_date": DAY}
ACCOUNTS = [
    AccountSpec(address="bank", code=1001),
    AccountSpec(address="online/1", code=2002, guard="dr<=cr"),
    AccountSpec(address="shop", code=2101),
    AccountSpec(address="points/given", code=8001, currency="PTS"),
    AccountSpec(address="points/1", code=8002, currency="PTS", guard="dr<=cr"),
]


def move(number, debit, credit, amount_fen, **more):
    given = {"id": UUID(int=number), "debit_address": debit, "credit_address": credit}
    return Transfer(**given, amount_fen=amount_fen, **{"code": 20} | WHEN | more)


PAIR, BROKEN = UUID(int=1001), UUID(int=1002)
DAILY = Limit(key="online/1/day", max_fen=900, max_count=4)
HELD = move(20, "online/1", "shop", 300, kind=Kind.PENDING, limits=(DAILY,))
LET_GO = move(21, "online/1", "shop", 100, kind=Kind.PENDING, limits=(DAILY,))
SHORT = move(
    22, "online/1", "shop", 50, kind=Kind.PENDING, expires_at=START + timedelta(minutes=10), limits=(DAILY,)
)
PAID = move(10, "online/1", "shop", 200, limits=(DAILY,))

#: Minute, and what is posted in one call.
CALLS = [
    (
        0,
        [
            move(1, "bank", "online/1", 1000),
            move(2, "points/given", "points/1", 30),
            move(3, "online/1", "points/1", 1),
        ],
    ),
    (1, [PAID, HELD, LET_GO, SHORT, move(11, "online/1", "shop", 1, limits=(DAILY,))]),
    (2, [move(12, "bank", "shop", 5, group=PAIR), move(13, "points/1", "points/given", 5, group=PAIR)]),
    (2, [move(14, "bank", "shop", 5, group=BROKEN), move(15, "online/1", "shop", 9999, group=BROKEN)]),
    (3, [capture(HELD, id=UUID(int=30), amount_fen=250, **WHEN), release(LET_GO, id=UUID(int=31), **WHEN)]),
    (4, [reversal(PAID, id=UUID(int=32), amount_fen=80, code=90, **WHEN)]),
    (15, [capture(SHORT, id=UUID(int=33), **WHEN), move(16, "online/1", "shop", 600)]),
    (
        16,
        [reversal(capture(HELD, id=UUID(int=30), amount_fen=250, **WHEN), id=UUID(int=34), code=90, **WHEN)],
    ),
]
THROUGH_THE_WRITER = [
    move(40, "bank", "online/1", 7),
    move(41, "online/1", "shop", 7),
    move(12, "bank", "shop", 5, group=PAIR),
]


class Pocket:
    """The card in its holder's pocket: a file that no process takes along when it dies."""

    def __init__(self, folder, vault):
        self._file = folder / "card.json"
        self._keys = vault.card_keys(bytes.fromhex(ASN)[-8:])

    @property
    def card(self):
        known = json.loads(self._file.read_text()) if self._file.exists() else {}
        if "tac" in known:
            known["tac"] = bytes.fromhex(known["tac"])
        return PocketCard(self._keys, **known)

    def keep(self, card):
        fields = attrs.asdict(card, filter=lambda field, _: field.name != "keys")
        given = {
            name.lstrip("_"): value.hex() if isinstance(value, bytes) else value
            for name, value in fields.items()
        }
        self._file.with_suffix(".new").write_text(json.dumps(given))
        self._file.with_suffix(".new").replace(self._file)


def vault():
    versions = KeyVersions()
    versions.ensure(CORE_PURPOSES)
    root, city = bytes.fromhex("00112233445566778899AABBCCDDEEFF"), bytes.fromhex("5840000000000001")
    return Vault(KeyHierarchy.from_root(root, city).city_key(), versions)


class Day:
    """Do the day's work on an engine; ``folder`` holds the card, and what the caller was told."""

    def __init__(self, engine, folder):
        self.engine, self.folder = engine, folder
        self.clock = FixedClock(START)
        self.ledger = Ledger(engine, self.clock)
        self.vault = vault()
        self.desk = TopUpDesk(self.vault, self.ledger)
        self.pocket = Pocket(folder, self.vault)

    def work(self):
        with writing(self.engine) as conn:
            self.ledger.open_accounts(conn, ACCOUNTS)
        for number, (minute, transfers) in enumerate(CALLS):
            self.clock.moment = START + timedelta(minutes=minute)
            with writing(self.engine) as conn:
                outcomes = self.ledger.post(conn, transfers)
            self._told(f"call {number}", outcomes)
            self._loads(number)
        with LedgerWriter(self.ledger) as writer:
            self._told("writer", writer.submit(THROUGH_THE_WRITER, [AccountSpec(address="late", code=2101)]))

    def _loads(self, number):
        """Load the card: done and confirmed; done, the answer lost; begun and torn away, then done."""
        if number == 1:
            self._load(0, 500)
        elif number == 2:
            self._load(1, 700, confirmed=False)
        elif number == 4:
            self._load(2, 900, done=False)
            self._load(2, 600)

    def _load(self, counter, amount_fen, *, done=True, confirmed=True):
        card = self.pocket.card
        if card.online_atc == counter:
            asked = card.init(amount_fen)
            self.pocket.keep(card)
            mac2 = self.desk.begin(**asked)
            self._told(f"begun {counter}", [])
            if not done:
                return
            card.credit(asked, mac2)
            self.pocket.keep(card)
        if done and confirmed and card.online_atc == counter + 1:
            self.desk.confirm(ASN, counter, card.tac)
            self._told(f"proven {counter}", [])

    def _told(self, step, outcomes):
        answers = {str(one.id): str(one.result) for one in outcomes}
        line = json.dumps({"step": step, "answers": answers}) + "\n"
        file = os.open(self.folder / "told", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(file, line.encode())
        os.close(file)

    def told(self):
        """Give what the caller knows, step by step, the oldest first."""
        file = self.folder / "told"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
