"""What a deployment says about itself, in ``city.toml``."""

from __future__ import annotations

import logging
import re
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import attrs

from citycard.card.product import CardProduct
from citycard.city.targets import EVERY, SupervisionSection
from citycard.errors import CitycardError, CityConfigInvalid, CityNotFound
from citycard.kernel.settings import structure
from citycard.wallet.limits import CityLimits

__all__ = [
    "CONFIG_NAME",
    "BankSection",
    "CardsSection",
    "CityConfig",
    "CitySection",
    "ClearingSection",
    "District",
    "LiveChoices",
    "ProviderSection",
    "TopUpSection",
    "VaultPlace",
    "VaultSection",
    "WalletSection",
    "read_config",
    "read_config_file",
]

log = logging.getLogger("citycard.city")

CONFIG_NAME = "city.toml"
_SHORT_ISSUERS = {"chongqing", "city-union", "city-union-34"}


def _four_digits(_section: CitySection, _attribute: object, code: str) -> None:
    if re.fullmatch(r"[0-9]{4}", code) is None:
        msg = f"code is {code!r}: expected four digits, such as 5810"
        raise ValueError(msg)


@attrs.frozen(kw_only=True)
class CitySection:
    """Who the city is: names, four-digit GB/T 13497 code, issuer id (16 hex digits), and time zone."""

    name: str
    name_zh: str = ""
    code: str = attrs.field(validator=_four_digits)
    issuer: str = attrs.field(
        default=attrs.Factory(lambda self: f"0101{self.code}FFFFFFFF", takes_self=True),
        validator=attrs.validators.matches_re(r"[0-9A-F]{16}"),
    )
    timezone: str = "Asia/Shanghai"


@attrs.frozen(kw_only=True)
class StoreSection:
    """Where the database is: an SQLAlchemy URL; a relative SQLite path lies in the city's folder."""

    url: str = "sqlite:///city.sqlite"


@attrs.frozen(kw_only=True)
class ClearingSection:
    """What clearing costs a partner, in basis points of its gross.

    ``fees_bp`` names partners with another fee, ``kind_fees_bp`` kinds of partners; a
    partner's own comes first.

    ``amount_limit_fen`` bounds one debit: terminals refuse more, and clearing rejects it. ``engine`` names
    where buckets are judged (``clearing.engines.engine_of``). A batch that comes more than ``late_days``
    after its business date waits until somebody releases it; after ``expired_days`` it is not taken. 0 is
    no limit. ``inbox`` is a folder whose files a server takes in by itself, the city's where it is relative.

    A price that differs from what was charged by more than ``price_limit_fen`` suspends the record (P03).
    ``net_caps_fen`` names partners of which one run pays no more. Decisions that pay more than
    ``second_person_fen`` need two persons. ``dispute_days``, ``evidence_days`` and ``decision_days`` are
    business days: from the run to a dispute, from there to its evidence and to its decision.
    """

    fee_bp: int = attrs.field(default=0, validator=[attrs.validators.ge(0), attrs.validators.le(10_000)])
    fees_bp: Mapping[str, int] = attrs.field(
        factory=dict,
        validator=attrs.validators.deep_mapping(
            value_validator=attrs.validators.and_(attrs.validators.ge(0), attrs.validators.le(10_000))
        ),
    )
    kind_fees_bp: Mapping[str, int] = attrs.field(
        factory=dict,
        validator=attrs.validators.deep_mapping(
            value_validator=attrs.validators.and_(attrs.validators.ge(0), attrs.validators.le(10_000))
        ),
    )
    amount_limit_fen: int = attrs.field(
        default=100_000, validator=[attrs.validators.gt(0), attrs.validators.le(0xFFFFFFFF)]
    )
    price_limit_fen: int = attrs.field(default=10_000, validator=attrs.validators.ge(0))
    engine: str = "local"
    late_days: int = attrs.field(default=0, validator=attrs.validators.ge(0))
    expired_days: int = attrs.field(default=0, validator=attrs.validators.ge(0))
    inbox: str = ""
    net_caps_fen: Mapping[str, int] = attrs.field(
        factory=dict, validator=attrs.validators.deep_mapping(value_validator=attrs.validators.gt(0))
    )
    second_person_fen: int = attrs.field(default=10_000, validator=attrs.validators.ge(0))
    dispute_days: int = attrs.field(default=20, validator=attrs.validators.ge(1))
    evidence_days: int = attrs.field(default=5, validator=attrs.validators.ge(1))
    decision_days: int = attrs.field(default=15, validator=attrs.validators.ge(1))


def _no_holiday(section: BankSection, _attribute: object, days: tuple[date, ...]) -> None:
    both = sorted({*days} & {*section.holidays})
    if both:
        msg = f"{both[0]} stands in holidays and in working_days"
        raise ValueError(msg)


@attrs.frozen(kw_only=True)
class BankSection:
    """The trust account that pays the partners: holder's name, account number, and the bank's BIC.

    ``holidays`` and ``working_days`` are days on which the bank does not work, or works, other than China's
    public holidays say. A payment that was due more than ``overdue_days`` business days ago is missing.
    """

    name: str = "City Card Company"
    account: str = "0000000000000000"
    bic: str = "CITYCNBJXXX"
    holidays: tuple[date, ...] = ()
    working_days: tuple[date, ...] = attrs.field(default=(), validator=_no_holiday)
    overdue_days: int = attrs.field(default=3, validator=attrs.validators.ge(0))


def _no_two_alike(_section: CardsSection, _attribute: object, products: tuple[CardProduct, ...]) -> None:
    for field in ("name", "kind"):
        found = [getattr(product, field) for product in products]
        twice = [value for value in found if found.count(value) > 1]
        if twice:
            msg = f"two products have the {field} {twice[0]}"
            raise ValueError(msg)


@attrs.frozen(kw_only=True)
class CardsSection:
    """What cards issued from now on may do, and what the card office keeps to.

    ``products`` are kinds of card that the city itself issues, beside those of its plugins.

    ``profile`` is the make of the city's cards, chosen before the first is issued.
    ``algorithms`` are those of the purse besides 3DES, both experimental. What is on a card that is given up
    is owed ``clearing_days`` later, when taps made offline have come in.
    """

    profile: Literal["chongqing", "city-union", "city-union-34", "fmcos", "t-union"] = "t-union"
    algorithms: tuple[Literal["aes", "sm4"], ...] = ()
    products: tuple[CardProduct, ...] = attrs.field(default=(), validator=_no_two_alike)
    clearing_days: int = attrs.field(default=8, validator=attrs.validators.ge(0))
    replacement_fee_fen: int = attrs.field(default=0, validator=attrs.validators.ge(0))


def _https(_section: ProviderSection, attribute: attrs.Attribute[str], url: str) -> None:
    where = urlsplit(url)
    if where.scheme != "https" and where.hostname not in {"127.0.0.1", "::1", "localhost"}:
        msg = f"{attribute.name} is {url}: expected https:// (http:// is for this machine alone)"
        raise ValueError(msg)


@attrs.frozen(kw_only=True)
class ProviderSection:
    """The payment provider: where it is, who the city is there, and the RSA keys of both sides (PEM files).

    ``notify_url`` is this city's own address as the provider reaches it, such as
    ``https://card.example.cn/api/providers/pay/notifications``; without one, orders are asked for. Relative
    files lie in the city's folder.
    """

    name: str = attrs.field(default="pay", validator=attrs.validators.matches_re(r"[a-z0-9-]{1,32}"))
    url: str = attrs.field(validator=_https)
    merchant: str
    key_file: Path
    provider_key_file: Path
    provider_key_name: str = "provider"
    notify_url: str = ""
    timeout_s: float = attrs.field(default=5.0, validator=attrs.validators.gt(0))


@attrs.frozen(kw_only=True)
class TopUpSection:
    """How money gets onto cards.

    The money of a load whose end no card showed is given back after ``open_days``, that of an order that was
    paid and never collected after ``collect_days``. An order waits ``order_minutes`` for being paid.
    ``amounts_fen`` are what the page offers.
    """

    open_days: int = attrs.field(default=7, validator=attrs.validators.ge(1))
    collect_days: int = attrs.field(default=30, validator=attrs.validators.ge(1))
    order_minutes: int = attrs.field(default=30, validator=attrs.validators.ge(1))
    amounts_fen: tuple[int, ...] = (2000, 5000, 10_000)
    provider: ProviderSection | None = None


def _short_issuer(config: CityConfig, _attribute: object, cards: CardsSection) -> None:
    issuer, code = config.city.issuer, config.city.code
    if cards.profile in _SHORT_ISSUERS and (issuer[4:8], issuer[8:]) != (code, "FFFFFFFF"):
        msg = f"profile {cards.profile} wants a city.issuer of 4 digits, {code} and FFFFFFFF, not {issuer}"
        raise ValueError(msg)


def _complete(place: VaultPlace, _attribute: object, kind: str) -> None:
    if kind == "pkcs11" and not (place.module and place.token):
        msg = "kind pkcs11 needs module, the path of the PKCS#11 library, and token, the token's label"
        raise ValueError(msg)


@attrs.frozen(kw_only=True)
class VaultPlace:
    """Where keys are kept: in an encrypted file, or in a PKCS#11 token of a library and a label.

    ``pin_file`` holds the token's PIN where no environment variable does; a relative one lies in the city's
    folder.
    """

    module: str = ""
    token: str = ""
    pin_file: str = ""
    kind: Literal["file", "pkcs11"] = attrs.field(default="file", validator=_complete)


@attrs.frozen(kw_only=True)
class VaultSection(VaultPlace):
    """Where the city's keys are kept, and where those of hierarchies with their own root, if elsewhere."""

    hierarchies: Mapping[str, VaultPlace] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class WalletSection:
    """What is allowed with the money of citizens: limits by kind of act, as ``wallet.limits`` has them."""

    limits: CityLimits = attrs.field(factory=CityLimits)


@attrs.frozen(kw_only=True)
class District:
    """A district of the city, which may switch plugins on and off for itself.

    ``partners`` are those of its partners that plugins declare, which know no districts.
    """

    id: str
    name: str
    name_zh: str = ""
    partners: tuple[str, ...] = ()


def _of_districts(config: CityConfig, _attribute: object, section: SupervisionSection) -> None:
    known = [EVERY, *(one.id for one in config.districts)]
    for place, target in enumerate(section.targets):
        if target.district not in known:
            msg = f"targets[{place}].district {target.district!r}: expected one of {', '.join(known)}"
            raise ValueError(msg)


@attrs.frozen(kw_only=True)
class CityConfig:
    """The whole of ``city.toml``; ``plugins`` holds each plugin's own section, still unread."""

    city: CitySection
    store: StoreSection = StoreSection()
    clearing: ClearingSection = ClearingSection()
    bank: BankSection = BankSection()
    cards: CardsSection = attrs.field(default=CardsSection(), validator=_short_issuer)
    vault: VaultSection = VaultSection()
    topup: TopUpSection = TopUpSection()
    wallet: WalletSection = WalletSection()
    districts: tuple[District, ...] = ()
    supervision: SupervisionSection = attrs.field(default=SupervisionSection(), validator=_of_districts)
    allow: tuple[str, ...] | None = None
    enable: tuple[str, ...] = ()
    plugins: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)


class LiveChoices:
    """What ``city.toml`` says about plugins now: read again when the file has changed.

    A server asks whenever somebody switches a plugin, so that one which was allowed meanwhile can start,
    and one that is switched off and on gets its new settings. A file that cannot be read changes nothing.
    """

    def __init__(self, folder: Path, config: CityConfig) -> None:
        self._folder = folder
        self._config = config
        self._seen = self._stamp()

    @property
    def allow(self) -> tuple[str, ...] | None:
        """Return the names that may be imported; None allows all that are installed."""
        return self._now().allow

    @property
    def enable(self) -> tuple[str, ...]:
        """Return the names that are on until somebody switches them off."""
        return self._now().enable

    @property
    def plugins(self) -> Mapping[str, Mapping[str, Any]]:
        """Return each plugin's own section."""
        return self._now().plugins

    def _now(self) -> CityConfig:
        stamp = self._stamp()
        if stamp != self._seen:
            self._seen = stamp
            try:
                self._config = read_config(self._folder)
            except CitycardError as error:
                log.warning("kept the configuration read before: %s", error)
        return self._config

    def _stamp(self) -> tuple[int, int]:
        try:
            status = (self._folder / CONFIG_NAME).stat()
        except OSError:
            return (0, 0)
        return (status.st_mtime_ns, status.st_size)


def read_config(folder: Path) -> CityConfig:
    """Read ``city.toml`` in a folder; CityNotFound and CityConfigInvalid say what to do."""
    try:
        return read_config_file(folder / CONFIG_NAME)
    except FileNotFoundError as missing:
        raise CityNotFound(folder=folder) from missing


def read_config_file(path: Path) -> CityConfig:
    """Read a configuration; FileNotFoundError when it is not there, CityConfigInvalid says what to mend."""
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError) as missing:
        raise FileNotFoundError(path) from missing
    except (OSError, UnicodeDecodeError) as unreadable:
        raise CityConfigInvalid(path=path, reason=str(unreadable)) from unreadable
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise CityConfigInvalid(path=path, reason=str(wrong)) from wrong
    plugins = content.pop("plugins", {})
    content |= {key: plugins.pop(key) for key in ("allow", "enable") if key in plugins}
    config = structure(CityConfig, content, where=str(path))
    return attrs.evolve(config, plugins=plugins)
