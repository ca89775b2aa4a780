"""Bills for people: the citizen's own, and where all of them stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import UUID

import attrs
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from citycard import Route, new_id, parse_yuan
from citycard.errors import OnlineAccountUnknown, Phrase, QueryInvalid
from citycard.ids import uuid_in
from citycard.store import reading
from citycard.wallet import available_fen, find_account, online_account
from citycard_utilities.bills import HouseholdBills, bills_of
from citycard_utilities.households import Household, forget_household, households_of, keep_household
from citycard_utilities.lookups import Lookups, may_see
from citycard_utilities.mandates import MandateView, end_mandate, make_mandate, mandate_owner, mandates_of
from citycard_utilities.notices import citizen_lines_of
from citycard_utilities.overview import overview
from citycard_utilities.paying import pay_bill
from citycard_utilities.permissions import MANDATES, OVERVIEW, PAY
from citycard_utilities.settings import UtilitySettings

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from citycard.city import City

__all__ = ["Mine", "pages"]

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


def pages(settings: UtilitySettings, lookups: Lookups) -> Iterator[Route]:
    """Declare the pages of a city with these settings."""
    shown = _Pages(settings, lookups)
    yield Route(
        path="/mine",
        endpoint=shown.mine,
        permission=PAY,
        summary="A citizen's bills, and what pays them.",
    )
    yield Route(
        path="/mine",
        endpoint=shown.act,
        permission=PAY,
        methods=("POST",),
        summary="What a citizen does with bills: pay, keep, forget, let collect, end.",
    )
    yield Route(
        path="/overview",
        endpoint=shown.overview,
        permission=OVERVIEW,
        summary="Where bills, files and direct debits stand.",
    )


class _Pages:
    """The pages, with the settings they were declared with."""

    def __init__(self, settings: UtilitySettings, lookups: Lookups) -> None:
        self._settings = settings
        self._lookups = lookups

    def mine(self, request: Request) -> Response:
        from citycard.web import city_of, language_of, render

        card = _card(request, request.query_params)
        city, chinese = city_of(request), language_of(request).code == "zh"
        biller, household = (request.query_params.get(name, "") for name in ("biller", "household"))
        if biller and household:
            may_see(request, self._lookups, PAY, biller, household)
        found = self._read(city, card, biller, household)
        kinds = {
            one.name: (one.title_zh if chinese and one.title_zh else one.title)
            for one in self._settings.kinds
        }
        return render(
            request,
            "utilities/mine.html",
            mine=found,
            names=self._names(request),
            kinds=kinds,
            lines=citizen_lines_of(city.engine, self._settings, card) if card else [],
            chinese=chinese,
            new_id=new_id,
        )

    async def act(self, request: Request) -> Response:
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
            may_see(request, self._lookups, PAY, biller, household)
        await run_in_threadpool(self._do, city, what, card, form, str(actor_of(request).role))
        back = {name: form[name] for name in ("biller", "household") if form.get(name) and what == "pay"}
        if not actor_of(request).subject:
            back["card"] = card
        return RedirectResponse(f"{_MINE}?{urlencode(back)}" if back else _MINE, status_code=_SEE_OTHER)

    def overview(self, request: Request) -> Response:
        from citycard.web import city_of, render

        found = overview(city_of(request))
        return render(request, "utilities/overview.html", found=found, names=self._names(request))

    def _names(self, request: Request) -> dict[str, str]:
        """Name the billers in the reader's language."""
        from citycard.web import language_of

        chinese = language_of(request).code == "zh"
        return {
            one.id: (one.name_zh if chinese and one.name_zh else one.name) for one in self._settings.billers
        }

    def _read(self, city: City, card: str, biller: str, household: str) -> Mine:
        searched = bills_of(city, self._settings, biller, household) if biller and household else None
        if not card:
            return Mine(card="", account_fen=None, households=(), mandates=(), searched=searched)
        with reading(city.engine) as conn:
            kept, mandates = households_of(conn, card), mandates_of(conn, card)
            try:
                number = find_account(conn, card).number
                account_fen = available_fen(conn, city.wallet, online_account(number))
            except OnlineAccountUnknown:
                account_fen = None
        known = {one.id for one in self._settings.billers}
        return Mine(
            card=card,
            account_fen=account_fen,
            households=tuple(
                (one, bills_of(city, self._settings, one.biller, one.number))
                for one in kept
                if one.biller in known
            ),
            mandates=tuple(mandates),
            searched=searched,
        )

    def _do(self, city: City, what: str, card: str, form: Mapping[str, str], actor: str) -> None:
        biller, household = form.get("biller", ""), form.get("household", "")
        if what == "pay":
            bill = form.get("bill", "")
            pay_bill(city, self._settings, _uuid(form, "id"), card, biller, bill, actor=actor)
        elif what == "keep":
            keep_household(city, self._settings, card, biller, household, form.get("label", ""))
        elif what == "forget":
            forget_household(city, card, biller, household)
        elif what == "collect":
            most = form.get("most", "").strip()
            most_fen = parse_yuan(most) if most else 0
            identity = _uuid(form, "id")
            make_mandate(
                city, self._settings, identity, card, biller, household, most_fen=most_fen, actor=actor
            )
        else:
            self._end(city, _uuid(form, "mandate"), card, actor)

    def _end(self, city: City, identity: UUID, card: str, actor: str) -> None:
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
