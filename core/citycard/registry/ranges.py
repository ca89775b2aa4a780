"""Number ranges: which card numbers a product may use, each given out once.

The last 16 digits of a number diversify the card's keys. Two ranges therefore never share them, even where
the first four digits differ.
"""

from __future__ import annotations

from datetime import date

import attrs
from sqlalchemy import Connection, func, insert, select, update

from citycard.errors import NumbersUsedUp, RangeOverlap, RegistryInvalid, RegistryMissing
from citycard.registry import tables
from citycard.registry.adding import require
from citycard.store.bulk import select_in
from citycard.store.engine import write_alone

__all__ = [
    "NumberRange",
    "add_number_range",
    "check_number_ranges",
    "find_number_range",
    "number_ranges",
    "take_numbers",
]

_HEAD, _TAIL = 4, 10**16


def _twenty_digits(instance: NumberRange, attribute: attrs.Attribute[str], value: str) -> None:
    if len(value) != 20 or not (value.isascii() and value.isdigit()):  # noqa: PLR2004 - an ASN
        raise RegistryInvalid(
            record="range",
            key=instance.name,
            field=attribute.name,
            value=value,
            expected="20 decimal digits",
        )


@attrs.frozen(kw_only=True)
class NumberRange:
    """Card numbers of a product: ``size`` of them from ``first`` (20 digits) on, ``taken`` of them used."""

    name: str = attrs.field(validator=attrs.validators.min_len(1))
    product: str
    first: str = attrs.field(validator=_twenty_digits)
    size: int
    taken: int = 0
    opened_on: date

    def __attrs_post_init__(self) -> None:
        if not 0 < self.size <= _TAIL - self.start:
            raise RegistryInvalid(
                record="range",
                key=self.name,
                field="size",
                value=self.size,
                expected=f"1 to {_TAIL - self.start}, so that the first four digits stay the same",
            )

    @property
    def start(self) -> int:
        """Return the last 16 digits of the first number."""
        return int(self.first[_HEAD:])

    @property
    def last(self) -> str:
        """Return the last number."""
        return self.number(self.size - 1)

    @property
    def left(self) -> int:
        """Return how many numbers nobody has."""
        return self.size - self.taken

    def number(self, place: int) -> str:
        """Return the number at a place, counted from 0."""
        return f"{self.first[:_HEAD]}{self.start + place:016d}"

    def shares(self, other: NumberRange) -> bool:
        """Say whether the two have a number in common, or two numbers with the same keys."""
        return self.start < other.start + other.size and other.start < self.start + self.size


def add_number_range(conn: Connection, record: NumberRange) -> bool:
    """Open a range and say whether it is new; again without harm.

    Raise RangeOverlap when another range or a registered card has one of its numbers, RegistryMissing for
    its product.
    """
    write_alone(conn, tables.number_range)
    require(conn, tables.product, [record.product])
    for other in number_ranges(conn):
        if other.name == record.name and (other.product, other.first, other.size) == (
            record.product,
            record.first,
            record.size,
        ):
            return False
        if other.name == record.name or other.shares(record):
            same = "has the name of" if other.name == record.name else "shares numbers with"
            _refuse(record, f"{same} range {other.name!r} from {other.first} to {other.last}")
    tail = func.substr(tables.card.c.asn, _HEAD + 1)
    inside = select(tables.card.c.asn).where(tail >= record.first[_HEAD:], tail <= record.last[_HEAD:])
    taken = conn.scalar(inside.limit(1))
    if taken is not None:
        _refuse(record, f"has the keys of card {taken}, which is registered")
    conn.execute(insert(tables.number_range), attrs.asdict(record))
    return True


def number_ranges(conn: Connection) -> list[NumberRange]:
    """Give all ranges in the order of their first numbers."""
    rows = conn.execute(select(tables.number_range).order_by(tables.number_range.c.first))
    return [NumberRange(**row._mapping) for row in rows]  # noqa: SLF001 - the documented way to read a row


def find_number_range(conn: Connection, name: str) -> NumberRange:
    """Give one range; raise RegistryMissing."""
    table = tables.number_range
    row = conn.execute(select(table).where(table.c.name == name).with_for_update()).one_or_none()
    if row is None:
        raise RegistryMissing(record="range", key=name)
    return NumberRange(**row._mapping)  # noqa: SLF001 - the documented way to read a row


def take_numbers(conn: Connection, name: str, count: int) -> list[str]:
    """Take the next numbers of a range, in order; nobody gets them again, whatever becomes of them.

    Numbers of cards that were registered in another way meanwhile are passed over. Raise NumbersUsedUp
    when fewer are left: then none is taken.
    """
    found = find_number_range(conn, name)
    taken, numbers = found.taken, list[str]()
    while len(numbers) < count:
        wanted = count - len(numbers)
        if found.size - taken < wanted:
            raise NumbersUsedUp(name=name, left=found.left, wanted=count)
        batch = [found.number(taken + place) for place in range(wanted)]
        known = {row.asn for row in select_in(conn, select(tables.card.c.asn), tables.card.c.asn, batch)}
        numbers += [asn for asn in batch if asn not in known]
        taken += wanted
    table = tables.number_range
    conn.execute(update(table).where(table.c.name == name).values(taken=taken))
    return numbers


def check_number_ranges(conn: Connection) -> list[str]:
    """Say in one sentence each what is wrong with the ranges; an empty list is all in order."""
    found, wrong = number_ranges(conn), []
    for place, one in enumerate(found):
        wrong += [
            f"ranges {one.name!r} and {other.name!r} share numbers"
            for other in found[place + 1 :]
            if one.shares(other)
        ]
    job, made = tables.personalisation_job, tables.personalisation
    counted = select(job.c.range, func.count().label("cards")).join(made, made.c.job == job.c.number)
    numbers = {row.range: row.cards for row in conn.execute(counted.group_by(job.c.range))}
    for one in found:
        if numbers.get(one.name, 0) > one.taken:
            wrong.append(f"range {one.name!r} counts {one.taken} numbers taken, jobs have more")
    return wrong


def _refuse(record: NumberRange, reason: str) -> None:
    raise RangeOverlap(name=record.name, first=record.first, last=record.last, reason=reason)
