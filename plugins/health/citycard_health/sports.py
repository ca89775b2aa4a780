"""Sports paid from the social-security account: a programme of its own, a yearly cap, and a list of venues.

The programme's fund is filled by the social-security office, and granted to citizens by its file. A payment
is taken from that pot alone: what it does not cover, or what is above the year's cap, is refused.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, Row, func, insert, select, update

from citycard.errors import OnlineAccountUnknown, Phrase, WalletRefused
from citycard.ids import derived_id
from citycard.money import yuan
from citycard.store import reading, writing
from citycard.wallet import Programme, find_account, pots_of
from citycard_health.errors import AlreadyDone, NotFound, SportsRefused
from citycard_health.events import SportPaid, tell
from citycard_health.patients import check_card, hold_patient, patient_of
from citycard_health.settings import SPORTS
from citycard_health.tables import sport as sport_table
from citycard_health.tables import used as used_table
from citycard_health.used import held_used

if TYPE_CHECKING:
    from citycard.city import City
    from citycard_health.settings import HealthSettings

__all__ = [
    "Allowance",
    "SportPayment",
    "SportState",
    "allowance",
    "find_sport",
    "finish_sport",
    "open_programme",
    "pay_sport",
    "return_sport",
    "sports_of",
    "waiting_sports",
]


_LONGEST = 100


class SportState(StrEnum):
    """Where a payment for sports is; one that was refused took nothing."""

    CHARGING = "charging"
    PAID = "paid"
    REFUSED = "refused"
    RETURNED = "returned"


@attrs.frozen(kw_only=True)
class SportPayment:
    """A payment for sports at a venue."""

    id: UUID
    asn: str
    venue: str
    year: int
    at: dt.datetime
    state: SportState = attrs.field(converter=SportState)
    amount_fen: int
    payment: UUID | None


@attrs.frozen(kw_only=True)
class Allowance:
    """What may still be spent for sports: what the pot holds, and what the year's cap leaves."""

    pot_fen: int
    cap_left_fen: int

    @property
    def fen(self) -> int:
        """Give the smaller of both."""
        return min(self.pot_fen, self.cap_left_fen)


def open_programme(city: City, settings: HealthSettings, starts_on: dt.date, ends_on: dt.date) -> bool:
    """Make the programme that pays sports at the city's venues; say whether it is new."""
    from citycard.city.accounts import make_programme

    sports = settings.sports
    wanted = Programme(
        id=sports.programme,
        title="Sports from the social-security account",
        title_zh="社保健身消费",
        funder=sports.funder,
        partners=tuple(venue.id for venue in sports.venues),
        starts_on=starts_on,
        ends_on=ends_on,
    )
    return make_programme(city, wanted)


def allowance(city: City, settings: HealthSettings, asn: str) -> Allowance:
    """Say what the holder of a card may still spend for sports now."""
    with writing(city.engine) as conn:
        owner = hold_patient(conn, patient_of(conn, asn, city.clock.now()).id)
        return _allowance(conn, city, settings, owner.id, asn)


def _allowance(conn: Connection, city: City, settings: HealthSettings, patient: UUID, asn: str) -> Allowance:
    """Count what is on its way as spent; the patient is held."""
    year, today = city.now_local().year, city.now_local().date()
    held_used(conn, patient, year)
    mine = (used_table.c.patient == patient, used_table.c.year == year)
    spent = conn.scalar(select(used_table.c.sports_fen).where(*mine)) or 0
    try:
        account = find_account(conn, asn)
        pots = {pot.programme: pot for pot in pots_of(conn, city.wallet, account.number)}
    except OnlineAccountUnknown:
        pots = {}
    pot = pots.get(settings.sports.programme)
    inside = pot is not None and pot.starts_on <= today <= pot.ends_on
    held = select(func.coalesce(func.sum(sport_table.c.amount_fen), 0)).where(
        sport_table.c.patient == patient, sport_table.c.state == SportState.CHARGING.value
    )
    flying = int(conn.scalar(held) or 0)
    available = pot.available_fen if pot is not None and inside else 0
    return Allowance(
        pot_fen=max(0, available - flying), cap_left_fen=max(0, settings.sports.year_cap_fen - spent)
    )


def pay_sport(
    city: City, settings: HealthSettings, identity: UUID, asn: str, venue: str, *, actor: str = ""
) -> SportPayment:
    """Pay an entrance at a venue from the social-security account, once for each ``identity``.

    Raise SportsRefused, AlreadyDone, RegistryMissing; ServiceOff where the venue has health switched off.
    """
    from citycard.city.charging import price

    if settings.venue(venue) is None:
        known = ", ".join(one.id for one in settings.sports.venues) or "none"
        raise SportsRefused(
            reason=Phrase("{venue!r} is no venue; there are {known}", venue=venue[:40], known=known)
        )
    check_card(asn)
    amount_fen = price(city, asn, service=SPORTS, partner=venue).amount_fen
    with writing(city.engine) as conn:
        owner = hold_patient(conn, patient_of(conn, asn, city.clock.now()).id)
        known_row = conn.execute(select(sport_table).where(sport_table.c.id == identity)).one_or_none()
        if known_row is None:
            _begin(conn, city, settings, identity, owner.id, asn, venue, amount_fen)
        elif (known_row.asn, known_row.venue) != (asn, venue):
            raise AlreadyDone(what="payment for sports", id=identity, field="card or venue")
    return finish_sport(city, identity, actor=actor)


def _begin(
    conn: Connection,
    city: City,
    settings: HealthSettings,
    identity: UUID,
    owner: UUID,
    asn: str,
    venue: str,
    amount_fen: int,
) -> None:
    now = city.now_local()
    left = _allowance(conn, city, settings, owner, asn)
    if amount_fen > left.cap_left_fen:
        raise SportsRefused(
            reason=Phrase(
                "{cap_left_yuan} yuan of this year's cap are left, {amount_yuan} asked",
                cap_left_yuan=yuan(left.cap_left_fen),
                amount_yuan=yuan(amount_fen),
            )
        )
    if amount_fen > left.pot_fen:
        raise SportsRefused(
            reason=Phrase(
                "it holds {pot_yuan} yuan, {amount_yuan} are asked",
                pot_yuan=yuan(left.pot_fen),
                amount_yuan=yuan(amount_fen),
            )
        )
    row = {"id": identity, "patient": owner, "asn": asn, "venue": venue, "year": now.year, "at": now}
    conn.execute(
        insert(sport_table),
        row | {"state": SportState.CHARGING.value, "amount_fen": amount_fen, "returned_fen": 0},
    )
    _count(conn, owner, now.year, amount_fen)


def _count(conn: Connection, patient: UUID, year: int, amount_fen: int) -> None:
    mine = update(used_table).where(used_table.c.patient == patient, used_table.c.year == year)
    conn.execute(mine.values(sports_fen=used_table.c.sports_fen + amount_fen))


def finish_sport(city: City, identity: UUID, *, actor: str = "") -> SportPayment:
    """Go on with a payment that counts for the cap: take the money, or count it no more."""
    from citycard.city.charging import charge

    row, mine, why = _row(city, identity), derived_id("health sport", identity), ""
    if row.state == SportState.CHARGING.value:
        try:
            done = charge(
                city,
                mine,
                row.asn,
                service=SPORTS,
                partner=row.venue,
                note=f"sports {identity}",
                actor=actor or "health",
            )
        except (WalletRefused, OnlineAccountUnknown) as refused:
            why = str(refused)
            _end(city, identity, mine, free=False)
        else:
            _end(city, identity, mine, free=done.payment is None)
        row = _row(city, identity)
    if row.state == SportState.REFUSED.value:
        raise SportsRefused(reason=why or "it was refused under this id before")
    return _sport(row)


def _end(city: City, identity: UUID, payment: UUID, *, free: bool) -> None:
    """Note what came of a payment: paid where its money moved, by whichever request, or was ``free``.

    What is refused is given up: a request that is still on its way takes no money for it.
    """
    from citycard.city.charging import give_up_charge

    with writing(city.engine) as conn:
        query = select(sport_table).where(sport_table.c.id == identity).with_for_update()
        row = conn.execute(query).one()
        if row.state not in {SportState.CHARGING.value, SportState.REFUSED.value}:
            return
        moved = give_up_charge(city, conn, payment, actor="health") is not None
        state = SportState.PAID if moved or free else SportState.REFUSED
        if row.state == state.value:
            return
        values = {"state": state.value, "payment": payment if moved else None}
        conn.execute(update(sport_table).where(sport_table.c.id == identity).values(values))
        if state is SportState.REFUSED:
            _count(conn, row.patient, row.year, -row.amount_fen)
            return
        if row.state == SportState.REFUSED.value:
            # Another request was refused, and counted it no more, before this one took the money.
            _count(conn, row.patient, row.year, row.amount_fen)
        tell(conn, SportPaid(sport=str(identity), asn=row.asn, venue=row.venue, amount_fen=row.amount_fen))


def return_sport(city: City, identity: UUID, *, reason: str, actor: str = "") -> SportPayment:
    """Give back a payment for sports to the social-security account, and to the year's cap; once.

    Raise NotFound, or SportsRefused when nothing was paid.
    """
    from citycard.city.charging import give_back

    if not (0 < len(reason) <= _LONGEST and reason.isprintable()):
        raise SportsRefused(reason=Phrase("expected a reason of 1 to {longest} characters", longest=_LONGEST))
    row = _row(city, identity)
    if row.state == SportState.RETURNED.value:
        return _sport(row)
    if row.state != SportState.PAID.value:
        raise SportsRefused(reason=Phrase("it is {state}: there is nothing to give back", state=row.state))
    if row.payment is not None and row.amount_fen:
        mine = derived_id("health sport back", identity)
        give_back(city, mine, row.payment, row.amount_fen, note=reason, actor=actor)
    with writing(city.engine) as conn:
        query = select(sport_table).where(sport_table.c.id == identity).with_for_update()
        if conn.execute(query).one().state == SportState.PAID.value:
            values = {"state": SportState.RETURNED.value, "returned_fen": row.amount_fen}
            conn.execute(update(sport_table).where(sport_table.c.id == identity).values(values))
            _count(conn, row.patient, row.year, -row.amount_fen)
            told = SportPaid(sport=str(identity), asn=row.asn, venue=row.venue, amount_fen=-row.amount_fen)
            tell(conn, told)
    return _sport(_row(city, identity))


def sports_of(
    conn: Connection, *, patient: UUID | None = None, venue: str = "", limit: int = 50
) -> list[SportPayment]:
    """List payments for sports, newest first: of a patient, at a venue."""
    query = select(sport_table).order_by(sport_table.c.at.desc(), sport_table.c.id).limit(limit)
    if patient is not None:
        query = query.where(sport_table.c.patient == patient)
    if venue:
        query = query.where(sport_table.c.venue == venue)
    return [_sport(row) for row in conn.execute(query)]


def find_sport(city: City, identity: UUID) -> SportPayment:
    """Give a payment for sports; raise NotFound."""
    return _sport(_row(city, identity))


def waiting_sports(conn: Connection) -> list[UUID]:
    """List the payments that were broken off."""
    waiting = select(sport_table.c.id).where(sport_table.c.state == SportState.CHARGING.value)
    return list(conn.scalars(waiting))


def _row(city: City, identity: UUID) -> Row[Any]:
    with reading(city.engine) as conn:
        row = conn.execute(select(sport_table).where(sport_table.c.id == identity)).one_or_none()
    if row is None:
        raise NotFound(what="payment for sports", name=identity)
    return row


def _sport(row: Row[Any]) -> SportPayment:
    return SportPayment(**{field.name: getattr(row, field.name) for field in attrs.fields(SportPayment)})
