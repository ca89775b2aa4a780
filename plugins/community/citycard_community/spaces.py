"""The spaces of car parks in the city's books: who stands where, what is kept for passes, what is left."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import attrs
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from citycard.errors import Phrase
from citycard.store import reading, writing
from citycard_community.errors import CarParkFull, SpaceTaken, StayUnknown
from citycard_community.settings import CarPark, Community
from citycard_community.tables import parking_pass, stay
from citycard_community.units import month_of

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["Occupancy", "ParkedCar", "Spaces", "stays_of_card"]

_SEALER = "community"


@attrs.frozen(kw_only=True)
class ParkedCar:
    """A stay in the books; ``left_at`` and ``amount_fen`` are None while the car is inside."""

    id: int
    community: str
    car_park: int
    space: int
    asn: str
    entered_at: dt.datetime
    left_at: dt.datetime | None
    amount_fen: int | None


@attrs.frozen(kw_only=True)
class Occupancy:
    """How full a car park is: ``free`` is what visitors find, without spaces that are kept for passes."""

    spaces: int
    taken: int
    kept: int
    free: int


class Spaces:
    """The spaces of one car park."""

    def __init__(self, city: City, community: Community, park: CarPark) -> None:
        self._city, self._community, self._park = city, community, park
        self._here = (stay.c.community == community.id, stay.c.car_park == park.number)

    def occupancy(self, day: dt.date) -> Occupancy:
        """Count the spaces on a day."""
        with reading(self._city.engine) as conn:
            taken, kept = self._taken(conn), self._kept(conn, day)
        spaces = self._park.spaces
        return Occupancy(spaces=spaces, taken=len(taken), kept=len(kept), free=spaces - len(taken | kept))

    def take(self, asn: str, at: dt.datetime, *, space: int | None = None, plate: str = "") -> ParkedCar:
        """Let a car in: onto the space of its pass, or onto the first that is free for visitors.

        A card that the books have inside already, because its entry broke off, keeps its space, unless it has
        a pass for another. Raise CarParkFull or SpaceTaken.
        """
        while True:
            with reading(self._city.engine) as conn:
                mine = self._inside(conn, stay.c.asn == asn)
                if mine is not None and space in {None, mine.space}:
                    return mine
                wanted = self._first_free(conn, at.date()) if space is None else space
            if mine is not None:
                self.give_up(mine.id)
            try:
                return self._put(asn, at, wanted, plate)
            except IntegrityError:
                # Somebody else was quicker: a visitor is given the next space, a pass has only its own.
                if space is not None:
                    raise SpaceTaken(space=space, car_park=self._park.name) from None

    def leave(self, number: int, at: dt.datetime, amount_fen: int) -> None:
        """Let a car out; again without harm."""
        gone = update(stay).where(stay.c.id == number, stay.c.left_at.is_(None))
        with writing(self._city.engine) as conn:
            conn.execute(gone.values(left_at=at, amount_fen=amount_fen))

    def give_up(self, number: int) -> None:
        """Forget a car that was let in and did not come: its card was refused."""
        with writing(self._city.engine) as conn:
            conn.execute(stay.delete().where(stay.c.id == number, stay.c.left_at.is_(None)))

    def of_card(self, asn: str) -> ParkedCar | None:
        """Give the car of a card that is inside."""
        with reading(self._city.engine) as conn:
            return self._inside(conn, stay.c.asn == asn)

    def is_over(self, asn: str, entered_at: dt.datetime | None) -> bool:
        """Say whether a stay that a card tells of has ended: its car left as a lost ticket."""
        mine = (stay.c.asn == asn, stay.c.entered_at == entered_at, stay.c.left_at.is_not(None))
        with reading(self._city.engine) as conn:
            return conn.execute(select(stay.c.id).where(*self._here, *mine)).first() is not None

    def lost(self, *, plate: str = "", space: int | None = None) -> ParkedCar:
        """Find a car inside by its plate or its space; raise StayUnknown."""
        with reading(self._city.engine) as conn:
            if space is not None:
                found = self._inside(conn, stay.c.space == space)
            else:
                found = self._with_plate(conn, plate) if plate else None
        if found is None:
            what = (
                Phrase("on space {space}", space=space)
                if space is not None
                else Phrase("with plate {plate}", plate=plate)
                if plate
                else "of this card"
            )
            raise StayUnknown(car_park=self._park.name, what=what)
        return found

    def _with_plate(self, conn: Connection, plate: str) -> ParkedCar | None:
        sealer = self._city.vault.sealer(_SEALER)
        query = select(stay).where(*self._here, stay.c.left_at.is_(None), stay.c.plate.is_not(None))
        for row in conn.execute(query):
            if sealer.open(row.plate).decode() == plate:
                return _car(row)
        return None

    def _inside(self, conn: Connection, condition: Any) -> ParkedCar | None:
        query = select(stay).where(*self._here, condition, stay.c.left_at.is_(None)).order_by(stay.c.id)
        row = conn.execute(query).first()
        return None if row is None else _car(row)

    def _taken(self, conn: Connection) -> set[int]:
        return set(conn.scalars(select(stay.c.space).where(*self._here, stay.c.left_at.is_(None))))

    def _kept(self, conn: Connection, day: dt.date) -> set[int]:
        place = (parking_pass.c.community == self._community.id, parking_pass.c.car_park == self._park.number)
        query = select(parking_pass.c.space).where(*place, parking_pass.c.month == month_of(day))
        return set(conn.scalars(query))

    def _first_free(self, conn: Connection, day: dt.date) -> int:
        used = self._taken(conn) | self._kept(conn, day)
        for space in range(1, self._park.spaces + 1):
            if space not in used:
                return space
        raise CarParkFull(car_park=self._park.name, taken=len(used), spaces=self._park.spaces)

    def _put(self, asn: str, at: dt.datetime, space: int, plate: str) -> ParkedCar:
        sealed = self._city.vault.sealer(_SEALER).seal(plate.encode()) if plate else None
        row = {
            "community": self._community.id,
            "car_park": self._park.number,
            "space": space,
            "asn": asn,
            "entered_at": at,
            "plate": sealed,
        }
        with writing(self._city.engine) as conn:
            conn.execute(insert(stay).values(row))
            found = self._inside(conn, stay.c.space == space)
        assert found is not None
        return found


def stays_of_card(conn: Connection, asn: str, limit: int = 10) -> list[ParkedCar]:
    """Give the stays of a card, the newest first."""
    query = select(stay).where(stay.c.asn == asn).order_by(stay.c.id.desc()).limit(limit)
    return [_car(row) for row in conn.execute(query)]


def _car(row: Any) -> ParkedCar:
    return ParkedCar(**{field.name: getattr(row, field.name) for field in attrs.fields(ParkedCar)})
