"""What a card says about itself to anybody: number, validity, balance, the purse's log, journeys. No keys."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TypeVar

import attrs

from citycard.card import JourneyRecord, LogRecord, Management, PublicApplication, decode
from citycard.errors import CodecError
from citycard.pcsc.applications import Application, find_applications
from citycard.pcsc.files import read_binary, read_records
from citycard.terminal.answering import whole_answer
from citycard.terminal.reader import Reader

__all__ = ["Purse", "SeenCard", "read_card", "read_purse"]

Record = TypeVar("Record", LogRecord, JourneyRecord)

_OK = b"\x90\x00"
_FLAG = 0x7FFFFFFF
_LOG_RECORDS, _JOURNEYS = 10, 30
_UID = bytes.fromhex("FFCA000000")
_STORAGE = bytes.fromhex("3B8F8001804F0CA000000306")


@attrs.frozen(kw_only=True)
class Purse:
    """One purse application of a card; what the card does not tell is empty or None."""

    name: str
    name_zh: str
    aid: str
    number: str = ""
    issuer: str = ""
    city: str = ""
    kind: int | None = None
    interoperable: bool | None = None
    enabled: bool | None = None
    start: dt.date | None = None
    expiry: dt.date | None = None
    balance_fen: int | None = None
    log: tuple[LogRecord, ...] = ()
    log_status: str = "9000"
    journeys: tuple[JourneyRecord, ...] = ()


@attrs.frozen(kw_only=True)
class SeenCard:
    """A card that was looked at; ``uid`` is that of a sector card, whose content wants keys."""

    atr: bytes
    uid: bytes = b""
    purses: tuple[Purse, ...] = ()


def read_card(reader: Reader) -> SeenCard:
    """Power the card up, try the known applications in order and read those it has; CardRemoved."""
    atr = reader.connect()
    if atr.startswith(_STORAGE):
        answer = reader.transmit(_UID)
        return SeenCard(atr=atr, uid=answer[:-2] if answer[-2:] == _OK else b"")
    purses = [read_purse(reader, application) for application, _ in find_applications(reader)]
    return SeenCard(atr=atr, purses=tuple(purses))


def read_purse(reader: Reader, application: Application) -> Purse:
    """Read the selected application by the layout that cards of its kind follow."""
    purse = Purse(name=application.name, name_zh=application.name_zh, aid=application.aid.hex().upper())
    purse = _LAYOUTS.get(application.layout, _plain)(reader, purse)
    log = read_records(reader, 0x18, _LOG_RECORDS)
    return attrs.evolve(
        purse,
        balance_fen=_balance(reader, application.layout),
        log=tuple(_decoded(LogRecord, log.records)),
        log_status=log.status,
    )


def _balance(reader: Reader, layout: str) -> int | None:
    purse = 1 if layout == "suzhou" else 2
    answer = reader.transmit(bytes((0x80, 0x5C, 0x00, purse, 0x04)))
    if answer[-2:] != _OK:
        return None
    # Bit 31 is a flag on some cards.
    balance = int.from_bytes(answer[:4], "big") & _FLAG
    return balance * 10 - 1000 if layout == "macau" else balance


def _decoded(kind: type[Record], records: tuple[bytes, ...]) -> list[Record]:
    found = []
    for record in records:
        if not record.strip(b"\x00") or not record.strip(b"\xff"):
            continue
        try:
            decoded = decode(kind, record)
        except CodecError:
            continue
        if decoded.at is not None:
            found.append(decoded)
    return found


# ── layouts: where each kind of card keeps its number and its dates ──────────────────────────────


def _t_union(reader: Reader, purse: Purse) -> Purse:
    try:
        application = decode(PublicApplication, read_binary(reader, 0x15).data)
    except CodecError:
        return purse
    journeys = read_records(reader, 0x1E, _JOURNEYS).records
    purse = attrs.evolve(
        purse,
        number=application.asn,
        issuer=application.issuer,
        city=application.issuer[4:8],
        enabled=application.enabled.value == 1,
        start=application.start,
        expiry=application.expiry,
        journeys=tuple(_decoded(JourneyRecord, journeys)),
    )
    try:
        management = decode(Management, read_binary(reader, 0x17).data)
    except CodecError:
        return purse
    return attrs.evolve(
        purse, city=management.city, kind=management.card_kind, interoperable=bool(management.interop.value)
    )


def _city_union(reader: Reader, purse: Purse) -> Purse:
    data = read_binary(reader, 0x15).data
    city = data[2:4].hex()
    if data[8:9] == b"\x03":  # passbook and purse of PBOC, under the same application name
        return _plain(reader, purse)
    # Chongqing's way: days where others have a flag, and the number in the master file.
    by_days = city == "4000" or _day(data[8:12]) is not None
    serial = _issue_serial(reader, purse) if by_days else data[16:20]
    # Shanghai writes the number as it is printed; everybody else the other way round.
    number = serial if city == "2000" else serial[::-1]
    start, expiry = (data[8:12], data[12:16]) if by_days else (data[20:24], data[24:28])
    return attrs.evolve(
        purse,
        number=str(int.from_bytes(number, "big")) if serial else "",
        issuer=data[:2].hex().upper(),
        city=city,
        enabled=data[8:9] == b"\x01" if data and not by_days else None,
        start=_day(start),
        expiry=_day(expiry),
    )


def _issue_serial(reader: Reader, purse: Purse) -> bytes:
    whole_answer(reader.transmit, bytes.fromhex("00A40000023F00"))
    issue = read_binary(reader, 0x05).data
    name = bytes.fromhex(purse.aid)
    whole_answer(reader.transmit, b"\x00\xa4\x04\x00" + bytes((len(name),)) + name + b"\x00")
    return issue[12:16]


def _shenzhen(reader: Reader, purse: Purse) -> Purse:
    data = read_binary(reader, 0x15).data
    number = int.from_bytes(data[16:20], "little")
    digits = str(number)
    check = -sum(map(int, digits)) % 10
    return attrs.evolve(
        purse, number=f"{digits}{check}", start=_day(data[20:24]), expiry=_day(data[24:28]), city="5840"
    )


def _wuhan(reader: Reader, purse: Purse) -> Purse:
    dates = read_binary(reader, 0x05).data
    return attrs.evolve(
        purse,
        number=read_binary(reader, 0x0A).data[:5].hex().upper(),
        start=_day(dates[20:24]),
        expiry=_day(dates[16:20]),
    )


def _beijing(reader: Reader, purse: Purse) -> Purse:
    # The number lies in the master file; the purse below it is selected again afterwards.
    whole_answer(reader.transmit, bytes.fromhex("00A40000023F00"))
    data = read_binary(reader, 0x04).data
    whole_answer(reader.transmit, bytes.fromhex("00A40000021001"))
    return attrs.evolve(
        purse, number=data[:8].hex(), city="1000", start=_day(data[24:28]), expiry=_day(data[28:32])
    )


def _plain(reader: Reader, purse: Purse) -> Purse:
    data = read_binary(reader, 0x15).data
    return attrs.evolve(
        purse,
        number=data[10:20].hex().upper(),
        issuer=data[:8].hex().upper(),
        start=_day(data[20:24]),
        expiry=_day(data[24:28]),
    )


def _day(digits: bytes) -> dt.date | None:
    try:
        return dt.datetime.strptime(digits.hex(), "%Y%m%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return None


_LAYOUTS: dict[str, Callable[[Reader, Purse], Purse]] = {
    "beijing": _beijing,
    "city-union": _city_union,
    "shenzhen": _shenzhen,
    "t-union": _t_union,
    "wuhan": _wuhan,
}
