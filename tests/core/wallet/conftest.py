"""A wallet on each database: a ledger, a clock that is moved, a bank with money, and limits."""

import sys
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from citycard.clock import FixedClock
from citycard.ids import new_id
from citycard.keys import CORE_PURPOSES, KeyHierarchy, Vault
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

sys.path.insert(0, str(Path(__file__).parent))
from pocketcard import ASN, PocketCard

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


@pytest.fixture(scope="module")
def vault():
    versions = KeyVersions()
    versions.ensure(CORE_PURPOSES)
    root, city = bytes.fromhex("00112233445566778899AABBCCDDEEFF"), bytes.fromhex("5840000000000001")
    return Vault(KeyHierarchy.from_root(root, city).city_key(), versions)


@pytest.fixture
def card(vault):
    return PocketCard(vault.card_keys(bytes.fromhex(ASN)[-8:]))
