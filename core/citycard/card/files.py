"""The files of a transit purse card and their layouts: JT/T 978 on a PBOC file system (docs/card.md)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

import attrs

from citycard.card.codec import (
    amount,
    bcd,
    choice,
    date,
    decode,
    examples,
    flag,
    hexed,
    layout,
    moment,
    reserved,
    text,
    unsigned,
)
from citycard.card.enums import (
    CardKind,
    EnableFlag,
    FileKind,
    IdKind,
    Industry,
    InteropKind,
    JourneyKind,
    TransactionType,
)
from citycard.card.identity import CardContents, CardIdentity

__all__ = [
    "FREE",
    "NEVER",
    "TRANSIT_PROFILE",
    "CardContents",
    "CardFile",
    "CardIdentity",
    "CardKind",
    "CardProfile",
    "EnableFlag",
    "FileKind",
    "Holder",
    "IdKind",
    "Industry",
    "InteropKind",
    "JourneyKind",
    "JourneyRecord",
    "LogRecord",
    "Management",
    "PbocHolder",
    "PublicApplication",
    "TransactionType",
]


@layout(size=30)
class PublicApplication:
    """EF 15, public application data (公共应用基本数据): who issued the card, its number, its validity."""

    issuer: str = hexed(8, note="issuer (发卡机构), 2 bytes of city at offset 2")
    application_type: int = unsigned(1, default=2, note="02 electronic purse")
    enabled: EnableFlag = choice(EnableFlag, default=EnableFlag.ENABLED)
    asn: str = bcd(10, note="application serial number: the card's number")
    start: dt.date | None = date(note="first day")
    expiry: dt.date | None = date(note="last day, included")
    fci: str = hexed(2, default="0000", note="issuer's FCI data")


@layout(size=55)
class Holder:
    """EF 16, holder (持卡人基本数据) with the 32-byte identity number of JT/T 978."""

    card_type: int = unsigned(1, default=0)
    staff: bool = flag(default=False, note="the holder works for the issuer")
    name: str = text(20, personal=True, default="")
    id_number: str = text(32, personal=True, default="")
    id_kind: IdKind = choice(IdKind, default=IdKind.RESIDENT_IDENTITY)


@layout(size=39)
class PbocHolder:
    """EF 16, holder (持卡人基本数据), as PBOC has it: an identity number of 16 bytes."""

    card_type: int = unsigned(1, default=0)
    staff: bool = flag(default=False, note="the holder works for the issuer")
    name: str = text(20, personal=True, default="")
    id_number: str = text(16, personal=True, default="")
    id_kind: IdKind = choice(IdKind, default=IdKind.RESIDENT_IDENTITY)


@layout(size=60)
class Management:
    """EF 17, management data (管理信息): where the card belongs and what kind it is."""

    country: str = bcd(4, default="00000156", note="GB/T 2659: 156 China")
    province: str = bcd(2, note="GB/T 13497")
    city: str = bcd(2, note="GB/T 13497")
    interop: InteropKind = choice(InteropKind, 2, default=InteropKind.INTEROPERABLE)
    card_kind: int = unsigned(1, default=1, note="CardKind, or a city's own from 6")
    reserved: bytes = reserved(49)


@layout(size=23)
class LogRecord:
    """One record of EF 18, the purse's own log (交易明细); record 1 is the newest."""

    counter: int = unsigned(2, note="online counter for loads, offline otherwise, after the increment")
    overdraft_limit_fen: int = amount(3, default=0)
    amount_fen: int = amount()
    tti: TransactionType = choice(TransactionType)
    terminal: str = bcd(6)
    at: dt.datetime | None = moment()


@layout(size=48)
class JourneyRecord:
    """One record of EF 1E, the journeys that other cities can read (互联互通交易记录)."""

    kind: JourneyKind = choice(JourneyKind)
    terminal: str = bcd(8, note="two zero bytes, then the terminal's number")
    industry: Industry = choice(Industry)
    station: str = hexed(7, note="line and station as the city numbers them")
    amount_fen: int = amount()
    balance_fen: int = amount(note="after the debit; never used for accounting")
    at: dt.datetime | None = moment()
    city: str = bcd(2, note="acquiring city, GB/T 13497")
    institution: str = hexed(8, note="acquirer")
    open_amount_fen: int = amount(default=0, note="charged for a journey that never ends")
    open_minutes: int = unsigned(2, default=0, note="time allowed for the journey")


# ── example bytes, run both ways by the tests ────────────────────────────────────────────────────

_RECORDED = dt.datetime.fromisoformat("2024-12-29T14:17:40")

examples(
    PublicApplication,
    (
        "01011000FFFFFFFF 02 01 03105170070104791381 20190718 20401231 0000",
        PublicApplication(
            issuer="01011000FFFFFFFF",
            asn="03105170070104791381",
            start=dt.date(2019, 7, 18),
            expiry=dt.date(2040, 12, 31),
        ),
    ),
)
examples(
    Holder,
    ("00" * 55, Holder()),
    (
        "0001 D5C5C8FD" + "00" * 16 + "3131303130313139393030333037383735" + "58" + "00" * 14 + "00",
        Holder(staff=True, name="张三", id_number="11010119900307875X"),
    ),
)
examples(
    PbocHolder,
    ("00" * 39, PbocHolder()),
    (
        "0001 D5C5C8FD" + "00" * 16 + "47313233343536 3738" + "00" * 7 + "00",
        PbocHolder(staff=True, name="张三", id_number="G12345678"),
    ),
)
examples(
    Management,
    ("00000156 1000 1000 0001 01" + "00" * 49, Management(province="1000", city="1000")),
)
examples(
    LogRecord,
    (
        "042D 000000 000001F4 09 300089000340 20241229 141740",
        LogRecord(
            counter=0x042D,
            amount_fen=500,
            tti=TransactionType.COMPOSITE,
            terminal="300089000340",
            at=_RECORDED,
        ),
    ),
)
examples(
    JourneyRecord,
    (
        "04 0000300089000340 01 08001900300000 000001F4 00000E01 20241229141740 1000 01011000FFFFFFFF"
        + "00" * 6,
        JourneyRecord(
            kind=JourneyKind.EP_EXIT,
            terminal="0000300089000340",
            industry=Industry.METRO,
            station="08001900300000",
            amount_fen=500,
            balance_fen=3585,
            at=_RECORDED,
            city="1000",
            institution="01011000FFFFFFFF",
        ),
    ),
)


# ── the profile: every convention in which cards of one make differ from another's ───────────────


FREE = 0xF0
"""Access byte: always."""
NEVER = 0xEF
"""Access byte: never."""
_PURSE = 2


@attrs.frozen(kw_only=True)
class CardFile:
    """One file of the purse application. ``protected`` writes need a MAC under the maintenance key.

    ``size`` is the body in bytes; record files have ``records`` of ``record_size`` each.
    """

    fid: int
    title: str
    kind: FileKind
    size: int
    records: int = 0
    record_size: int = 0
    read: int = FREE
    write: int = FREE
    protected: bool = False
    record: type | None = None

    @property
    def sfi(self) -> int:
        """Return the short file id: the low five bits of the file id."""
        return self.fid & 0x1F


def _records(fid: int, title: str, count: int, size: int, record: type, write: int) -> CardFile:
    return CardFile(
        fid=fid,
        title=title,
        kind=FileKind.CYCLIC,
        size=count * size,
        records=count,
        record_size=size,
        write=write,
        record=record,
    )


def _transit_contents(card: CardIdentity) -> CardContents:
    application = PublicApplication(
        issuer=card.issuer, asn=card.asn, start=card.start, expiry=card.expiry, enabled=card.enabled
    )
    management = Management(province=card.city, city=card.city, card_kind=card.kind)
    return CardContents(application={0x15: application, 0x17: management})


def _transit_identity(files: Mapping[int, bytes]) -> CardIdentity:
    application, management = decode(PublicApplication, files[0x15]), decode(Management, files[0x17])
    return CardIdentity(
        issuer=application.issuer,
        asn=application.asn,
        start=application.start,
        expiry=application.expiry,
        city=management.city,
        kind=management.card_kind,
        enabled=application.enabled,
        interoperable=management.interop is InteropKind.INTEROPERABLE,
        has_purse=application.application_type == _PURSE,
    )


@attrs.frozen(kw_only=True)
class CardProfile:
    """Describe cards of one make as data: application, files, and the conventions in which cards differ.

    ``log_after_increment``: the log keeps the counter after the transaction. ``prove_offset``: GET
    TRANSACTION PROVE is asked for INIT's counter plus this. ``load_needs_pin``: a purse load wants VERIFY PIN
    first. ``check_order`` of INIT is key, then funds. ``root_files`` lie in the master file. ``contents``
    makes what personalisation writes; ``identify`` reads it back from ``identity_root``, files of the master
    file, and ``identity_files`` of the application, or gives None for files of another make.
    ``own_numbers``: how the 20 digits of every number of a city with such cards begin. ``directory_entry``:
    the application's record in the directory (DIR), made of its name unless given. ``sector_id_size``: bytes
    of a record id in the sector file. ``journey_sfi`` is None on cards without journeys. ``cache_needs_mac``:
    records for a composite purchase come with a MAC under the maintenance key (84 DC). ``algorithms``: what
    purse keys may compute with besides 3DES, ``aes`` and ``sm4``, both experimental. Sources: docs/card.md.
    """

    name: str
    aid: bytes
    mf_name: bytes = b"1PAY.SYS.DDF01"
    adf_fid: int = 0x3F01
    files: tuple[CardFile, ...]
    root_files: tuple[CardFile, ...] = ()
    contents: Callable[[CardIdentity], CardContents] = attrs.field(default=_transit_contents, repr=False)
    identify: Callable[[Mapping[int, bytes]], CardIdentity | None] = attrs.field(
        default=_transit_identity, repr=False
    )
    identity_root: tuple[int, ...] = ()
    identity_files: tuple[int, ...] = (0x15, 0x17)
    own_numbers: str = ""
    directory_entry: bytes = b""
    sector_id_size: int = attrs.field(default=2, validator=attrs.validators.in_((1, 2)))
    sector_sfi: int = 0x1A
    journey_sfi: int | None = 0x1E
    log_sfi: int = 0x18
    sector_room: int = 2048
    purchase_key: int = 1
    load_key: int = 1
    log_after_increment: bool = True
    prove_offset: int = 1
    load_needs_pin: bool = False
    cache_needs_mac: bool = False
    pin: str = "123456"
    algorithms: tuple[str, ...] = attrs.field(
        default=(), validator=attrs.validators.deep_iterable(attrs.validators.in_(("aes", "sm4")))
    )

    def file(self, fid: int) -> CardFile:
        """Return the file with this id; KeyError when the application has none."""
        return next(found for found in self.files if found.fid == fid)

    @property
    def application(self) -> type:
        """Return the layout of EF 15."""
        return self.file(0x15).record or PublicApplication


TRANSIT_PROFILE = CardProfile(
    name="transit",
    aid=bytes.fromhex("A000000632010105"),
    files=(
        CardFile(
            fid=0x15,
            title="Public application data",
            kind=FileKind.BINARY,
            size=30,
            protected=True,
            record=PublicApplication,
        ),
        CardFile(fid=0x16, title="Holder", kind=FileKind.BINARY, size=55, protected=True, record=Holder),
        CardFile(
            fid=0x17,
            title="Management data",
            kind=FileKind.BINARY,
            size=60,
            protected=True,
            record=Management,
        ),
        _records(0x18, "Purse log", 10, 23, LogRecord, NEVER),
        CardFile(fid=0x1A, title="Sectors", kind=FileKind.VARIABLE, size=2048, protected=True),
        _records(0x1E, "Journeys", 30, 48, JourneyRecord, NEVER),
        CardFile(fid=0x02, title="Electronic purse", kind=FileKind.PURSE, size=22),
    ),
)
"""A purse card as JT/T 978 describes it."""
