"""A city that rolled its purse keys to AES or SM4: new cards and old ones at the same terminal and desk."""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil

import attrs
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES, SM4
from cryptography.hazmat.primitives.cmac import CMAC

from citycard.card import CardProduct
from citycard.card.files import TRANSIT_PROFILE
from citycard.chip import personalise, prepare_blank
from citycard.errors import CardRefused, CardRemoved
from citycard.keys import CORE_PURPOSES, Algorithm, KeyHierarchy, SoftKeys, Vault
from citycard.keys.versions import KeyVersions
from citycard.ledger import Ledger
from citycard.store import open_store
from citycard.terminal import InProcessReader, SoftSam, Terminal
from citycard.wallet import LoadState, TopUpDesk, loads_of

AT = dt.datetime.fromisoformat("2026-03-02T08:15:30")
NUMBER = "300089000340"
OLD, NEW = "03105170070104791381", "03105170070104791399"
ISSUER = "01015840FFFFFFFF"
PRODUCT = CardProduct(name="adult", kind=1)
BODY, JOURNEY = b"\x02" + b"\x11" * 39, b"\x04" + bytes(47)
CIPHERS = {Algorithm.AES: AES, Algorithm.SM4: SM4}
BOTH = pytest.mark.parametrize("algorithm", [Algorithm.AES, Algorithm.SM4], ids=["aes", "sm4"])


def independent_tac(algorithm: Algorithm, dtk: bytes, record: bytes) -> bytes:
    """Make a record's TAC with ``cryptography`` alone; the record is cut by offset (docs/terminal.md)."""
    message = record[33:37] + record[2:3] + record[41:47] + record[47:51] + record[51:58]
    if algorithm == Algorithm.AES:
        code = CMAC(AES(dtk))
        code.update(message)
        return code.finalize()[:4]
    padded = message + b"\x80" + bytes(-(len(message) + 1) % 16)
    return Cipher(SM4(dtk), modes.CBC(bytes(16))).encryptor().update(padded)[-16:-12]


def independent_key(algorithm: Algorithm, city: bytes, name: str, version: int, asn: str) -> bytes:
    """Derive a card's key with ``cryptography`` and the factor of docs/keys.md."""
    key = city
    for factor in (bytes([version]) + hashlib.sha256(name.encode()).digest()[:7], bytes.fromhex(asn)[-8:]):
        inverse = bytes(255 - byte for byte in factor)
        key = Cipher(CIPHERS[algorithm](key), modes.ECB()).encryptor().update(factor + inverse)
    return key


def proven(vault: Vault, record: bytes) -> bool:
    return vault.check_purchase_tac(
        asn8=record[16:24],
        key_version=record[25],
        amount_fen=int.from_bytes(record[33:37], "big"),
        tti=record[2],
        terminal6=record[41:47],
        serial=int.from_bytes(record[47:51], "big"),
        datetime7=record[51:58],
        tac4=record[58:62],
    )


@pytest.fixture
def city_key() -> bytes:
    return KeyHierarchy.from_root(bytes(range(16)), bytes(8)).city_key()


@pytest.fixture
def own_vault(city_key) -> Vault:
    """A vault of the test's own: it is rolled."""
    versions = KeyVersions()
    versions.ensure(CORE_PURPOSES)
    return Vault(SoftKeys(city_key), versions)


@pytest.fixture
def issue_from(own_vault, version):
    def make(asn: str, *algorithms: str):
        profile = attrs.evolve(TRANSIT_PROFILE, algorithms=algorithms)
        chip = prepare_blank(version, profile)
        personalise(
            chip,
            asn=asn,
            issuer=ISSUER,
            product=PRODUCT,
            keys=own_vault.card_keys(bytes.fromhex(asn)[-8:]),
            start=dt.date(2026, 1, 1),
            expiry=dt.date(2036, 1, 1),
            profile=profile,
        )
        return chip

    return make


@pytest.fixture
def ledger(migrated_sqlite, tmp_path):
    shutil.copyfile(migrated_sqlite, tmp_path / "city.sqlite")
    engine = open_store(f"sqlite:///{tmp_path}/city.sqlite")
    yield Ledger(engine)
    engine.dispose()


@pytest.fixture
def terminal_of(own_vault, ledger):
    def make(**settings) -> Terminal:
        sam = SoftSam(NUMBER, own_vault.sam_keys(), own_vault.terminal_key(bytes.fromhex(NUMBER)))
        return Terminal(NUMBER, sam, host=TopUpDesk(own_vault, ledger), **settings)

    return make


def visit(terminal: Terminal, chip, place, *, amount_fen: int = 10_000) -> list[bytes]:
    """Load, ride, buy; return the two records."""
    session = terminal.tap(InProcessReader(chip), AT)
    session.load(amount_fen, AT)
    session = terminal.tap(InProcessReader(chip), AT)
    updates = [session.write_sector(place, BODY), session.write_journey(JOURNEY)]
    ride = terminal.record(session.capp(385, AT, updates))
    session = terminal.tap(InProcessReader(chip), AT)
    assert session.read_sector(place) == BODY
    bought = terminal.record(session.purchase(250, AT))
    assert session.balance_fen == session.view.balance_fen - 250
    return [ride, bought]


@BOTH
def test_cards_of_before_and_after_the_roll_work_at_one_terminal(
    own_vault, issue_from, terminal_of, ledger, version, city_key, algorithm
) -> None:
    place = version.place("ride")
    old = issue_from(OLD)
    before = visit(terminal_of(), old, place)
    own_vault.roll("purchase", algorithm)
    new = issue_from(NEW, algorithm.name.lower())
    terminal = terminal_of()
    after = visit(terminal, new, place)
    again = visit(terminal, old, place)

    assert [(one[25], one[26]) for one in before + again] == [(1, 0)] * 4
    assert [(one[25], one[26]) for one in after] == [(2, int(algorithm))] * 2
    assert all(proven(own_vault, one) for one in before + after + again)
    dtk = independent_key(algorithm, city_key, "tac", 2, NEW)
    assert [one[58:62] for one in after] == [independent_tac(algorithm, dtk, one) for one in after]
    with ledger.engine.connect() as conn:
        assert {one.state for one in loads_of(conn, NEW) + loads_of(conn, OLD)} == {LoadState.PROVEN}
        assert ledger.balances(conn, 2001) == {f"card/{NEW}/purse": 10_000, f"card/{OLD}/purse": 20_000}


@BOTH
def test_a_debit_cut_at_any_write_is_charged_and_recorded_once(
    own_vault, issue_from, terminal_of, version, algorithm
) -> None:
    place = version.place("ride")
    own_vault.roll("purchase", algorithm)
    fresh = issue_from(NEW, algorithm.name.lower())
    terminal_of().tap(InProcessReader(fresh), AT).load(10_000, AT)
    recovered = set()
    for cut in range(100):
        chip, terminal = fresh.clone(), terminal_of()
        reader = InProcessReader(chip)
        session = terminal.tap(reader, AT)
        updates = [session.write_sector(place, BODY), session.write_journey(JOURNEY)]
        chip.eeprom.cut_after(cut, torn=True)
        try:
            terminal.record(session.capp(385, AT, updates))
        except CardRemoved:
            chip.eeprom.cut_after(None)
            session = terminal.tap(reader, AT)
            recovered.add(session.view.recovered is not None)
            if session.view.recovered is None:
                terminal.record(session.capp(385, AT, updates))
        else:
            break
        assert session.balance_fen == 10_000 - 385
        (record,) = terminal.records
        assert proven(own_vault, record)
    assert recovered == {False, True}


def test_a_terminal_whose_sam_is_older_than_the_card_refuses_it(own_vault, issue_from, terminal_of) -> None:
    terminal = terminal_of()
    own_vault.roll("purchase", Algorithm.AES)
    session = terminal.tap(InProcessReader(issue_from(NEW, "aes")), AT)
    with pytest.raises(CardRefused, match="key"):
        session.purchase(0, AT)
