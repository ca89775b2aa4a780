"""A wallet on each database: a ledger, a clock that is moved, a bank with money, and limits."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import attrs
import pytest

from citycard.clock import FixedClock
from citycard.ids import new_id
from citycard.keys import CORE_PURPOSES, KeyHierarchy, Vault
from citycard.keys.purse import TTI_LOAD_EP, load_mac1, load_mac2, load_session_key, load_tac
from citycard.keys.versions import KeyVersions
from citycard.ledger import AccountSpec, Ledger
from citycard.store import writing
from citycard.wallet import (
    TRUST_BANK,
    Accounts,
    CityLimits,
    LimitRule,
    Programme,
    WalletContext,
    add_programme,
    fund_programme,
    grant,
    online_account,
)

#: Nine in the morning, the city's time, on a Saturday.
MORNING = datetime(2026, 11, 28, 1, 0, tzinfo=UTC)


@pytest.fixture
def clock():
    return FixedClock(MORNING)


@pytest.fixture
def wallet(store, clock):
    """Return what wallet services work in; a payment is at most 500 yuan."""
    return WalletContext(
        ledger=Ledger(store, clock),
        clock=clock,
        timezone=ZoneInfo("Asia/Shanghai"),
        limits=CityLimits(pay=LimitRule(single_fen=50_000)),
    )


@pytest.fixture
def put_in(wallet):
    """Return a function that puts money into an account, as a top-up does."""

    def put(number, amount_fen):
        moved = wallet.transfer(new_id(), TRUST_BANK, online_account(number), amount_fen, 90, ref="put in")
        with writing(wallet.engine) as conn:
            wallet.ledger.open_accounts(conn, [AccountSpec(address=TRUST_BANK, code=1001)])
            wallet.ledger.post_all(conn, [moved])

    return put


@pytest.fixture
def opened(wallet, put_in):
    """Return a function that opens an account with some money in it, and gives its number."""

    def open_one(number, amount_fen=0):
        asn = f"{number:020d}"
        Accounts(wallet).open(new_id(), asn)
        if amount_fen:
            put_in(asn, amount_fen)
        return asn

    return open_one


@pytest.fixture
def give_meals(wallet):
    """Return a function that makes a programme for meals, funds it, and grants all of it to an account."""

    def give(number, amount_fen, **more):
        values = {"id": "meals", "partner_kinds": ("food",), "ends_on": date(2026, 12, 31)} | more
        wanted = Programme(title="Meals", funder="Office", starts_on=date(2026, 11, 1), **values)
        with writing(wallet.engine) as conn:
            add_programme(conn, wallet.ledger, wanted)
        fund_programme(wallet, new_id(), wanted.id, amount_fen)
        grant(wallet, new_id(), wanted.id, number, amount_fen)
        return wanted

    return give


# ── a card that is loaded ────────────────────────────────────────────────────────────────────────

ASN = "01042910000000000017"
TERMINAL = "001122334455"
AT = datetime(2018, 9, 1, 8, 30, 15)


@attrs.define
class PocketCard:
    """A purse's side of a load, by the book."""

    keys: object
    asn: str = ASN
    balance_fen: int = 0
    online_atc: int = 0
    tac: bytes = b""
    _randoms: int = 0

    def init(self, amount_fen):
        self._randoms += 1
        rnd = self._randoms.to_bytes(4, "big")
        session = load_session_key(self.keys.load, rnd, self.online_atc)
        terminal6 = bytes.fromhex(TERMINAL)
        mac1 = load_mac1(session, self.balance_fen, amount_fen, TTI_LOAD_EP, terminal6)
        return {
            "asn": self.asn,
            "key_version": 1,
            "balance_fen": self.balance_fen,
            "online_atc": self.online_atc,
            "rnd": rnd,
            "mac1": mac1,
            "amount_fen": amount_fen,
            "terminal": TERMINAL,
            "at": AT + timedelta(seconds=self._randoms),
        }

    def credit(self, asked, mac2):
        session = load_session_key(self.keys.load, asked["rnd"], asked["online_atc"])
        terminal6, moment = bytes.fromhex(TERMINAL), bytes.fromhex(asked["at"].strftime("%Y%m%d%H%M%S"))
        assert mac2 == load_mac2(session, asked["amount_fen"], TTI_LOAD_EP, terminal6, moment)
        self.balance_fen += asked["amount_fen"]
        self.tac = load_tac(
            self.keys.tac,
            self.balance_fen,
            self.online_atc,
            asked["amount_fen"],
            TTI_LOAD_EP,
            terminal6,
            moment,
        )
        self.online_atc += 1
        return self.tac


@pytest.fixture(scope="module")
def vault():
    versions = KeyVersions()
    versions.ensure(CORE_PURPOSES)
    root, city = bytes.fromhex("00112233445566778899AABBCCDDEEFF"), bytes.fromhex("5840000000000001")
    return Vault(KeyHierarchy.from_root(root, city).city_key(), versions)


@pytest.fixture
def card(vault):
    return PocketCard(vault.card_keys(bytes.fromhex(ASN)[-8:]))
