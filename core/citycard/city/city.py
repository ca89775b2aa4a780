"""A city in a folder: its configuration, store, vault, plugins and ledger, and what clearing asks of it."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import make_url

from citycard.city import vaults
from citycard.city.config import CONFIG_NAME, CityConfig, LiveChoices, read_config, read_config_file
from citycard.city.tariffs import Priced, Tariffs, earlier_settings, newest_number
from citycard.clock import Clock, SystemClock
from citycard.errors import CityExists, CityUnfinished
from citycard.kernel.plugins import Plugins
from citycard.store import open_store, reading

if TYPE_CHECKING:
    from citycard.bank.calendar import BusinessCalendar
    from citycard.bank.context import BankTerms
    from citycard.city.configuration import Configuration
    from citycard.city.entitlements import Right
    from citycard.city.holders import Holders
    from citycard.city.issuing import Issuing
    from citycard.city.sams import Sams
    from citycard.city.workers import CityWorker
    from citycard.clearing.context import CityFile, ClearingTerms
    from citycard.clearing.pricing import RuleBook
    from citycard.keys import KeyPurpose, SealSigner
    from citycard.keys.backend import Sealing
    from citycard.keys.keptvault import KeptVault
    from citycard.ledger import Ledger, LedgerWriter
    from citycard.provider import PaymentProvider
    from citycard.terminal.sam import SoftSam
    from citycard.wallet.context import WalletContext
    from citycard.wallet.topup import TopUpDesk

__all__ = ["City"]


class City(Priced):
    """A city. ``create`` makes one in a folder, ``open`` opens one; ``close`` lets go of store and keys.

    It is what clearing works in (``clearing.ClearingContext``). Parts that cost time, such as the vault, are
    opened when they are first used.
    """

    def __init__(self, folder: Path, config: CityConfig, *, clock: Clock | None = None) -> None:
        self.folder = folder
        self.config = config
        self.clock = clock or SystemClock()
        self.timezone = ZoneInfo(config.city.timezone)
        self._hierarchies: dict[str, KeptVault] = {}
        self._vault_epoch: int | None = None
        self._tariffs: tuple[tuple[int, int], Tariffs] | None = None

    @classmethod
    def create(
        cls, folder: Path, template: Path, *, clock: Clock | None = None, root: bytes | None = None
    ) -> Self:
        """Make a city in a folder from a configuration file; raise CityExists when one is there.

        A configuration that is not valid is refused with CityConfigInvalid before anything is written.

        The 16-byte ``root`` of a key ceremony is used once and not kept; without one, a root is drawn.
        May be interrupted and called again: only a finished city counts as one that exists.
        """
        config = read_config_file(template)
        # Where cards went is in the database: a new folder is its owner's alone.
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if (folder / CONFIG_NAME).exists() and vaults.vault_path(folder, read_config(folder)).exists():
            raise CityExists(folder=folder)
        if not any(folder.iterdir()):
            # Keys and records belong in no repository. A folder with something in it is left as it is.
            (folder / ".gitignore").write_text("*\n", encoding="utf-8")
        if template.resolve() != (folder / CONFIG_NAME).resolve():
            shutil.copyfile(template.resolve(), folder / CONFIG_NAME)
        city = cls(folder, config, clock=clock)
        city.upgrade()
        # The vault is written last and at once: it is what says that the city is finished.
        vaults.create_vault(folder, city.config, root=root).close()
        return city

    @classmethod
    def open(cls, folder: Path, *, clock: Clock | None = None) -> Self:
        """Open the city in a folder; raise CityNotFound, CityConfigInvalid or CityUnfinished."""
        config = read_config(folder)
        if not vaults.vault_path(folder, config).exists():
            raise CityUnfinished(folder=folder)
        return cls(folder, config, clock=clock)

    def upgrade(self) -> None:
        """Bring the core's tables up to date, then those of every plugin that is switched on."""
        from citycard import registry
        from citycard.clearing.payments import adopt_payments
        from citycard.store import writing
        from citycard.store.migrate import upgrade

        upgrade(self.engine)
        with writing(self.engine) as conn:
            registry.add_districts(
                conn,
                [
                    registry.District(id=one.id, name=one.name, name_zh=one.name_zh)
                    for one in self.config.districts
                ],
            )
        for name in self.config.enable:
            if self.plugins.report(name).state.value == "migration-due":
                self.plugins.enable(name, by="citycard city")
        self.open_declared()
        adopt_payments(self)

    def close(self) -> None:
        """Let go of the store, and wipe the keys from memory when they were used."""
        opened = [self.__dict__.get("_vault"), *self._hierarchies.values(), self.__dict__.get("writer")]
        for part in filter(None, opened):
            part.close()
        if "engine" in self.__dict__:
            self.engine.dispose()

    def now_local(self) -> dt.datetime:
        """Return the city's local time as cards and terminals write it: naive, whole seconds."""
        return self.clock.now().astimezone(self.timezone).replace(tzinfo=None, microsecond=0)

    # ── parts ────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def engine(self) -> Engine:
        """The city's database; a relative SQLite path lies in the city's folder."""
        url = make_url(self.config.store.url)
        if url.get_backend_name() == "sqlite" and url.database and not Path(url.database).is_absolute():
            url = url.set(database=str(self.folder / url.database))
        return open_store(url.render_as_string(hide_password=False))

    @cached_property
    def plugins(self) -> Plugins:
        """The city's plugins, started as the configuration and the database want them."""
        from citycard.city.events import CORE_EVENTS

        return Plugins.open(
            LiveChoices(self.folder, self.config),
            self.engine,
            folder=self.folder,
            clock=self.clock,
            core_events=CORE_EVENTS,
            city=self,
        )

    @property
    def vault(self) -> KeptVault:
        """The city's keys, with a key for every purpose that a plugin declares under the city's root."""
        epoch = self.plugins.epoch
        if self._vault_epoch != epoch:
            # A vault of earlier times gets the purposes that came since.
            vaults.ensure_declared(self._vault, self._declared_purposes())
            self._vault_epoch = epoch
        return self._vault

    @cached_property
    def _vault(self) -> KeptVault:
        return vaults.open_vault(self.folder, self.config)

    def hierarchy(self, name: str) -> KeptVault:
        """Return the vault of a hierarchy with its own root, such as a plugin's; raise KeyHierarchyMissing.

        It has a key for each purpose that is declared with this name as its ``hierarchy``, and no other.
        """
        if name not in self._hierarchies:
            self._hierarchies[name] = vaults.open_hierarchy(
                self.folder, self.config, name, self._declared_purposes()
            )
        return self._hierarchies[name]

    def create_hierarchy(self, name: str, *, root: bytes | None = None) -> KeptVault:
        """Make the vault of a hierarchy: under the ``root`` of its own key ceremony, or one that is drawn."""
        purposes = vaults.hierarchy_purposes(self._declared_purposes(), name)
        vault = vaults.create_vault(self.folder, self.config, hierarchy=name, root=root, purposes=purposes)
        self._hierarchies[name] = vault
        return vault

    def _declared_purposes(self) -> list[KeyPurpose]:
        return [owned.record for owned in self.plugins.key_purposes()]

    @property
    def sealer(self) -> Sealing:
        """What seals the personal data of card holders in the registry, by a key of the vault."""
        return self.vault.sealer("registry")

    @cached_property
    def holders(self) -> Holders:
        """The card holders, whose personal data is sealed by ``sealer``."""
        from citycard.city.holders import Holders

        return Holders(self)

    @cached_property
    def ledger(self) -> Ledger:
        """The city's double-entry ledger."""
        from citycard.ledger import Ledger

        return Ledger(self.engine, self.clock)

    @cached_property
    def writer(self) -> LedgerWriter:
        """Post for many callers at a time: each waits for its own answer, and they share transactions."""
        from citycard.ledger.writer import LedgerWriter

        return LedgerWriter(self.ledger)

    @cached_property
    def issuing(self) -> Issuing:
        """What makes cards and chips."""
        from citycard.city.issuing import Issuing

        return Issuing(self)

    @cached_property
    def sams(self) -> Sams:
        """What makes and revokes the SAMs of terminals."""
        from citycard.city.sams import Sams

        return Sams(self)

    @cached_property
    def desk(self) -> TopUpDesk:
        """The desk that grants loads; ``desk.for_agent`` gives one for money that an agent takes."""
        from citycard.wallet.topup import TopUpDesk

        issuing = self.issuing
        return TopUpDesk(
            self.vault,
            self.ledger,
            veto=issuing.unfit_for_load,
            purse_limit_fen=issuing.purse_limit_fen,
        )

    @cached_property
    def provider(self) -> PaymentProvider:
        """The city's payment provider; raise ProviderSettingsMissing when it has none."""
        from citycard.city.providing import open_provider

        return open_provider(self)

    @cached_property
    def wallet(self) -> WalletContext:
        """What online accounts, subsidies and points work in (``wallet``)."""
        from citycard.wallet.context import WalletContext

        return WalletContext(
            ledger=self.ledger,
            clock=self.clock,
            timezone=self.timezone,
            limits=self.config.wallet.limits,
        )

    def sam(self, terminal: str, serial: int = 0) -> SoftSam:
        """Return a software SAM for a terminal (12 digits) whose last serial was ``serial``."""
        from citycard.terminal.sam import SoftSam

        key = self.vault.terminal_key(bytes.fromhex(terminal))
        keys = self.vault.sam_keys(maintenance=self.issuing.profile.cache_needs_mac)
        return SoftSam(terminal, keys, key, serial)

    # ── what plugins declare, made real ──────────────────────────────────────────────────────────

    def open_declared(self) -> int:
        """Open the partners and accounts that plugins declare and that are missing (``declared``)."""
        from citycard.city.declared import open_declared

        return open_declared(self)

    def configuration(self) -> Configuration:
        """Return what terminals must know now; publish it when it has changed (``configuration``)."""
        from citycard.city.configuration import current_configuration

        return current_configuration(self)

    def deliver(self, limit: int = 1000) -> int:
        """Tell the plugins the events that wait, and return how many were told (``events``)."""
        from citycard.city.events import deliver

        return deliver(self, limit)

    def entitlements(self, asn: str, at: dt.datetime) -> tuple[Right, ...]:
        """List what a card entitles to at a local moment, and who says so (``entitlements``)."""
        from citycard.city.entitlements import entitlements

        return entitlements(self, asn, at)

    # ── what clearing asks ───────────────────────────────────────────────────────────────────────

    @cached_property
    def terms(self) -> ClearingTerms:
        """What the city agreed with those who take part."""
        from citycard.clearing.context import BankAccount, ClearingTerms

        bank, clearing = self.config.bank, self.config.clearing
        return ClearingTerms(
            issuers=frozenset({self.config.city.issuer}),
            debtor=BankAccount(name=bank.name, account=bank.account, bic=bank.bic),
            fee_bp=clearing.fee_bp,
            fees_bp=clearing.fees_bp,
            kind_fees_bp=clearing.kind_fees_bp,
            amount_limit_fen=clearing.amount_limit_fen,
            price_limit_fen=clearing.price_limit_fen,
            late_days=clearing.late_days,
            expired_days=clearing.expired_days,
            timezone=self.config.city.timezone,
            calendar=self.calendar,
            net_caps_fen=clearing.net_caps_fen,
            second_person_fen=clearing.second_person_fen,
            dispute_days=clearing.dispute_days,
            evidence_days=clearing.evidence_days,
            decision_days=clearing.decision_days,
        )

    @property
    def code(self) -> str:
        """The city's four digits, by which other cities know it (``exchange``)."""
        return self.config.city.code

    @property
    def exchange_signer(self) -> SealSigner:
        """What signs the files for other cities: the key of the ledger's seals, over a domain of its own."""
        return self.vault.seal_signer()

    @cached_property
    def calendar(self) -> BusinessCalendar:
        """The days on which the city's bank works."""
        from citycard.bank.calendar import BusinessCalendar

        bank = self.config.bank
        return BusinessCalendar(holidays=bank.holidays, working_days=bank.working_days)

    @cached_property
    def bank_terms(self) -> BankTerms:
        """The trust account, and when the bank works; with it the city is a ``bank.BankContext``."""
        from citycard.bank.context import BankTerms
        from citycard.bank.instruction import BankAccount

        bank = self.config.bank
        return BankTerms(
            debtor=BankAccount(name=bank.name, account=bank.account, bic=bank.bic),
            calendar=self.calendar,
            timezone=self.config.city.timezone,
            overdue_days=bank.overdue_days,
        )

    @property
    def rules(self) -> RuleBook:
        """The fee rules of every plugin that is on in the city."""
        return self.plugins.rules()

    @property
    def tariffs(self) -> Tariffs:
        """What prices records, each by the configuration that its terminal worked under."""
        with reading(self.engine) as conn:
            known = self.plugins.epoch, newest_number(conn)
            if self._tariffs is None or self._tariffs[0] != known:
                self._tariffs = known, Tariffs(self.plugins, earlier_settings(self, conn))
        return self._tariffs[1]

    @property
    def clearing_engine(self) -> str:
        """Where clearing judges, as ``city.toml`` says."""
        return self.config.clearing.engine

    def city_file(self, conn: Connection, city: str, number: int) -> CityFile | None:
        """Give the file of records that another city handed in under a number (``exchange.filebook``)."""
        from citycard.exchange.filebook import city_file

        return city_file(conn, city, number)

    @property
    def worker(self) -> Callable[[], CityWorker]:
        """What makes a worker of this city in another process or on another machine (``workers``)."""
        from citycard.city.workers import worker_of

        return worker_of(self)

    @property
    def worker_here(self) -> CityWorker:
        """A worker of this city in this process, which asks nobody again what the prices are."""
        from citycard.city.workers import CityWorker

        return CityWorker(folder=self.folder, vault=self.vault, tariffs=self.tariffs)
