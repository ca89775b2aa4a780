"""The kinds of field that stored data is made of: what each takes, how it lies on the card, what it refuses.

A kind never shortens or rounds: a value that does not fit is refused, and bytes that would not come back the
same are refused too. So ``encode(decode(data)) == data`` holds for every ``data`` that decodes.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable
from typing import Any

import attrs

__all__ = [
    "Kind",
    "amount_kind",
    "bcd_kind",
    "choice_kind",
    "date_kind",
    "flag_kind",
    "hexed_kind",
    "moment_kind",
    "raw_kind",
    "signed_kind",
    "text_kind",
    "unsigned_kind",
]

_STRUCT_INT = {1: "B", 2: "H", 4: "I", 8: "Q"}
_NO_DATE = bytes(4)
_NO_MOMENT = bytes(7)
_DASHES = str.maketrans("", "", "-T:")
_HOURS = 24


@attrs.frozen(kw_only=True)
class Kind:
    """One kind of field: its width, its struct code, and the way between value and what struct packs.

    ``fits`` tells whether a value may be stored; ``pack`` and ``unpack`` are None where struct needs no help.
    ``unpack`` raises ValueError for bytes that mean nothing.
    """

    name: str
    size: int = attrs.field(validator=attrs.validators.ge(1))
    code: str
    expected: str
    fits: Callable[[Any], bool]
    pack: Callable[[Any], Any] | None = None
    unpack: Callable[[Any], Any] | None = None
    personal: bool = False


def _integer(name: str, size: int, low: int, high: int, expected: str) -> Kind:
    def fits(value: Any) -> bool:
        return isinstance(value, int) and type(value) is not bool and low <= value <= high

    if size in _STRUCT_INT:
        code = _STRUCT_INT[size]
        return Kind(
            name=name, size=size, code=code.lower() if low < 0 else code, expected=expected, fits=fits
        )
    is_signed = low < 0

    def pack(value: int) -> bytes:
        return value.to_bytes(size, "big", signed=is_signed)

    def unpack(data: bytes) -> int:
        return int.from_bytes(data, "big", signed=is_signed)

    return Kind(name=name, size=size, code=f"{size}s", expected=expected, fits=fits, pack=pack, unpack=unpack)


def unsigned_kind(size: int) -> Kind:
    """Describe an unsigned big-endian integer of ``size`` bytes."""
    high = (1 << 8 * size) - 1
    return _integer("unsigned", size, 0, high, f"a whole number from 0 to {high}")


def signed_kind(size: int) -> Kind:
    """Describe a two's complement big-endian integer of ``size`` bytes."""
    half = 1 << 8 * size - 1
    return _integer("signed", size, -half, half - 1, f"a whole number from {-half} to {half - 1}")


def amount_kind(size: int) -> Kind:
    """Describe an amount of money in fen, unsigned big-endian."""
    high = (1 << 8 * size) - 1
    return _integer("amount", size, 0, high, f"fen from 0 to {high}")


def bcd_kind(size: int) -> Kind:
    """Describe a number written as binary-coded decimal: a string of exactly ``2 * size`` digits."""
    digits = 2 * size

    def fits(value: Any) -> bool:
        return type(value) is str and len(value) == digits and value.isascii() and value.isdigit()

    def unpack(data: bytes) -> str:
        text = data.hex()
        if not text.isdigit():
            raise ValueError
        return text

    return Kind(
        name="bcd",
        size=size,
        code=f"{size}s",
        expected=f"{digits} decimal digits",
        fits=fits,
        pack=bytes.fromhex,
        unpack=unpack,
    )


def hexed_kind(size: int) -> Kind:
    """Describe bytes that people write in hexadecimal: a string of ``2 * size`` capital hex digits."""
    digits = 2 * size
    allowed = frozenset("0123456789ABCDEF")

    def fits(value: Any) -> bool:
        return type(value) is str and len(value) == digits and allowed.issuperset(value)

    def unpack(data: bytes) -> str:
        return data.hex().upper()

    return Kind(
        name="hex",
        size=size,
        code=f"{size}s",
        expected=f"{digits} hexadecimal digits in capitals",
        fits=fits,
        pack=bytes.fromhex,
        unpack=unpack,
    )


def raw_kind(size: int, name: str = "raw") -> Kind:
    """Describe bytes that are kept as they are."""

    def fits(value: Any) -> bool:
        return type(value) is bytes and len(value) == size

    return Kind(name=name, size=size, code=f"{size}s", expected=f"{size} bytes", fits=fits)


def flag_kind() -> Kind:
    """Describe a yes or no: one byte, 01 or 00."""

    def fits(value: Any) -> bool:
        return type(value) is bool

    def unpack(number: int) -> bool:
        if number > 1:
            raise ValueError
        return number == 1

    return Kind(name="flag", size=1, code="B", expected="True (01) or False (00)", fits=fits, unpack=unpack)


def choice_kind(members: type[enum.IntEnum], size: int) -> Kind:
    """Describe one of the members of an enum, stored as an unsigned integer."""
    by_number = {int(member): member for member in members}
    whole = unsigned_kind(size)

    def fits(value: Any) -> bool:
        return type(value) is members and whole.fits(int(value))

    def unpack(packed: Any) -> enum.IntEnum:
        number = packed if whole.unpack is None else whole.unpack(packed)
        if number not in by_number:
            raise ValueError
        return by_number[number]

    listed = ", ".join(f"{number:0{2 * size}X} {member.name}" for number, member in sorted(by_number.items()))
    return Kind(
        name="choice",
        size=size,
        code=whole.code,
        expected=f"one of {listed}",
        fits=fits,
        pack=whole.pack or int,
        unpack=unpack,
    )


def date_kind(*, blank: bool) -> Kind:
    """Describe a day, BCD ``YYYYMMDD``; when ``blank`` is allowed, None is four zero bytes."""

    def fits(value: Any) -> bool:
        return type(value) is dt.date or (blank and value is None)

    def pack(value: dt.date | None) -> bytes:
        return _NO_DATE if value is None else bytes.fromhex(value.isoformat().replace("-", ""))

    def unpack(data: bytes) -> dt.date | None:
        if data == _NO_DATE and blank:
            return None
        return dt.date.fromisoformat(data.hex())

    return Kind(
        name="date",
        size=4,
        code="4s",
        expected="a calendar day" + (" or nothing" if blank else ""),
        fits=fits,
        pack=pack,
        unpack=unpack,
    )


def moment_kind(*, blank: bool) -> Kind:
    """Describe a local time to the second, BCD ``YYYYMMDDHHMMSS``; None is seven zero bytes when allowed."""

    def fits(value: Any) -> bool:
        if type(value) is dt.datetime:
            return value.tzinfo is None and value.microsecond == 0
        return blank and value is None

    def pack(value: dt.datetime | None) -> bytes:
        return _NO_MOMENT if value is None else bytes.fromhex(value.isoformat().translate(_DASHES))

    def unpack(data: bytes) -> dt.datetime | None:
        if data == _NO_MOMENT and blank:
            return None
        text = data.hex()
        if text[8:10] >= str(_HOURS):
            raise ValueError
        return dt.datetime.fromisoformat(f"{text[:8]}T{text[8:]}")

    return Kind(
        name="moment",
        size=7,
        code="7s",
        expected="a local time without zone, in whole seconds" + (", or nothing" if blank else ""),
        fits=fits,
        pack=pack,
        unpack=unpack,
    )


def text_kind(size: int, encoding: str, *, personal: bool) -> Kind:
    """Describe text in ``encoding``, padded with zero bytes to ``size``."""

    def packed(value: str) -> bytes:
        data = value.encode(encoding)
        if len(data) > size or b"\0" in data:
            raise ValueError
        return data

    def fits(value: Any) -> bool:
        if type(value) is not str:
            return False
        try:
            packed(value)
        except ValueError:
            return False
        return True

    def pack(value: str) -> bytes:
        return packed(value).ljust(size, b"\0")

    def unpack(data: bytes) -> str:
        text = data.rstrip(b"\0").decode(encoding)
        if pack(text) != data:
            raise ValueError
        return text

    return Kind(
        name="text",
        size=size,
        code=f"{size}s",
        expected=f"text of at most {size} bytes in {encoding.upper()}",
        fits=fits,
        pack=pack,
        unpack=unpack,
        personal=personal,
    )
