"""``[plugins.campus]`` of city.toml: schools, canteens, prices, doors and how long things wait.

docs/campus.md explains each table with an example. Hours are ``HH:MM``, local time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import attrs
from attrs.validators import deep_iterable, ge, gt, in_, le, matches_re, min_len

from citycard_campus.errors import SchoolUnknown, SettingInvalid

__all__ = [
    "ROLE_NAMES",
    "Band",
    "CampusSettings",
    "Caterer",
    "Computer",
    "Door",
    "Library",
    "Payee",
    "School",
    "hour",
]

ROLE_NAMES = ("guest", "pupil", "teacher")

_ID = r"[a-z0-9]([a-z0-9-]{0,24}[a-z0-9])?"
_HOUR = matches_re(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_U2 = 0xFFFF


def _fen(default: Any = attrs.NOTHING) -> Any:
    return attrs.field(default=default, validator=[ge(0), le(1_000_000)])


def hour(text: str) -> dt.time:
    """Read ``HH:MM``."""
    return dt.time.fromisoformat(text)


@attrs.frozen(kw_only=True)
class Payee:
    """Somebody who is paid: a partner's id and name, and the account; without one it is owed its money."""

    id: str = attrs.field(validator=matches_re(_ID))
    name: str = attrs.field(validator=min_len(1))
    name_zh: str = ""
    account: str = attrs.field(default="", validator=matches_re(r"([A-Z0-9]{5,34})?"))
    bic: str = attrs.field(default="", validator=matches_re(r"([A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?)?"))


@attrs.frozen(kw_only=True)
class School(Payee):
    """A school: ``number`` stands on cards, ``programme`` is the subsidy programme that pays its meals.

    On ``free_days`` (``YYYY-MM-DD``) there are no lessons.
    """

    number: int = attrs.field(validator=[ge(1), le(_U2)])
    programme: str = ""
    free_days: tuple[str, ...] = attrs.field(
        default=(), validator=deep_iterable(matches_re(r"[0-9]{4}-[01][0-9]-[0-3][0-9]"))
    )

    @property
    def meals(self) -> str:
        """Return the id of the partner through which a programme's grants go onto cards."""
        return f"{self.id}-meals"

    @property
    def pot(self) -> str:
        """Return the address of the ledger account of what is on the cards' meal pots."""
        return f"campus/pots/{self.id}"


@attrs.frozen(kw_only=True)
class Caterer(Payee):
    """Who runs a canteen, in ``school``."""

    school: str


@attrs.frozen(kw_only=True)
class Band:
    """A meal of the day: when it is served (``until`` is excluded), and its price by role."""

    name: str = attrs.field(validator=min_len(1))
    since: str = attrs.field(validator=_HOUR)
    until: str = attrs.field(validator=_HOUR)
    pupil_fen: int = _fen()
    teacher_fen: int = _fen()
    guest_fen: int = _fen()

    def price_fen(self, role: str) -> int:
        """Return the price for a role."""
        return {"pupil": self.pupil_fen, "teacher": self.teacher_fen}.get(role, self.guest_fen)


@attrs.frozen(kw_only=True)
class Computer:
    """The computer room: so much for a minute after the free ones, and at most ``cap_fen`` a session."""

    minute_fen: int = _fen(5)
    teacher_minute_fen: int = _fen(0)
    free_minutes: int = attrs.field(default=0, validator=[ge(0), le(1440)])
    cap_fen: int = _fen(500)


@attrs.frozen(kw_only=True)
class Library:
    """Lending: how many items a role may have, for how many days, and what each late day costs."""

    pupil_items: int = attrs.field(default=3, validator=[ge(0), le(100)])
    teacher_items: int = attrs.field(default=10, validator=[ge(0), le(100)])
    days: int = attrs.field(default=30, validator=[gt(0), le(366)])
    late_day_fen: int = _fen(10)
    late_cap_fen: int = _fen(1000)


@attrs.frozen(kw_only=True)
class Door:
    """A door of a school: who may pass it, and when."""

    school: str
    number: int = attrs.field(validator=[ge(1), le(_U2)])
    name: str = attrs.field(validator=min_len(1))
    roles: tuple[str, ...] = attrs.field(
        default=("pupil", "teacher"), validator=deep_iterable(in_(ROLE_NAMES), min_len(1))
    )
    since: str = attrs.field(default="00:00", validator=_HOUR)
    until: str = attrs.field(default="23:59", validator=_HOUR)

    def opens(self, role: str, at: dt.datetime) -> bool:
        """Say whether it opens for a role at a moment; the minute of ``until`` is included."""
        minute = at.time().replace(second=0, microsecond=0)
        return role in self.roles and hour(self.since) <= minute <= hour(self.until)


_BANDS = (
    Band(name="breakfast", since="06:00", until="09:00", pupil_fen=400, teacher_fen=600, guest_fen=1000),
    Band(name="lunch", since="11:00", until="14:00", pupil_fen=1000, teacher_fen=1500, guest_fen=2500),
    Band(name="dinner", since="17:00", until="20:00", pupil_fen=900, teacher_fen=1400, guest_fen=2400),
)


@attrs.frozen(kw_only=True)
class CampusSettings:
    """Everything that a city says about its schools.

    A lesson is missed ``grace_minutes`` after it began. A pot of a card that is no longer its pupil's waits
    ``pot_wait_days`` for late records before the rest goes back.
    """

    schools: tuple[School, ...] = ()
    canteens: tuple[Caterer, ...] = ()
    bands: tuple[Band, ...] = _BANDS
    computer: Computer = Computer()
    library: Library = Library()
    doors: tuple[Door, ...] = ()
    grace_minutes: int = attrs.field(default=10, validator=[ge(0), le(240)])
    pot_wait_days: int = attrs.field(default=14, validator=[ge(0), le(366)])

    def __attrs_post_init__(self) -> None:
        ids = [one.id for one in self.schools]
        _once("schools: id", [*ids, *(f"{name}-meals" for name in ids), *(one.id for one in self.canteens)])
        _once("schools: number", [one.number for one in self.schools])
        _once("bands: name", [one.name for one in self.bands])
        _once("doors: school and number", [(one.school, one.number) for one in self.doors])
        for field, named in (("canteens", self.canteens), ("doors", self.doors)):
            for one in named:
                if one.school not in ids:
                    known = ", ".join(ids) or "none"
                    reason = f"school {one.school!r} is not declared; there are {known}"
                    raise SettingInvalid(field=field, reason=reason)
        self._check_bands()

    def _check_bands(self) -> None:
        in_order = sorted(self.bands, key=lambda band: band.since)
        for band, following in zip(in_order, (*in_order[1:], None), strict=True):
            if band.until <= band.since:
                raise SettingInvalid(field=f"bands: {band.name}", reason="it ends before it begins")
            if following is not None and following.since < band.until:
                raise SettingInvalid(field=f"bands: {following.name}", reason=f"begins in {band.name}")

    def school(self, key: str | int) -> School:
        """Give a school by id or number; raise SchoolUnknown."""
        for school in self.schools:
            if key in {school.id, school.number}:
                return school
        known = ", ".join(school.id for school in self.schools) or "none"
        raise SchoolUnknown(school=key if isinstance(key, int) else key[:32], known=known)

    def band_at(self, at: dt.datetime) -> Band | None:
        """Give the meal that is served at a moment, None between meals."""
        for band in self.bands:
            if hour(band.since) <= at.time() < hour(band.until):
                return band
        return None


def _once(field: str, names: Sequence[object]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise SettingInvalid(field=field, reason=f"{name!r} is declared twice")
