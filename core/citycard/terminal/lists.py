"""Lists of the cards to refuse, as the city signs them and a terminal keeps them (docs/lists.md).

A file is a header, the numbers added and those removed, and the city's signature over both. A terminal keeps
the newest full list and the changes after it, each file whole as it came, so that a power cut leaves the
list before or the list after, and never half of one.
"""

from __future__ import annotations

import datetime as dt
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from enum import IntEnum
from pathlib import Path

import attrs

from citycard.card.codec import bcd, choice, decode, encode, examples, layout, moment, raw, reserved, unsigned
from citycard.errors import CodecError, ListDamaged, ListGap, ListOlder, ListUntrusted
from citycard.files import write_whole
from citycard.keys import verify_signature
from citycard.terminal.acceptance import Acceptance

__all__ = ["CardList", "CardNumbers", "ListHeader", "ListKind", "ListStore", "read_list", "write_list"]

_MAGIC = b"CCL1"
_HEADER = 40
_DOMAIN = b"citycard card list\0"
_TAIL = 10**16
_DIGITS = 20
_MORE, _LOW = 0x80, 0x7F
_LARGEST = 10**_DIGITS
_SUFFIX = ".ccl"


class ListKind(IntEnum):
    """Whether a file holds all cards of a list, or what changed since an earlier one."""

    FULL = 1
    CHANGES = 2


@layout(size=_HEADER)
class ListHeader:
    """The first 40 bytes of a list file; ``since`` is 0 for a full list."""

    magic: bytes = raw(4, default=_MAGIC, note="CCL1")
    kind: ListKind = choice(ListKind)
    city: str = bcd(2, note="GB/T 13497")
    since: int = unsigned(4, default=0, note="the list that changes start from")
    number: int = unsigned(4, note="the list that this is, or makes")
    made_at: dt.datetime = moment(blank=False, note="local time")
    added: int = unsigned(4, note="cards added")
    removed: int = unsigned(4, default=0, note="cards taken off")
    body: int = unsigned(4, note="bytes of the numbers")
    reserved: bytes = reserved(6)


examples(
    ListHeader,
    (
        "43434C31 01 5840 00000000 00000007 20241229141740 00000002 00000000 0000000B 000000000000",
        ListHeader(
            kind=ListKind.FULL,
            city="5840",
            number=7,
            made_at=dt.datetime.fromisoformat("2024-12-29T14:17:40"),
            added=2,
            body=11,
        ),
    ),
)


@attrs.frozen(kw_only=True)
class CardList:
    """A list file taken apart. ``added`` and ``removed`` are card numbers as integers, in order."""

    header: ListHeader
    added: tuple[int, ...] = attrs.field(repr=False)
    removed: tuple[int, ...] = attrs.field(repr=False)


class CardNumbers:
    """A set of card numbers of 20 digits: eight bytes for each, found by halving."""

    __slots__ = ("_tails",)

    def __init__(self, numbers: Iterable[int] = ()) -> None:
        self._tails: dict[int, array[int]] = {}
        for number in sorted(numbers):
            head, tail = divmod(number, _TAIL)
            self._tails.setdefault(head, array("Q")).append(tail)

    def __contains__(self, asn: object) -> bool:
        if not isinstance(asn, str) or len(asn) != _DIGITS:
            return False
        head, tail = divmod(int(asn), _TAIL)
        tails = self._tails.get(head)
        if tails is None:
            return False
        place = bisect_left(tails, tail)
        return place < len(tails) and tails[place] == tail

    def __len__(self) -> int:
        return sum(map(len, self._tails.values()))

    def __iter__(self) -> Iterator[int]:
        return (head * _TAIL + tail for head, tails in self._tails.items() for tail in tails)

    def changed(self, added: Iterable[int], removed: Iterable[int]) -> CardNumbers:
        """Return the set with these numbers added, then those taken off."""
        return CardNumbers((set(self) | set(added)) - set(removed))


def write_list(
    kind: ListKind,
    *,
    city: str,
    number: int,
    made_at: dt.datetime,
    added: Iterable[str],
    removed: Iterable[str] = (),
    since: int = 0,
    sign: Callable[[bytes], bytes],
) -> bytes:
    """Write a list file of numbers of 20 digits; ``sign`` gives the city's signature."""
    plus, minus = sorted(map(int, added)), sorted(map(int, removed))
    body = _packed(plus) + _packed(minus)
    header = ListHeader(
        kind=kind,
        city=city,
        since=since,
        number=number,
        made_at=made_at.replace(microsecond=0),
        added=len(plus),
        removed=len(minus),
        body=len(body),
    )
    covered = encode(header) + body
    return covered + sign(_DOMAIN + covered)


def read_list(data: bytes, public_key_pem: str) -> CardList:
    """Take a list file apart; ListDamaged when it is none, ListUntrusted when the city did not sign it so."""
    if len(data) < _HEADER or data[: len(_MAGIC)] != _MAGIC:
        raise ListDamaged(field="magic", expected="CCL1 and a header of 40 bytes")
    try:
        header = decode(ListHeader, data[:_HEADER])
    except CodecError as error:
        raise ListDamaged(field="header", expected=error.data["expected"]) from None
    end = _HEADER + header.body
    if len(data) <= end:
        raise ListDamaged(field="body", expected=f"{header.body} bytes and a signature")
    if not verify_signature(public_key_pem, _DOMAIN + data[:end], data[end:]):
        raise ListUntrusted(number=header.number, reason="it is not signed by this terminal's city")
    added, place = _unpacked(data, _HEADER, end, header.added)
    removed, place = _unpacked(data, place, end, header.removed)
    if place != end:
        raise ListDamaged(field="body", expected=f"{header.added} and {header.removed} numbers")
    return CardList(header=header, added=added, removed=removed)


class ListStore:
    """What a terminal of a city knows of the cards to refuse, in a folder of its own.

    ``number`` is the list that it holds, 0 before the first. Files that were changed on the disk are not
    believed: the terminal then holds what the others say.
    """

    def __init__(self, folder: Path, public_key_pem: str, city: str) -> None:
        self._folder = folder
        self._key = public_key_pem
        self._city = city
        self.number = 0
        self.cards = CardNumbers()
        self._load()

    def acceptance(self, rules: Acceptance) -> Acceptance:
        """Return a terminal's rules with the list that is held now, and its number for the records."""
        return attrs.evolve(rules, blacklist=self.cards, blacklist_number=self.number)

    def apply(self, data: bytes) -> int:
        """Take a list file and return the number that is held now; the one that is held, again, is harmless.

        Raises ListDamaged, ListUntrusted, ListOlder, and ListGap when the full list is needed.
        """
        found = read_list(data, self._key)
        header = found.header
        if header.city != self._city:
            raise ListUntrusted(number=header.number, reason=f"it is city {header.city}'s")
        if header.number == self.number:
            return self.number
        if header.number < self.number:
            raise ListOlder(number=header.number, held=self.number)
        if header.kind is ListKind.CHANGES and header.since != self.number:
            raise ListGap(since=header.since, number=header.number, held=self.number)
        write_whole(self._folder / f"{header.number:010d}{_SUFFIX}", data)
        self._take(found)
        if header.kind is ListKind.FULL:
            self._forget(header.number)
        return self.number

    def _take(self, found: CardList) -> None:
        before = CardNumbers() if found.header.kind is ListKind.FULL else self.cards
        self.cards = before.changed(found.added, found.removed)
        self.number = found.header.number

    def _load(self) -> None:
        lists = [found for path in self._files() if (found := self._believed(path)) is not None]
        full = [found for found in lists if found.header.kind is ListKind.FULL]
        if full:
            self._take(full[-1])
        for found in lists:
            if found.header.kind is ListKind.CHANGES and found.header.since == self.number:
                self._take(found)

    def _believed(self, path: Path) -> CardList | None:
        try:
            found = read_list(path.read_bytes(), self._key)
        except (ListDamaged, ListUntrusted):
            return None
        return found if found.header.city == self._city else None

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob(f"[0-9]*{_SUFFIX}")) if self._folder.is_dir() else []

    def _forget(self, number: int) -> None:
        for path in self._files():
            if int(path.stem) < number:
                path.unlink(missing_ok=True)


def _packed(numbers: Iterable[int]) -> bytes:
    """Write each number as its distance from the one before, seven bits in a byte, lowest first."""
    packed, before = bytearray(), 0
    for number in numbers:
        left = number - before
        before = number
        while left > _LOW:
            packed.append(left & _LOW | _MORE)
            left >>= 7
        packed.append(left)
    return bytes(packed)


def _unpacked(data: bytes, place: int, end: int, count: int) -> tuple[tuple[int, ...], int]:
    numbers, before = [], 0
    for _ in range(count):
        value = shift = 0
        while True:
            if place >= end or value >= _LARGEST:
                raise ListDamaged(field=f"byte {place}", expected=f"{count} numbers of 20 digits")
            byte = data[place]
            place += 1
            value |= (byte & _LOW) << shift
            shift += 7
            if byte <= _LOW:
                break
        before += value
        numbers.append(before)
    return tuple(numbers), place
