"""A small city at hand: keys, a prepared card, a terminal, a load host that keeps books by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import attrs
import pytest

from citycard.card import CardProduct, ProductVersion, SectorLayout, allocate
from citycard.card.codec import amount, layout, moment, reserved, unsigned
from citycard.chip import Chip, personalise, prepare_blank
from citycard.keys import CORE_PURPOSES, KeyHierarchy, SoftKeys, Vault
from citycard.keys.versions import KeyVersions
from citycard.psam import TRANSIT_PSAM, Psam, SamIdentity, personalise_sam
from citycard.terminal import InProcessReader, SoftSam, Terminal

ASN = "03105170070104791381"
ISSUER = "01015840FFFFFFFF"
NUMBER = "300089000340"
AT = dt.datetime.fromisoformat("2026-03-02T08:15:30")
PRODUCT = CardProduct(name="adult", kind=1)


@layout(size=40)
class Ride:
    state: int = unsigned(1)
    station: int = unsigned(4)
    at: dt.datetime | None = moment()
    fare_fen: int = amount()
    rest: bytes = reserved(24)


RIDE = SectorLayout(name="ride", record=Ride, record_id=0x2701)


class Host:
    """A load host: real MACs from the vault, and a book of what it granted and how each load ended."""

    def __init__(self, vault: Vault) -> None:
        self.vault = vault
        self.book: dict[tuple[str, int], list[object]] = {}

    def begin(self, asn, key_version, balance_fen, online_atc, rnd, mac1, amount_fen, terminal, at):
        common = {
            "asn8": bytes.fromhex(asn)[-8:],
            "key_version": key_version,
            "rnd4": rnd,
            "online_atc": online_atc,
            "amount_fen": amount_fen,
            "terminal6": bytes.fromhex(terminal),
        }
        assert self.vault.check_load_mac1(**common, balance_fen=balance_fen, mac1=mac1)
        self.book[asn, online_atc] = ["pending", amount_fen, balance_fen, terminal, at, key_version]
        return self.vault.load_mac2(**common, date4_time3=bytes.fromhex(f"{at:%Y%m%d%H%M%S}"))

    def confirm(self, asn, online_atc, tac):
        entry = self.book[asn, online_atc]
        _, amount_fen, balance_fen, terminal, at, key_version = entry
        assert self.vault.check_load_tac(
            asn8=bytes.fromhex(asn)[-8:],
            key_version=key_version,
            new_balance_fen=balance_fen + amount_fen,
            online_atc=online_atc,
            amount_fen=amount_fen,
            terminal6=bytes.fromhex(terminal),
            date4_time3=bytes.fromhex(f"{at:%Y%m%d%H%M%S}"),
            tac4=tac,
        )
        entry[0] = "proven"

    def reverse(self, asn, online_atc):
        self.book[asn, online_atc][0] = "reversed"

    def states(self) -> list[str]:
        return [entry[0] for entry in self.book.values()]


@pytest.fixture(scope="session")
def vault() -> Vault:
    versions = KeyVersions()
    versions.ensure(CORE_PURPOSES)
    return Vault(SoftKeys(KeyHierarchy.from_root(bytes(range(16)), bytes(8)).city_key()), versions)


@pytest.fixture(scope="session")
def version() -> ProductVersion:
    return allocate(PRODUCT, [RIDE])


@pytest.fixture(scope="session")
def issue(vault: Vault, version: ProductVersion) -> Callable[..., Chip]:
    """Make a card; every word of EF 15 and EF 17 can be changed, for cards that must be refused."""
    blank = prepare_blank(version)

    def make(*, asn: str = ASN, issuer: str = ISSUER, product: CardProduct = PRODUCT, **changes) -> Chip:
        chip = blank.clone()
        start = changes.get("start", dt.date(2026, 1, 1))
        expiry = changes.get("expiry", dt.date(2036, 1, 1))
        personalise(
            chip,
            asn=asn,
            issuer=issuer,
            product=product,
            keys=vault.card_keys(bytes.fromhex(asn)[-8:]),
            start=start,
            expiry=expiry,
        )
        return chip

    return make


@pytest.fixture
def host(vault: Vault) -> Host:
    return Host(vault)


@pytest.fixture
def make_terminal(vault: Vault) -> Callable[..., Terminal]:
    def make(number: str = NUMBER, **settings) -> Terminal:
        key = vault.terminal_key(bytes.fromhex(number))
        return Terminal(number, SoftSam(number, vault.sam_keys(), key), **settings)

    return make


@pytest.fixture
def make_psam(vault: Vault) -> Callable[..., Psam]:
    """Make the PSAM of a terminal with the vault's keys, sealed for it as the vault gives them out."""

    def make(number: str = NUMBER, *, signs: bool = True, maintenance: bool = False, **settings) -> Psam:
        sam = Psam.blank(attrs.evolve(TRANSIT_PSAM, **settings))
        master, number8 = bytes(range(16)), b"\0\0" + bytes.fromhex(number)
        keys = [
            vault.export_under(master, "purchase", row.version, header=bytes((0x22, row.version, 0)))
            for row in vault.versions()
            if row.purpose == "purchase"
        ]
        if maintenance:
            keys.append(vault.export_under(master, "maintenance", 1, header=bytes((0x25, 1, 0))))
        if signs:
            keys.append(vault.export_under(master, "batch", 1, [number8], header=bytes((0x1E, 1, 2))))
        identity = SamIdentity(
            number=number.zfill(20),
            terminal=number,
            issuer=ISSUER,
            receiver=ISSUER,
            start=dt.date(2026, 1, 1),
            expiry=dt.date(2036, 12, 31),
        )
        personalise_sam(InProcessReader(sam), identity, keys, master)
        return sam

    return make


@pytest.fixture(scope="session")
def _loaded(issue: Callable[..., Chip], vault: Vault) -> Chip:
    chip = issue()
    key = vault.terminal_key(bytes.fromhex(NUMBER))
    terminal = Terminal(NUMBER, SoftSam(NUMBER, vault.sam_keys(), key), host=Host(vault))
    terminal.tap(InProcessReader(chip), AT).load(10_000, AT)
    return chip


@pytest.fixture
def card(_loaded: Chip) -> Chip:
    """A card with 100 yuan on it."""
    return _loaded.clone()
