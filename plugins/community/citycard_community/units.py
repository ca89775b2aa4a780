"""Units: who owns which flat, how large it is, and the owner's own right to its doors.

An owner's right runs for a year and is moved on by the kiosk while the flat is the owner's.
"""

from __future__ import annotations

import calendar
import csv
import datetime as dt
import io
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
from sqlalchemy import Connection, insert, select, update

from citycard import registry
from citycard.errors import Phrase
from citycard.registry import CardStatus
from citycard.store import writing
from citycard_community.errors import UnitRefused, UnitsFileInvalid, UnitUnknown
from citycard_community.granting import grant, prolong, revoke
from citycard_community.sectors import RightKind
from citycard_community.settings import CommunitySettings
from citycard_community.tables import right, unit

if TYPE_CHECKING:
    from citycard.city import City

__all__ = [
    "COLUMNS",
    "Unit",
    "UnitGiven",
    "find_unit",
    "keep_units",
    "month_of",
    "next_month",
    "read_units",
    "renew_owner",
    "text_of",
    "units_of_community",
    "units_of_owner",
]

COLUMNS = ("community", "building", "room", "area_m2", "owner")
"""The columns of a file of units; ``area_m2`` has at most two decimals, ``owner`` is a card's number."""

_ROOM = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,19}")
_AREA = re.compile(r"[0-9]{1,5}(\.[0-9]{1,2})?")
_ASN = re.compile(r"[0-9]{20}")
_YEAR = dt.timedelta(days=365)
_SOON = dt.timedelta(days=60)
_MOST_LINES = 100_000
_LARGEST_BYTES = 16 * 1024 * 1024


@attrs.frozen(kw_only=True)
class UnitGiven:
    """A unit as somebody gives it: ``area`` in hundredths of a square metre, ``owner`` a card's number."""

    community: str
    building: int
    room: str
    area: int
    owner: str

    @property
    def name(self) -> str:
        """Name the unit as people do."""
        return f"{self.community} {self.building}-{self.room}"


@attrs.frozen(kw_only=True)
class Unit(UnitGiven):
    """A unit in the books; its bills begin with the month of ``billed_from``."""

    id: int
    billed_from: dt.date


def month_of(day: dt.date) -> dt.date:
    """Give the first day of a day's month."""
    return day.replace(day=1)


def next_month(month: dt.date) -> dt.date:
    """Give the first day of the month after."""
    return month + dt.timedelta(days=calendar.monthrange(month.year, month.month)[1])


def find_unit(conn: Connection, number: int) -> Unit:
    """Give a unit by its number; raise UnitUnknown."""
    row = conn.execute(select(unit).where(unit.c.id == number)).one_or_none()
    if row is None:
        raise UnitUnknown(unit=number)
    return _unit(row)


def units_of_community(conn: Connection, community: str, limit: int = 1000) -> list[Unit]:
    """Give the units of a community by building and room."""
    query = select(unit).where(unit.c.community == community).order_by(unit.c.building, unit.c.room)
    return [_unit(row) for row in conn.execute(query.limit(limit))]


def units_of_owner(conn: Connection, asn: str) -> list[Unit]:
    """Give the units of an owner, by number."""
    return [_unit(row) for row in conn.execute(select(unit).where(unit.c.owner == asn).order_by(unit.c.id))]


def keep_units(city: City, settings: CommunitySettings, units: Iterable[UnitGiven]) -> int:
    """Take units over, all or none, and return how many are new or changed; again without harm.

    A unit that changes hands gives the new owner a right and takes the old owner's away. Its size counts from
    the next bill on. Raise UnitRefused, CommunityUnknown or RegistryMissing.
    """
    with writing(city.engine) as conn:
        return sum(_kept(conn, city, settings, one) for one in units)


def read_units(text: str, *, file: str) -> list[UnitGiven]:
    """Read a CSV file of units; raise UnitsFileInvalid, which names the line, for the first that is wrong."""
    rows = csv.reader(io.StringIO(text), strict=True)
    found: list[UnitGiven] = []
    seen: dict[str, int] = {}
    try:
        head = next(rows, [])
        if tuple(head) != COLUMNS:
            raise UnitsFileInvalid(
                file=file, line=1, problem=Phrase("expected the columns {columns}", columns=",".join(COLUMNS))
            )
        for row in rows:
            if not row:
                continue
            one = _read(row, file, rows.line_num)
            if one.name in seen:
                problem = Phrase(
                    "unit {name} stands in line {line} already", name=one.name, line=seen[one.name]
                )
                raise UnitsFileInvalid(file=file, line=rows.line_num, problem=problem)
            if len(found) >= _MOST_LINES:
                problem = Phrase(
                    "a file holds at most {most_lines} units: hand in several", most_lines=_MOST_LINES
                )
                raise UnitsFileInvalid(file=file, line=rows.line_num, problem=problem)
            seen[one.name] = rows.line_num
            found.append(one)
    except csv.Error as wrong:
        raise UnitsFileInvalid(
            file=file, line=rows.line_num, problem=Phrase("it is no CSV: {problem}", problem=wrong)
        ) from None
    return found


def text_of(path: Path) -> str:
    """Read a file of units as text in UTF-8; raise UnitsFileInvalid for one that is too large or no text."""
    if path.stat().st_size > _LARGEST_BYTES:
        problem = Phrase("it has more than {most_bytes} bytes: hand in several", most_bytes=_LARGEST_BYTES)
        raise UnitsFileInvalid(file=path.name, line=1, problem=problem)
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        line = data.count(b"\n", 0, wrong.start) + 1
        raise UnitsFileInvalid(file=path.name, line=line, problem="it is not UTF-8") from None


def renew_owner(conn: Connection, settings: CommunitySettings, asn: str, today: dt.date) -> None:
    """Move the rights of an owner on that end soon, or give them again where they ended."""
    for one in units_of_owner(conn, asn):
        mine = (right.c.unit == one.id, right.c.asn == asn, right.c.kind == int(RightKind.OWNER))
        query = select(right.c.id, right.c.ends_on).where(*mine, right.c.revoked_at.is_(None))
        standing = [row for row in conn.execute(query) if row.ends_on >= today]
        if not standing:
            _give_owner(conn, settings, one, one.id, today)
        elif max(row.ends_on for row in standing) < today + _SOON:
            prolong(conn, [row.id for row in standing], today + _YEAR)


def _kept(conn: Connection, city: City, settings: CommunitySettings, given: UnitGiven) -> bool:
    _check(settings, given)
    card = registry.find_card(conn, given.owner)
    if card.status is not CardStatus.ISSUED:
        raise UnitRefused(
            unit=given.name,
            field="owner",
            value=given.owner,
            expected=Phrase("a card in use, not one that is {status}", status=card.status),
        )
    today = city.now_local().date()
    place = (
        unit.c.community == given.community,
        unit.c.building == given.building,
        unit.c.room == given.room,
    )
    row = conn.execute(select(unit).where(*place).with_for_update()).one_or_none()
    values = attrs.asdict(given)
    if row is None:
        made = conn.execute(insert(unit).values(values | {"billed_from": month_of(today)}))
        assert made.inserted_primary_key is not None
        _give_owner(conn, settings, given, int(made.inserted_primary_key[0]), today)
        return True
    if (row.area, row.owner) == (given.area, given.owner):
        return False
    conn.execute(update(unit).where(unit.c.id == row.id).values(area=given.area, owner=given.owner))
    if row.owner != given.owner:
        owned = (right.c.unit == row.id, right.c.kind == int(RightKind.OWNER), right.c.revoked_at.is_(None))
        before = conn.scalars(select(right.c.id).where(*owned)).all()
        revoke(conn, before, city.now_local(), "the unit changed hands")
        _give_owner(conn, settings, given, row.id, today)
    return True


def _give_owner(
    conn: Connection, settings: CommunitySettings, given: UnitGiven, number: int, today: dt.date
) -> None:
    community = settings.community(given.community)
    grant(
        conn,
        asn=given.owner,
        kind=RightKind.OWNER,
        community=community,
        zones=community.home_zones(given.building),
        starts_on=today,
        ends_on=today + _YEAR,
        unit=number,
    )


def _check(settings: CommunitySettings, given: UnitGiven) -> None:
    community = settings.community(given.community)
    buildings = sorted(zone.number for zone in community.zones if not zone.shared)
    checks = (
        ("building", given.building, given.building in buildings, f"one of the buildings {buildings}"),
        ("room", given.room, bool(_ROOM.fullmatch(given.room)), "1 to 20 letters, digits and hyphens"),
        ("area", given.area, 0 < given.area < 10**7, "hundredths of a square metre, above 0"),
        ("owner", given.owner, bool(_ASN.fullmatch(given.owner)), "a card's number of 20 digits"),
    )
    for field, value, is_good, expected in checks:
        if not is_good:
            raise UnitRefused(unit=given.name, field=field, value=value, expected=expected)


def _read(row: list[str], file: str, line: int) -> UnitGiven:
    def refuse(problem: str) -> UnitsFileInvalid:
        return UnitsFileInvalid(file=file, line=line, problem=problem)

    if len(row) != len(COLUMNS):
        raise refuse(Phrase("{count} fields, expected {columns}", count=len(row), columns=len(COLUMNS)))
    community, building, room, area, owner = row
    if not re.fullmatch(r"[0-9]{1,2}", building):
        raise refuse(Phrase("building is {building!r}, expected a number such as 3", building=building))
    if not _AREA.fullmatch(area):
        raise refuse(Phrase("area_m2 is {area!r}, expected square metres such as 89.50", area=area))
    if not _ASN.fullmatch(owner):
        raise refuse(Phrase("owner is {owner!r}, expected a card's number of 20 digits", owner=owner))
    whole, _, part = area.partition(".")
    hundredths = int(whole) * 100 + int(part.ljust(2, "0") or "0")
    return UnitGiven(community=community, building=int(building), room=room, area=hundredths, owner=owner)


def _unit(row: Any) -> Unit:
    return Unit(**row._mapping)  # noqa: SLF001 - a Row's own way
