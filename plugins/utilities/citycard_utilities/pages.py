"""Bills for people: the citizen's own, and where all of them stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import UUID

import attrs
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from citycard import new_id, parse_yuan
from citycard.errors import OnlineAccountUnknown, Phrase, QueryInvalid
from citycard.ids import uuid_in
from citycard.store import reading
from citycard.wallet import available_fen, find_account, online_account
from citycard_utilities.bills import HouseholdBills, bills_of
from citycard_utilities.households import Household, forget_household, households_of, keep_household
from citycard_utilities.lookups import Served, may_see
from citycard_utilities.mandates import MandateView, end_mandate, make_mandate, mandate_owner, mandates_of
from citycard_utilities.notices import citizen_lines_of
from citycard_utilities.overview import overview
from citycard_utilities.paying import pay_bill
from citycard_utilities.permissions import MANDATES, PAY

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from citycard.city import City

__all__ = ["Mine", "act", "mine", "standing"]

_SEE_OTHER = 303
_MINE = "/utilities/mine"


@attrs.frozen(kw_only=True)
class Mine:
    """What a citizen's page shows: the card, the money of its account, households with bills, mandates."""

    card: str
    account_fen: int | None
    households: tuple[tuple[Household, HouseholdBills], ...]
    mandates: tuple[MandateView, ...]
    searched: HouseholdBills | None


def mine(served: Served, request: Request) -> Response:
    """Show a citizen's bills, and what pays them."""
    from citycard.web import city_of, language_of, render

    card = _card(request, request.query_params)
    city, chinese = city_of(request), language_of(request).code == "zh"
    biller, household = (request.query_params.get(name, "") for name in ("biller", "household"))
    if biller and household:
        may_see(request, served.lookups, PAY, biller, household)
    found = _read(served, city, card, biller, household)
    kinds = {
        one.name: (one.title_zh if chinese and one.title_zh else one.title) for one in served.settings.kinds
    }
    return render(
        request,
        "utilities/mine.html",
        mine=found,
        names=_names(served, request),
        kinds=kinds,
        lines=citizen_lines_of(city.engine, served.settings, card) if card else [],
        chinese=chinese,
        new_id=new_id,
    )


async def act(served: Served, request: Request) -> Response:
    """Do what a citizen does with bills: pay, keep, forget, let collect, end."""
    from citycard.web import actor_of, city_of, read_form, require

    form = await read_form(request)
    card, city = _card(request, form), city_of(request)
    what = form.get("act", "")
    if what not in _ACTS:
        raise QueryInvalid(
            field="act", text=what[:40], expected=Phrase("one of {known}", known=", ".join(_ACTS))
        )
    if what in {"collect", "end"}:
        require(actor_of(request), MANDATES, card)
    if what == "keep":
        # The page then shows the bills of what is kept.
        biller, household = form.get("biller", ""), form.get("household", "")
        may_see(request, served.lookups, PAY, biller, household)
    await run_in_threadpool(_do, served, city, what, card, form, str(actor_of(request).role))
    back = {name: form[name] for name in ("biller", "household") if form.get(name) and what == "pay"}
    if not actor_of(request).subject:
        back["card"] = card
    return RedirectResponse(f"{_MINE}?{urlencode(back)}" if back else _MINE, status_code=_SEE_OTHER)


def standing(served: Served, request: Request) -> Response:
    """Show where bills, files and direct debits stand."""
    from citycard.web import city_of, render

    found = overview(city_of(request))
    return render(request, "utilities/overview.html", found=found, names=_names(served, request))


def _names(served: Served, request: Request) -> dict[str, str]:
    """Name the billers in the reader's language."""
    from citycard.web import language_of

    chinese = language_of(request).code == "zh"
    return {one.id: (one.name_zh if chinese and one.name_zh else one.name) for one in served.settings.billers}


def _read(served: Served, city: City, card: str, biller: str, household: str) -> Mine:
    searched = bills_of(city, served.settings, biller, household) if biller and household else None
    if not card:
        return Mine(card="", account_fen=None, households=(), mandates=(), searched=searched)
    with reading(city.engine) as conn:
        kept, mandates = households_of(conn, card), mandates_of(conn, card)
        try:
            number = find_account(conn, card).number
            account_fen = available_fen(conn, city.wallet, online_account(number))
        except OnlineAccountUnknown:
            account_fen = None
    known = {one.id for one in served.settings.billers}
    return Mine(
        card=card,
        account_fen=account_fen,
        households=tuple(
            (one, bills_of(city, served.settings, one.biller, one.number))
            for one in kept
            if one.biller in known
        ),
        mandates=tuple(mandates),
        searched=searched,
    )


def _do(served: Served, city: City, what: str, card: str, form: Mapping[str, str], actor: str) -> None:
    biller, household = form.get("biller", ""), form.get("household", "")
    if what == "pay":
        bill = form.get("bill", "")
        pay_bill(city, served.settings, _uuid(form, "id"), card, biller, bill, actor=actor)
    elif what == "keep":
        keep_household(city, served.settings, card, biller, household, form.get("label", ""))
    elif what == "forget":
        forget_household(city, card, biller, household)
    elif what == "collect":
        most = form.get("most", "").strip()
        most_fen = parse_yuan(most) if most else 0
        identity = _uuid(form, "id")
        make_mandate(city, served.settings, identity, card, biller, household, most_fen=most_fen, actor=actor)
    else:
        _end(city, _uuid(form, "mandate"), card, actor)


def _end(city: City, identity: UUID, card: str, actor: str) -> None:
    with reading(city.engine) as conn:
        owner = mandate_owner(conn, identity)
    if owner != card:
        raise QueryInvalid(field="mandate", text=str(identity), expected="a mandate of this card")
    end_mandate(city, identity, actor=actor)


_ACTS = ("pay", "keep", "forget", "collect", "end")


def _card(request: Request, given: Mapping[str, Any]) -> str:
    """Give the card that a page is about: one's own, or that which the city's people name."""
    from citycard.web import actor_of, require

    actor = actor_of(request)
    card = actor.subject or str(given.get("card", ""))
    require(actor, PAY, card or None)
    return card


def _uuid(form: Mapping[str, str], field: str) -> UUID:
    return uuid_in(form, field, "the id that the page gave")
