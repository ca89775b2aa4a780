"""The endpoints of bills: for citizens, for billers, for the city's desks. docs/utilities.md lists them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.concurrency import run_in_threadpool

from citycard import Route
from citycard.errors import QueryInvalid
from citycard.ids import uuid_in
from citycard.store import reading
from citycard_utilities.bills import HouseholdBills, bill_of, bills_of
from citycard_utilities.bodies import (
    Assigned,
    BillerFiles,
    BillQuery,
    BillSlip,
    BillToAssign,
    BillToPay,
    CardMandates,
    MandateQuery,
    MandateToMake,
    ReversalToMake,
    SlipQuery,
)
from citycard_utilities.handout import dayfile_of
from citycard_utilities.importing import FileReport, files_of, take_file
from citycard_utilities.jobs import after_run
from citycard_utilities.kiosk import slip_of
from citycard_utilities.lookups import Lookups, may_see
from citycard_utilities.mandates import MandateView, end_mandate, make_mandate, mandate_owner, mandates_of
from citycard_utilities.overview import Overview, overview
from citycard_utilities.paying import ReceiptView, pay_bill, receipt_of, receipt_owner
from citycard_utilities.permissions import (
    FIND,
    MANDATES,
    OVERVIEW,
    PAY,
    RECEIPTS,
    REVERSE,
    SEND,
    SETTLEMENTS,
)
from citycard_utilities.returning import Return, assign, reverse
from citycard_utilities.settings import UtilitySettings
from citycard_utilities.settlement import Settlement, settlement_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

__all__ = ["routes"]

Answer = TypeVar("Answer")
_MIB = 1024 * 1024
_NAME_MOST = 200


def routes(settings: UtilitySettings, lookups: Lookups) -> Iterator[Route]:
    """Declare the endpoints of a city with these settings, without the pages."""
    served = _Served(settings, lookups)
    yield from _about_bills(served)
    yield from _about_mandates(served)
    yield from _about_billers(served)


def _about_bills(served: _Served) -> Iterator[Route]:
    yield _route("/bills", served.find, FIND, "The bills of a household.", BillQuery, HouseholdBills)
    yield _route("/bills/slip", served.slip, FIND, "The bar code of a bill.", SlipQuery, BillSlip)
    pay = "Pay a bill from an online account."
    yield _route("/payments", served.pay, PAY, pay, BillToPay, ReceiptView, method="POST")
    one = "/receipts/{receipt}"
    yield _route(one, served.receipt, RECEIPTS, "What was paid for a bill.", None, ReceiptView)
    back = "Give the money of a receipt back."
    yield _route(f"{one}/reversal", served.reverse, REVERSE, back, ReversalToMake, Return, method="POST")
    assigned = "Let money without a bill pay one."
    yield _route(f"{one}/bill", served.assign, REVERSE, assigned, BillToAssign, Assigned, method="POST")
    yield _route("/totals", served.totals, OVERVIEW, "Where bills stand.", None, Overview)


def _about_mandates(served: _Served) -> Iterator[Route]:
    made = "Make a direct-debit mandate."
    yield _route("/mandates", served.make, MANDATES, made, MandateToMake, MandateView, method="POST")
    of_card = "The mandates of a card."
    yield _route("/mandates/of-card", served.mandates, MANDATES, of_card, MandateQuery, CardMandates)
    ended = "End a mandate: nothing more is collected."
    yield _route("/mandates/{mandate}/end", served.end, MANDATES, ended, None, MandateView, method="POST")


def _about_billers(served: _Served) -> Iterator[Route]:
    files, settled = "/billers/{biller}/files", "/billers/{biller}/settlement"
    yield _route(files, served.files, SEND, "What came of a biller's files.", None, BillerFiles)
    sent = "Send a file of bills (CSV); the same file again gets the same answer."
    yield _route(f"{files}/{{name}}", served.send, SEND, sent, None, FileReport, method="PUT")
    for path, words in (
        (settled, "What the last run settled"),
        (f"{settled}/{{run:int}}", "What a run settled"),
    ):
        yield _route(path, served.settlement, SETTLEMENTS, f"{words} with a biller.", None, Settlement)
    file = "The file of what a run settled with a biller (CSV)."
    yield _route(f"{settled}/{{run:int}}/file", served.file, SETTLEMENTS, file, None, None)


def _route(
    path: str,
    endpoint: Callable[[Request], Any],
    permission: str,
    summary: str,
    request: type[Any] | None,
    response: type[Any] | None,
    *,
    method: str = "GET",
) -> Route:
    return Route(
        path=path,
        endpoint=endpoint,
        permission=permission,
        summary=summary,
        methods=(method,),
        request=request,
        response=response,
    )


class _Served:
    """The endpoints, with the settings they were declared with."""

    def __init__(self, settings: UtilitySettings, lookups: Lookups) -> None:
        self._settings = settings
        self._lookups = lookups

    def find(self, request: Request) -> Response:
        from citycard.web import city_of, json_answer, read_query

        asked: BillQuery = read_query(request, BillQuery)
        for field in ("biller", "household"):
            if not getattr(asked, field):
                raise QueryInvalid(field=field, text="", expected="a biller's id and a household's number")
        may_see(request, self._lookups, FIND, asked.biller, asked.household)
        found = bills_of(
            city_of(request),
            self._settings,
            asked.biller,
            asked.household,
            open_only=asked.state == "open",
        )
        return json_answer(found)

    def slip(self, request: Request) -> Response:
        from citycard.web import city_of, json_answer, read_query

        asked: SlipQuery = read_query(request, SlipQuery)
        city = city_of(request)
        may_see(request, self._lookups, FIND, asked.biller, "")
        with reading(city.engine) as conn:
            view = bill_of(conn, self._settings, asked.biller, asked.bill, city.now_local().date())
        may_see(request, self._lookups, FIND, asked.biller, view.household)
        return json_answer(BillSlip(barcode=slip_of(self._settings, view).barcode))

    async def pay(self, request: Request) -> Response:
        from citycard.web import city_of, read_json

        body = await read_json(request, BillToPay)
        actor = await _require_account(request, PAY, body.account)
        return await _answered(
            pay_bill,
            city_of(request),
            self._settings,
            body.id,
            body.account,
            body.biller,
            body.bill,
            actor=actor,
        )

    def receipt(self, request: Request) -> Response:
        from citycard.web import actor_of, city_of, json_answer, require

        name, actor = request.path_params["receipt"], actor_of(request)
        with reading(city_of(request).engine) as conn:
            asn, biller = receipt_owner(conn, name)
            require(actor, RECEIPTS, biller if actor.role == "partner" else asn)
            return json_answer(receipt_of(conn, name))

    async def reverse(self, request: Request) -> Response:
        from citycard.web import actor_of, city_of, read_json

        body, name = await read_json(request, ReversalToMake), request.path_params["receipt"]
        return await _answered(
            reverse,
            city_of(request),
            self._settings,
            body.id,
            name,
            reason=body.reason,
            approved_by=body.approved_by,
            actor=actor_of(request).name,
        )

    async def assign(self, request: Request) -> Response:
        from citycard.web import city_of, json_answer, read_json

        body, name = await read_json(request, BillToAssign), request.path_params["receipt"]
        applied = await run_in_threadpool(assign, city_of(request), self._settings, name, body.bill)
        return json_answer(Assigned(receipt=name, bill=body.bill, applied_fen=applied))

    async def make(self, request: Request) -> Response:
        from citycard.web import city_of, read_json

        body = await read_json(request, MandateToMake)
        actor = await _require_account(request, MANDATES, body.account)
        return await _answered(
            make_mandate,
            city_of(request),
            self._settings,
            body.id,
            body.account,
            body.biller,
            body.household,
            most_fen=body.most_fen,
            actor=actor,
        )

    def mandates(self, request: Request) -> Response:
        from citycard.web import actor_of, city_of, json_answer, read_query, require

        asked: MandateQuery = read_query(request, MandateQuery)
        require(actor_of(request), MANDATES, asked.card)
        with reading(city_of(request).engine) as conn:
            return json_answer(CardMandates(mandates=tuple(mandates_of(conn, asked.card))))

    def end(self, request: Request) -> Response:
        from citycard.web import actor_of, city_of, json_answer, require

        city = city_of(request)
        identity = uuid_in(request.path_params, "mandate", "the id of a mandate, a UUID")
        with reading(city.engine) as conn:
            require(actor_of(request), MANDATES, mandate_owner(conn, identity))
        return json_answer(end_mandate(city, identity, actor=actor_of(request).name))

    def files(self, request: Request) -> Response:
        from citycard.web import city_of, json_answer

        biller = self._own_biller(request, SEND)
        with reading(city_of(request).engine) as conn:
            return json_answer(BillerFiles(files=tuple(files_of(conn, biller))))

    async def send(self, request: Request) -> Response:
        from citycard.web import actor_of, city_of
        from citycard.web.bodies import read_bytes

        biller = self._own_biller(request, SEND)
        data = await read_bytes(request, limit=self._settings.most_file_mib * _MIB)
        name = request.path_params["name"][:_NAME_MOST]
        return await _answered(
            take_file, city_of(request), self._settings, biller, data, file=name, actor=actor_of(request).name
        )

    def settlement(self, request: Request) -> Response:
        from citycard.web import json_answer

        return json_answer(self._settled(request))

    def file(self, request: Request) -> Response:
        from starlette.responses import Response

        from citycard.web import city_of

        settled = self._settled(request)
        name = f"{settled.biller}-{settled.run}.csv"
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        data = dayfile_of(city_of(request), self._settings, settled.biller, settled.run)
        return Response(data, media_type="text/csv; charset=utf-8", headers=headers)

    def totals(self, request: Request) -> Response:
        from citycard.web import city_of, json_answer

        return json_answer(overview(city_of(request)))

    def _settled(self, request: Request) -> Settlement:
        from citycard.web import city_of

        biller, city = self._own_biller(request, SETTLEMENTS), city_of(request)
        # What was cleared a moment ago belongs into it.
        after_run(city, self._settings)
        return settlement_of(city, self._settings, biller, request.path_params.get("run"))

    def _own_biller(self, request: Request, permission: str) -> str:
        from citycard.web import actor_of, require

        biller: str = request.path_params["biller"]
        require(actor_of(request), permission, biller)
        return self._settings.biller(biller).id


async def _answered(work: Callable[..., Answer], *arguments: Any, **named: Any) -> Response:
    from citycard.web import json_answer

    return json_answer(await run_in_threadpool(work, *arguments, **named))


async def _require_account(request: Request, permission: str, number: str) -> str:
    """Let only the owner of an account, or the city's people, use it; give who asks, for the books."""
    from citycard.errors import OnlineAccountUnknown
    from citycard.wallet import find_account
    from citycard.web import actor_of, city_of, require

    def owner() -> str:
        with reading(city_of(request).engine) as conn:
            try:
                return find_account(conn, number).asn
            except OnlineAccountUnknown:
                # Whoever may only see the own account does not learn which others there are.
                return number

    require(actor_of(request), permission, await run_in_threadpool(owner))
    return actor_of(request).name
