"""The open-data format of Shenzhen: one tap a row, card numbers masked with letters A to J.

The columns are described in docs/replay.md. A row that cannot be used is reported with its line and
reason and the others are read; only a file that is no such table at all is an error.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from functools import lru_cache
from operator import itemgetter
from pathlib import Path

from citycard_transit.errors import FileNotTaps
from citycard_transit.taps import BadRow, Tap, TapKind, Taps

__all__ = ["COLUMNS", "asn_of", "read_taps", "terminal_of"]

COLUMNS = (
    "card_no",
    "deal_date",
    "deal_type",
    "deal_value",
    "deal_money",
    "equ_no",
    "company_name",
    "station",
    "car_no",
    "conn_mark",
    "close_date",
)
KINDS = {"地铁入站": TapKind.ENTRY, "地铁出站": TapKind.EXIT, "巴士": TapKind.BUS}

_CARD = re.compile(r"[A-J]{1,10}")
_DIGITS = re.compile(r"[0-9]{1,7}")
_TERMINAL = re.compile(r"[0-9]{1,12}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_MASK = str.maketrans("ABCDEFGHIJ", "0123456789")
_TEXT_LIMIT = 60


def read_taps(path: Path) -> Taps:
    """Read a file of taps; raise FileNotTaps when it is unreadable, not UTF-8, or has another header."""
    try:
        content = path.read_bytes()
    except OSError as unreadable:
        raise FileNotTaps(path=path, reason=unreadable.strerror or str(unreadable)) from unreadable
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        reason = f"byte {wrong.start} is not UTF-8; convert the file to UTF-8 first"
        raise FileNotTaps(path=path, reason=reason) from wrong
    # Only these end a line: str.splitlines would also cut at characters that may stand inside a name.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    pick, width = _header(path, lines[0])
    taps: list[Tap] = []
    rejected: list[BadRow] = []
    duplicates: list[BadRow] = []
    first_seen: dict[tuple[str, ...], int] = {}
    owners: dict[str, Tap] = {}
    for line, cells in _rows(lines):
        try:
            tap = _tap(line, cells, pick, width)
        except ValueError as wrong:
            rejected.append(BadRow(line=line, reason=str(wrong)))
            continue
        earlier = first_seen.setdefault(tuple(cells), line)
        owner = owners.setdefault(tap.terminal, tap)
        if earlier != line:
            duplicates.append(BadRow(line=line, reason=f"duplicate: the same row as line {earlier}"))
        elif owner.operator != tap.operator:
            # A terminal's money goes to its operator; with two of them it would go to the wrong one.
            reason = f"equ_no belongs to {owner.operator} since line {owner.line}, not to {tap.operator}"
            rejected.append(BadRow(line=line, reason=reason))
        else:
            taps.append(tap)
    return Taps(
        source=path.name,
        digest=hashlib.sha256(content).hexdigest(),
        rows=len(taps) + len(rejected) + len(duplicates),
        taps=tuple(taps),
        rejected=tuple(rejected),
        duplicates=tuple(duplicates),
    )


def asn_of(card: str, city_code: str) -> str:
    """Give a masked card number its 20-digit serial number; two card numbers never share one.

    The letters stand for digits; their count is kept, since a masked number may begin with a zero.
    """
    return f"0310{city_code}{len(card):02d}{card.translate(_MASK).zfill(10)}"


def terminal_of(equipment: str) -> str:
    """Give a validator's equipment number the 12 digits of a terminal number."""
    return equipment.zfill(12)


def _header(path: Path, line: str) -> tuple[Callable[[Sequence[str]], tuple[str, ...]], int]:
    names = [name.strip() for name in _cells(line)] if line else []
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        reason = f"its first line lacks the columns {', '.join(missing)}"
        raise FileNotTaps(path=path, reason=reason if line else "it is empty")
    if len(set(names)) != len(names):
        raise FileNotTaps(path=path, reason="its first line names a column twice")
    return itemgetter(*(names.index(name) for name in COLUMNS)), len(names)


def _rows(lines: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    for line, text in enumerate(lines[1:], start=2):
        if text.strip():
            yield line, _cells(text)


def _cells(text: str) -> list[str]:
    # A row never spans lines here, so an unclosed quotation mark costs one row and not the rest of the file.
    if '"' not in text:
        return text.split(",")
    try:
        return next(csv.reader([text], strict=True))
    except csv.Error:
        return [text]


def _tap(line: int, cells: list[str], pick: Callable[[Sequence[str]], tuple[str, ...]], width: int) -> Tap:
    if len(cells) != width:
        raise ValueError(f"{len(cells)} columns where the header has {width}")
    card, at, kind_name, value, money, equipment, operator, place, vehicle, mark, closed = pick(cells)
    kind = KINDS.get(kind_name)
    if kind is None:
        raise ValueError(f"deal_type {kind_name!r} is not one of {', '.join(KINDS)}")
    _match("card_no", card, _CARD, "1 to 10 letters A to J")
    _match("equ_no", equipment, _TERMINAL, "1 to 12 digits")
    list_price_fen, paid_fen = _amount("deal_value", value), _amount("deal_money", money)
    if kind is TapKind.ENTRY and (list_price_fen or paid_fen):
        raise ValueError(f"an entry has no price, but deal_value is {value} and deal_money {money}")
    if mark not in {"0", "1"}:
        raise ValueError(f"conn_mark {mark!r} is neither 0 nor 1")
    if not operator.strip():
        raise ValueError("company_name is empty")
    for name, text in (("company_name", operator), ("station", place), ("car_no", vehicle)):
        if len(text) > _TEXT_LIMIT or not text.isprintable():
            raise ValueError(f"{name} is not a name of at most {_TEXT_LIMIT} characters")
    return Tap(
        line=line,
        card=card,
        at=_moment("deal_date", at),
        kind=kind,
        terminal=terminal_of(equipment),
        operator=operator.strip(),
        place=place.strip(),
        vehicle=vehicle.strip(),
        list_price_fen=list_price_fen,
        paid_fen=paid_fen,
        transfer=mark == "1",
        business_date=_day("close_date", closed),
    )


def _match(column: str, text: str, pattern: re.Pattern[str], expected: str) -> None:
    if not pattern.fullmatch(text):
        raise ValueError(f"{column} {text[:40]!r} is not {expected}")


def _amount(column: str, text: str) -> int:
    _match(column, text, _DIGITS, "a whole number of fen")
    return int(text)


def _moment(column: str, text: str) -> datetime:
    _match(column, text, _MOMENT, "a date and time such as 2018-09-01 08:30:00")
    try:
        return datetime.fromisoformat(text)
    except ValueError as wrong:
        raise ValueError(f"{column} {text!r} is not a date and time of the calendar") from wrong


@lru_cache(maxsize=64)
def _day(column: str, text: str) -> date:
    return _moment(column, text).date()
