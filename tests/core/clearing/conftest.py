"""A small town that clears: real vault, SAMs, batches, ledger, registry, store; only cards are played."""

from __future__ import annotations

import datetime as dt
import itertools
import shutil
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from citycard import registry
from citycard.card.codec import encode
from citycard.clearing.context import BankAccount, ClearingTerms, Rating, Share
from citycard.clearing.pricing import PriceRequest, RuleBook, quote
from citycard.clearing.spent import purse_fen
from citycard.clock import FixedClock
from citycard.keys.cipher import Algorithm
from citycard.keys.hierarchy import CORE_PURPOSES
from citycard.keys.pkcs11vault import Pkcs11Vault
from citycard.keys.purse import purchase_tac
from citycard.keys.vault import Vault
from citycard.keys.versions import KeyVersions
from citycard.ledger.ledger import Ledger
from citycard.store import open_store, reading, writing
from citycard.terminal.batch import write_batch
from citycard.terminal.record import MAC_OFFSET, RecordKind, TransactionRecord
from citycard.terminal.sam import SoftSam
from citycard.wallet.load import Load, LoadState, Proof, load_id
from citycard.wallet.loadbook import keep

ISSUER = "0101344000FFFFFF"
DAY = dt.date(2018, 9, 1)
MORNING = dt.datetime.fromisoformat("2018-09-01T06:00:00")
PIN = "135790"
IMPORTED = bytes(range(100, 116))
TOKENS = itertools.count()
METRO_GATE, SECOND_GATE, BUS = "344000000001", "344000000002", "344000000003"


@attrs.define
class PlayedCard:
    asn: str
    counter: int = 0
    online_atc: int = 0
    balance_fen: int = 0


@attrs.define
class PlayedTerminal:
    sam: SoftSam
    next_batch: int = 1
    next_sequence: int = 1
    records: list[bytes] = attrs.field(factory=list)


class Town:
    """A city as clearing sees it, with a hand for playing taps into it and another for spoiling them."""

    def __init__(self, folder: Path, url: str | None = None) -> None:
        self.folder = folder
        versions = KeyVersions()
        versions.ensure(CORE_PURPOSES)
        self.vault = Vault(bytes(range(16)), versions)
        self.clock = FixedClock(dt.datetime(2018, 9, 1, 15, 0, tzinfo=dt.UTC))
        self.engine = open_store(url or f"sqlite:///{folder}/city.db")
        self.ledger = Ledger(self.engine, self.clock)
        self.terms = ClearingTerms(
            issuers=frozenset({ISSUER}),
            debtor=BankAccount(name="城市一卡通有限公司", account="6222000011112222", bic="ICBKCNBJSZN"),
            amount_limit_fen=100_000,
            fee_bp=50,
            fees_bp={"bus": 30},
        )
        self.rules_version = "rules-1"
        self.clearing_engine = "local"
        self.shares: dict[int, tuple[Share, ...]] = {}
        self.cards: dict[str, PlayedCard] = {}
        self.terminals: dict[str, PlayedTerminal] = defaultdict()

    @property
    def worker_here(self) -> Town:
        return self

    def city_file(self, _conn: object, _city: str, _number: int) -> None:
        """Say that no other city hands in files."""

    def found(self) -> Town:
        with writing(self.engine) as conn:
            partners = [
                ("metro", "地铁集团", "440010001", "BKCHCNBJXXX"),
                ("bus", "Bus Company", "440010002", ""),
                ("poor", "No Account", "", ""),
            ]
            registry.add_partners(
                conn,
                [
                    registry.Partner(id=key, name=name, account_name=name, account_no=number, bank_bic=bic)
                    for key, name, number, bic in partners
                ],
            )
            registry.add_products(conn, [registry.Product(name="adult", title="Adult", kind=1)])
            registry.add_product_versions(
                conn, [registry.ProductVersion(product="adult", version=1, layout="{}")]
            )
        for number, partner in ((METRO_GATE, "metro"), (SECOND_GATE, "metro"), (BUS, "bus")):
            self.open_terminal(number, partner)
        return self

    def copied(self, folder: Path) -> Town:
        """Give a town that stands where this one does, and goes its own way from here on."""
        self.engine.dispose()
        shutil.copytree(self.folder, folder)
        return Town(folder)

    def open_terminal(self, number: str, partner: str, *, registered: bool = True) -> None:
        if registered:
            with writing(self.engine) as conn:
                registry.add_terminals(
                    conn, [registry.Terminal(number=number, partner=partner, opened_on=DAY)]
                )
        key = self.vault.terminal_key(bytes.fromhex(number))
        self.terminals[number] = PlayedTerminal(SoftSam(number, self.vault.sam_keys(), key))

    def purse_fen(self, card: PlayedCard) -> int:
        """Return what the books say is on a card."""
        with reading(self.engine) as conn:
            return purse_fen(self.ledger, self.folder, conn, card.asn)

    def issue(
        self,
        *names: int,
        status: str = "issued",
        kind: int = 1,
        expires_on: dt.date = dt.date(2030, 1, 1),
    ) -> list[PlayedCard]:
        made = [PlayedCard(f"3104440000{name:010d}") for name in names]
        with writing(self.engine) as conn:
            registry.add_cards(
                conn,
                [
                    registry.Card(
                        asn=card.asn,
                        issuer=ISSUER,
                        product="adult",
                        kind=kind,
                        issued_on=DAY,
                        expires_on=expires_on,
                        status=status,
                    )
                    for card in made
                ],
            )
        self.cards |= {card.asn: card for card in made}
        return made

    def load(self, card: PlayedCard, amount_fen: int, at: dt.datetime = MORNING) -> None:
        one = Load(
            id=load_id(card.asn, card.online_atc, b"mac1", METRO_GATE, at),
            asn=card.asn,
            online_atc=card.online_atc,
            key_version=1,
            amount_fen=amount_fen,
            balance_before_fen=card.balance_fen,
            terminal=METRO_GATE,
            agent="",
            at=at,
            mac1="00000000",
            state=LoadState.PROVEN,
            proof=Proof.TAC,
            tac="00000000",
        )
        with writing(self.engine) as conn:
            keep(conn, self.ledger, [one])
        card.online_atc += 1
        card.balance_fen += amount_fen

    def tap(self, card, amount_fen, at, terminal=METRO_GATE, *, keep=True, spoil=None, **changes) -> bytes:
        """Debit a played card; ``changes`` go in before the proofs, ``spoil`` bytes after the TAC."""
        played = self.terminals[terminal]
        played.sam.serial += 1
        fields = {
            "kind": RecordKind.SINGLE,
            "tti": 6,
            "service": 1,
            "issuer": ISSUER,
            "asn": card.asn,
            "card_kind": 1,
            "key_version": 1,
            "algorithm": 0,
            "counter": card.counter,
            "balance_before_fen": card.balance_fen,
            "amount_fen": amount_fen,
            "balance_after_fen": card.balance_fen - amount_fen,
            "terminal": terminal,
            "terminal_serial": played.sam.serial,
            "at": at,
            "config": 1,
            "blacklist": 0,
            "list_price_fen": amount_fen,
        } | changes
        card.counter += 1
        card.balance_fen -= amount_fen
        moment = bytes.fromhex(fields["at"].strftime("%Y%m%d%H%M%S"))
        asn8, terminal6 = bytes.fromhex(fields["asn"])[-8:], bytes.fromhex(fields["terminal"])
        tac = purchase_tac(
            self.vault.card_keys(asn8).tac,
            fields["amount_fen"],
            fields["tti"],
            terminal6,
            fields["terminal_serial"],
            moment,
        )
        raw = encode(TransactionRecord(**{"tac": tac} | fields))
        for offset, value in (spoil or {}).items():
            raw = raw[:offset] + bytes([value ^ raw[offset]]) + raw[offset + 1 :]
        raw = raw[:MAC_OFFSET] + played.sam.record_mac(raw[:MAC_OFFSET]) + raw[MAC_OFFSET + 4 :]
        if keep:
            played.records.append(raw)
        return raw

    def batch(self, terminal: str = METRO_GATE, *, day: dt.date = DAY, records=None) -> tuple[str, bytes]:
        """Close a terminal's batch and give it as a file."""
        played = self.terminals[terminal]
        taken = list(played.records if records is None else records)
        number, first = played.next_batch, played.next_sequence
        played.next_batch, played.next_sequence = number + 1, first + len(taken)
        played.records.clear()
        created = dt.datetime.combine(day, dt.time(12))
        data = write_batch(terminal, number, first, taken, played.sam, created, day)
        return f"{terminal}-{number:06d}.ccb", data

    def rate(self, record: TransactionRecord) -> Rating:
        book = RuleBook([])
        price = quote(PriceRequest(service="ride", at=record.at, list_price_fen=record.list_price_fen), book)
        return Rating(quote=price, shares=self.shares.get(record.service, ()))

    def of_day(self, service):
        """Say that no price asks for anything of the day."""
        return False

    def claimed_fen(self, service, records):
        """Say that no price depends on what a card paid before."""

    def alike(self, service, records):
        """Leave it open what a price depends on: every record is rated for itself."""


class TokenTown(Town):
    """A town whose keys are in a token, which can lose the TAC key of version 2 and get it back."""

    def take_keys_to(self, module: Path, label: str) -> None:
        self.vault = Pkcs11Vault.create(
            self.folder / "vault.json", module, label, PIN, bytes(8), root=bytes(range(16))
        )
        self._module, self._label = module, label
        for number in list(self.terminals):
            self.open_terminal(number, "", registered=False)

    def import_tac_key(self) -> None:
        self.import_key("tac", "purchase")

    def import_key(self, purpose: str, family: str) -> None:
        self.vault.put(purpose, IMPORTED)
        self.vault.roll(family)

    def lose_tac_key(self) -> None:
        self.lose_key("tac", 2)

    def lose_key(self, purpose: str, version: int) -> None:
        import pkcs11

        with pkcs11.lib(str(self._module)).get_token(token_label=self._label).open(rw=True) as session:
            for one in session.get_objects({pkcs11.Attribute.LABEL: f"citycard/city/{purpose}/{version}"}):
                one.destroy()
        self.vault.refresh()

    def restore_tac_key(self) -> None:
        self.vault._keys.put("tac", 2, IMPORTED, Algorithm.TDES)


@pytest.fixture
def token_town(towns_of, softhsm, tmp_path: Path) -> Iterator[TokenTown]:
    label = f"clearing {next(TOKENS)}"
    softhsm.token(label, PIN)
    town = TokenTown(towns_of(tmp_path / "town").folder)
    for number in (METRO_GATE, SECOND_GATE, BUS):
        town.terminals[number] = None
    town.take_keys_to(softhsm.module, label)
    yield town
    town.vault.close()


@pytest.fixture
def towns_of(migrated_sqlite: Path):
    """Found a town in the folder given."""

    def found(folder: Path) -> Town:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(migrated_sqlite, folder / "city.db")
        return Town(folder).found()

    return found


@pytest.fixture
def town(towns_of, tmp_path: Path) -> Town:
    return towns_of(tmp_path / "town")


@pytest.fixture
def card(town: Town) -> PlayedCard:
    """Give a card with 100 yuan on it."""
    (card,) = town.issue(1)
    town.load(card, 10_000)
    return card
