"""A day of health in a simulated city (docs/simulate.md): insured, booked, treated, and at sports."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from citycard import Lived, derived_id, yuan
from citycard.store import reading
from citycard.wallet import fund_programme
from citycard_health.booking import book, find_appointment, free_slots, import_schedule
from citycard_health.errors import NotFound
from citycard_health.patients import PatientPerson, import_insured, set_person
from citycard_health.sports import open_programme, pay_sport
from citycard_health.visits import VisitItem, charge_visit

if TYPE_CHECKING:
    from citycard.city import City
    from citycard_health.settings import HealthSettings

__all__ = ["live_day"]

_ACTOR = "simulated"
_TREATED_ONE_OF = 3
_FUNDS_FEN, _ALLOWANCE_FEN = 2_000_000, 50_000
_NAMES = ("王桂英", "李小明", "张建国", "刘丽华")


def live_day(city: City, settings: HealthSettings, day: dt.date, accounts: Sequence[str]) -> Iterator[Lived]:
    """Let everybody be insured and one in three be treated; the first one also books for tomorrow and swims.

    The same day again changes nothing.
    """
    yield Lived(what="insured", count=_insured(city, settings, day, accounts))
    for place, asn in enumerate(accounts):
        born = dt.date(1950 + 7 * place % 60, 1 + place % 12, 1 + place % 28)
        set_person(city, asn, PatientPerson(name=_NAMES[place % len(_NAMES)], born=born, sex="female"))
    yield Lived(what="appointments", count=_booked(city, settings, day, accounts[0]))
    visits = [
        charge_visit(
            city,
            settings,
            derived_id("simulated visit", day, asn),
            asn,
            settings.clinics[place % len(settings.clinics)].id,
            [VisitItem(code=item.code) for item in settings.items[: 1 + place % len(settings.items)]],
            actor=_ACTOR,
        )
        for place, asn in enumerate(accounts[::_TREATED_ONE_OF])
    ]
    yield Lived(what="visits", count=len(visits), amount_fen=sum(visit.online_fen for visit in visits))
    if settings.sports.venues:
        yield _swum(city, settings, day, accounts[0])


def _insured(city: City, settings: HealthSettings, day: dt.date, accounts: Sequence[str]) -> int:
    if not settings.plans:
        return 0
    until = day.replace(month=12, day=31)
    lines = "".join(f"{asn},{settings.plans[0].name},{until}\n" for asn in accounts)
    return import_insured(city, settings, f"card,plan,until\n{lines}".encode(), file="simulated.csv")


def _booked(city: City, settings: HealthSettings, day: dt.date, asn: str) -> int:
    """Take in tomorrow's hours of every clinic, and book the first that is free at the first one."""
    tomorrow = day + dt.timedelta(days=1)
    level = settings.levels[0].number
    lines = "".join(
        f"{clinic.id},General,Dr {name},{level},{tomorrow},08:00,12:00,15,2\n"
        for clinic, name in zip(settings.clinics, ("Li", "Chen", "Zhao", "Sun") * 9, strict=False)
    )
    head = "clinic,department,doctor,level,day,from,until,minutes,places\n"
    import_schedule(city, settings, f"{head}{lines}".encode(), file="simulated.csv")
    identity = derived_id("simulated appointment", day, asn)
    try:
        find_appointment(city, identity)
    except NotFound:
        with reading(city.engine) as conn:
            slot = free_slots(conn, city.now_local(), clinic=settings.clinics[0].id, day=tomorrow)[0]
        book(city, settings, identity, asn, slot.id)
    return 1


def _swum(city: City, settings: HealthSettings, day: dt.date, asn: str) -> Lived:
    """Grant a year of sports from the social-security account, and pay an entrance of it."""
    from citycard.city.accounts import grant_file

    programme = settings.sports.programme
    open_programme(city, settings, day.replace(month=1, day=1), day.replace(month=12, day=31))
    fund_programme(city.wallet, derived_id("simulated sports", day.year), programme, _FUNDS_FEN)
    grant = f"card,amount\n{asn},{yuan(_ALLOWANCE_FEN)}\n"
    grant_file(city, programme, f"{day.year}", grant, file="simulated.csv", actor=_ACTOR)
    venue = settings.sports.venues[0].id
    identity = derived_id("simulated swim", day, asn)
    paid = pay_sport(city, settings, identity, asn, venue, actor=_ACTOR)
    return Lived(what="sports", count=1, amount_fen=paid.amount_fen)
