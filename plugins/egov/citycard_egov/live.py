"""A day of city hall in a simulated city (docs/simulate.md): residents, applications, subsidies."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from citycard import Lived, derived_id
from citycard.store import reading
from citycard.wallet import Programme, fund_programme
from citycard_egov.applications import State, decide, find_application
from citycard_egov.files import FileReader, read_file
from citycard_egov.filing import file_application
from citycard_egov.office import identity_number
from citycard_egov.plans import PlanState, approve, find_plan, make_plan, pay_plan
from citycard_egov.register import link_card, tell

if TYPE_CHECKING:
    from citycard_egov.office import Office

__all__ = ["live_day"]

_ACTOR = "simulated"
_BUDGET_FEN, _SUBSIDY_YUAN = 5_000_000, "50.00"
_FILES_ONE_OF = 3
_FAMILY, _GIVEN = "王李张刘陈杨黄赵", ("桂英", "小明", "建国", "丽华", "海燕", "志强")


def live_day(office: Office, day: dt.date, accounts: Sequence[str]) -> Iterator[Lived]:
    """Tell residents, let one citizen in three apply and an office decide, and pay a month's subsidy.

    The first citizen's file is read by a clerk. The same day again changes nothing.
    """
    people = [_resident(office, day, place, asn) for place, asn in enumerate(accounts)]
    yield Lived(what="residents told", count=len(people))
    applying = list(zip(people, accounts, strict=True))[::_FILES_ONE_OF]
    fees = [_applied(office, day, who, asn) for who, asn in applying]
    yield Lived(what="applications", count=len(fees), amount_fen=sum(fees))
    clerk = FileReader(name=_ACTOR, department="", why="a letter came back")
    read_file(office, people[0], clerk, ["address"])
    yield Lived(what="files read", count=1)
    yield Lived(what="subsidies paid", count=_subsidised(office, day, accounts))


def _resident(office: Office, day: dt.date, place: int, asn: str) -> UUID:
    born = dt.date(1950 + 7 * place % 60, 1 + place % 12, 1 + place % 28)
    number = identity_number("110101", born, place)
    name = _FAMILY[place % len(_FAMILY)] + _GIVEN[place % len(_GIVEN)]
    told = {"name": name, "born": born.isoformat(), "address": f"{place + 1} Harbour Road"}
    first = office.settings.departments[0]
    tell(
        office,
        number,
        first.id,
        {field: value for field, value in told.items() if field in first.tells},
        day=day,
        actor=_ACTOR,
    )
    return link_card(office, number, asn, actor=_ACTOR)


def _applied(office: Office, day: dt.date, who: UUID, asn: str) -> int:
    """File an application for the first service and let its first department decide; give the fee."""
    service = office.settings.services[0]
    identity = derived_id("simulated application", service.id, asn, day)
    form = dict.fromkeys(service.form, "school")
    filed = file_application(office, identity, who, asn, service.id, form, actor=_ACTOR)
    with reading(office.engine) as conn:
        now = find_application(conn, identity)
    if now.state is State.OPEN and now.step == 0:
        act = derived_id("simulated decision", identity)
        decide(office, act, identity, now.department, approve=True, words="", actor=_ACTOR)
    return filed.fee_fen


def _subsidised(office: Office, day: dt.date, accounts: Sequence[str]) -> int:
    """Pay a month's subsidy to everybody, approved by two persons; give how many got it."""
    from citycard.city.accounts import make_programme

    made = Programme(
        id="living-allowance",
        title="Living allowance",
        title_zh="生活补贴",
        funder="Civil affairs office",
        partner_kinds=("supermarket", "canteen", "clinic"),
        starts_on=day.replace(month=1, day=1),
        ends_on=day.replace(month=12, day=31),
    )
    city = office.city
    make_programme(city, made)
    fund_programme(city.wallet, derived_id("simulated allowance", day.year), made.id, _BUDGET_FEN)
    plan_id = f"allowance-{day:%Y-%m}"
    lines = "".join(f"{asn},{_SUBSIDY_YUAN}\n" for asn in accounts)
    make_plan(
        office,
        plan_id,
        made.id,
        f"card,amount\n{lines}",
        file=f"{plan_id}.csv",
        title="Living allowance",
        department=office.settings.departments[0].id,
        actor=_ACTOR,
    )
    with reading(office.engine) as conn:
        draft = find_plan(conn, plan_id).state is PlanState.DRAFT
    for person in ("first clerk", "second clerk") if draft else ():
        approve(office, plan_id, actor=person)
    return pay_plan(office, plan_id, actor=_ACTOR).paid
