"""The pages of communities: a resident's own, and the property company's desk; ``acts`` does the work."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from citycard.ids import new_id, uuid_in
from citycard.kernel.settings import structure
from citycard_community import asking
from citycard_community.errors import NotTheirs
from citycard_community.naming import Names
from citycard_community.permissions import (
    BUY_PASSES,
    INVITE,
    KEEP_LEASES,
    PAY_FEES,
    READ_FEES,
    READ_OPENINGS,
)
from citycard_community.running import settings_of
from citycard_community.settings import Community

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from citycard_community.home import CommunityHome

__all__ = ["begin_lease", "buy", "call_off", "change", "change_lease", "desk", "invite", "let", "mine", "pay"]

_MOST_SHOWN = 20
_CARDS = re.compile(r"[\s,;]+")
_NUMBERS = frozenset({"unit", "space", "months", "car_park", "bill"})


@attrs.frozen(kw_only=True)
class _Place:
    community: Community
    fees: asking.CommunityBills
    parks: tuple[asking.CarParkState, ...]
    openings: tuple[Any, ...]
    flats: tuple[Any, ...]
    leases: tuple[Any, ...]


def _names(request: Request) -> Names:
    from citycard.web import city_of, language_of

    return Names(settings_of(city_of(request)), language_of(request).code == "zh")


def _kinds(request: Request) -> dict[str, str]:
    from citycard.web import language_of

    say = language_of(request)
    return {
        "owner": say("owner"),
        "tenant": say("tenant"),
        "visitor": say("visitor"),
        "staff": say("staff"),
    }


async def mine(request: Request) -> Response:
    """Show a resident's own page."""
    return await _shown(request, request.query_params.get("card", ""))


async def _shown(request: Request, card: str, notice: str = "") -> Response:
    from starlette.concurrency import run_in_threadpool

    from citycard.web import actor_of, city_of, render
    from citycard_community import acts

    actor, city = actor_of(request), city_of(request)
    asn = card or actor.subject
    home = await run_in_threadpool(acts.home, city, actor, asn) if asn else None
    names = _names(request)
    own = {door.community for door in home.doors} if home else set()
    return render(
        request,
        "community/mine.html",
        home=home,
        notice=notice,
        today=city.now_local().date(),
        new_id=new_id,
        names=names,
        kinds=_kinds(request),
        places=_places_of(home, names) if home else {},
        parks=[(one, park) for one in names.settings.communities if one.id in own for park in one.car_parks],
        openings=await run_in_threadpool(_own_openings, request, own) if asn == actor.subject else (),
        may_pay=actor.may(PAY_FEES, asn),
        may_buy=actor.may(BUY_PASSES, asn),
        may_invite=actor.may(INVITE, asn),
        may_let=actor.may(KEEP_LEASES, asn),
    )


def _places_of(home: CommunityHome, names: Names) -> dict[int, str]:
    rented = {one.unit: names.place(one) for one in home.leases}
    return rented | {one.unit: names.place(one) for one in home.units}


def _own_openings(request: Request, communities: set[str]) -> tuple[Any, ...]:
    from citycard.web import actor_of, city_of
    from citycard_community import acts

    found: list[Any] = []
    for name in sorted(communities):
        query = asking.OpeningsQuery(community=name)
        try:
            found += acts.openings(city_of(request), actor_of(request), query).openings
        except NotTheirs:  # a visitor's right shows no doors of others
            continue
    return tuple(sorted(found, key=lambda one: one.at, reverse=True)[:_MOST_SHOWN])


async def desk(request: Request) -> Response:
    """Show the property company's desk."""
    from starlette.concurrency import run_in_threadpool

    from citycard.web import actor_of, city_of, render

    actor, city = actor_of(request), city_of(request)
    return render(
        request,
        "community/desk.html",
        places=await run_in_threadpool(_places, request),
        today=city.now_local().date(),
        new_id=new_id,
        names=_names(request),
        kinds=_kinds(request),
        may_let=actor.may(KEEP_LEASES),
    )


def _places(request: Request) -> list[_Place]:
    from citycard.web import actor_of, city_of
    from citycard_community import acts

    actor, city = actor_of(request), city_of(request)
    return [
        _Place(
            community=one,
            **dict(zip(("flats", "leases"), acts.flats(city, actor, one.id), strict=True)),
            fees=acts.fees(city, actor, one.id),
            parks=acts.car_parks(city, one.id),
            openings=acts.openings(city, actor, asking.OpeningsQuery(community=one.id)).openings
            if actor.may(READ_OPENINGS, one.partner)
            else (),
        )
        for one in settings_of(city).communities
        if actor.may(READ_FEES, one.partner)
    ]


def _read(form: Mapping[str, str], kind: type[Any], **more: Any) -> Any:
    """Read a form into the body that programs send; QueryInvalid names the field that is wrong."""
    from citycard.web import whole_in

    wanted = {field.name for field in attrs.fields(kind)}
    values: dict[str, Any] = {name: text for name, text in form.items() if name in wanted} | more
    for name in _NUMBERS & values.keys():
        values[name] = whole_in(values, name)
    return structure(kind, values, where="form", texts=True)


def _pay(city: Any, actor: Any, form: Mapping[str, str], say: Any) -> str:
    from citycard.web import whole_in
    from citycard_community import acts

    paid = acts.pay_fee(city, actor, whole_in(form, "bill"), _read(form, asking.FeeToPay))
    return str(say("{amount} was paid.", amount=say.money(paid.amount_fen)))


def _buy(city: Any, actor: Any, form: Mapping[str, str], say: Any) -> str:
    from citycard_community import acts

    community, _, car_park = form.get("place", "").partition(" ")
    first = f"{form.get('month', '')}-01"
    body = _read(form, asking.PassToBuy, community=community, car_park=car_park, first=first)
    bought = acts.buy_pass(city, actor, body)
    return str(say("The pass runs until {day}. Let a kiosk write it onto your card.", day=bought.last_day))


def _invite(city: Any, actor: Any, form: Mapping[str, str], say: Any) -> str:
    from citycard_community import acts

    visit = acts.invite_visitor(city, actor, _read(form, asking.VisitToInvite))
    if not visit.code:
        return str(say("Your visitor's card gets its right at a kiosk."))
    return str(say("The code for {day} is {code}. It is good for one card.", day=visit.day, code=visit.code))


def _call_off(city: Any, actor: Any, form: Mapping[str, str], say: Any) -> str:
    from citycard_community import acts

    acts.call_off(city, actor, uuid_in(form, "visit"), form.get("card", ""))
    return str(say("The visit was called off."))


def _let(city: Any, actor: Any, form: Mapping[str, str], say: Any) -> str:
    from citycard_community import acts

    lease = acts.begin(city, actor, _lease_of(form))
    return str(say("The flat is let until {day}. Tenants get their rights at a kiosk.", day=lease.last_day))


def _change_lease(city: Any, actor: Any, form: Mapping[str, str], say: Any) -> str:
    """Extend a lease, or end it early: the day says which."""
    from citycard_community import acts

    lease, last_day = uuid_in(form, "lease"), _read(form, asking.LeaseToEnd).last_day
    later = last_day > acts.lease_of(city, actor, lease).last_day
    changed = (acts.extend if later else acts.end)(city, actor, lease, last_day)
    return str(say("The lease ends on {day}.", day=changed.last_day))


def _lease_of(form: Mapping[str, str]) -> asking.LeaseToBegin:
    tenants = [card for card in _CARDS.split(form.get("tenants", "")) if card]
    body: asking.LeaseToBegin = _read(form, asking.LeaseToBegin, tenants=tenants)
    return body


def _posted(act: Callable[[Any, Any, Mapping[str, str], Any], str]) -> Callable[[Request], Any]:
    """Do what a form on a resident's page asks for, and show the page with what came of it."""

    async def post(request: Request) -> Response:
        from starlette.concurrency import run_in_threadpool

        from citycard.web import actor_of, city_of, language_of, read_form

        form = await read_form(request)
        say = language_of(request)
        notice = await run_in_threadpool(act, city_of(request), actor_of(request), form, say)
        return await _shown(request, form.get("card", ""), notice)

    return post


pay = _posted(_pay)
buy = _posted(_buy)
invite = _posted(_invite)
call_off = _posted(_call_off)
let = _posted(_let)
change = _posted(_change_lease)


async def begin_lease(request: Request) -> Response:
    """Begin a lease from the desk."""
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import RedirectResponse

    from citycard.web import actor_of, city_of, read_form
    from citycard_community import acts

    body = _lease_of(await read_form(request))
    await run_in_threadpool(acts.begin, city_of(request), actor_of(request), body)
    return RedirectResponse("/community/desk", status_code=303)


async def change_lease(request: Request) -> Response:
    """Change a lease's last day from the desk."""
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import RedirectResponse

    from citycard.web import actor_of, city_of, language_of, read_form

    form, say = await read_form(request), language_of(request)
    await run_in_threadpool(_change_lease, city_of(request), actor_of(request), form, say)
    return RedirectResponse("/community/desk", status_code=303)
