"""The endpoints of bills: for citizens, for billers, for the city's desks. docs/utilities.md lists them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.concurrency import run_in_threadpool

from citycard.errors import QueryInvalid
from citycard.ids import uuid_in
from citycard.store import reading
from citycard_utilities.bills import bill_of, bills_of
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
from citycard_utilities.importing import files_of, take_file
from citycard_utilities.jobs import after_run
from citycard_utilities.kiosk import slip_of
from citycard_utilities.lookups import Served, may_see
from citycard_utilities.mandates import end_mandate, make_mandate, mandate_owner, mandates_of
from citycard_utilities.overview import overview
from citycard_utilities.paying import pay_bill, receipt_of, receipt_owner
from citycard_utilities.permissions import (
    FIND,
    MANDATES,
    PAY,
    RECEIPTS,
    SEND,
    SETTLEMENTS,
)
from citycard_utilities.returning import assign, reverse
from citycard_utilities.settlement import Settlement, settlement_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

__all__ = [
    "assign_bill",
    "end",
    "file",
    "files",
    "find",
    "make",
    "mandates",
    "pay",
    "receipt",
    "reverse_receipt",
    "send",
    "settlement",
    "slip",
    "totals",
]

Answer = TypeVar("Answer")
_MIB = 1024 * 1024
_NAME_MOST = 200


def _asked(request: Request, kind: type[Answer], fields: tuple[str, ...], expected: str) -> Answer:
    """Read a query that names all of ``fields``; raise QueryInvalid."""
    from citycard.web import read_query

    asked: Answer = read_query(request, kind)
    for field in fields:
        if not getattr(asked, field):
            raise QueryInvalid(field=field, text="", expected=expected)
    return asked


def find(served: Served, request: Request) -> Response:
    """Give the bills of a household."""
    from citycard.web import city_of, json_answer

    asked = _asked(request, BillQuery, ("biller", "household"), "a biller's id and a household's number")
    may_see(request, served.lookups, FIND, asked.biller, asked.household)
    found = bills_of(
        city_of(request),
        served.settings,
        asked.biller,
        asked.household,
        open_only=asked.state == "open",
    )
    return json_answer(found)


def slip(served: Served, request: Request) -> Response:
    """Give the bar code of a bill."""
    from citycard.web import city_of, json_answer

    asked = _asked(request, SlipQuery, ("biller", "bill"), "a biller's id and a bill's number")
    city = city_of(request)
    may_see(request, served.lookups, FIND, asked.biller, "")
    with reading(city.engine) as conn:
        view = bill_of(conn, served.settings, asked.biller, asked.bill, city.now_local().date())
    may_see(request, served.lookups, FIND, asked.biller, view.household)
    return json_answer(BillSlip(barcode=slip_of(served.settings, view).barcode))


async def pay(served: Served, request: Request) -> Response:
    """Pay a bill from an online account."""
    from citycard.web import city_of, read_json

    body = await read_json(request, BillToPay)
    actor = await _require_account(request, PAY, body.account)
    return await _answered(
        pay_bill,
        city_of(request),
        served.settings,
        body.id,
        body.account,
        body.biller,
        body.bill,
        actor=actor,
    )


def receipt(request: Request) -> Response:
    """Say what was paid for a bill."""
    from citycard.web import actor_of, city_of, json_answer, require

    name, actor = request.path_params["receipt"], actor_of(request)
    with reading(city_of(request).engine) as conn:
        asn, biller = receipt_owner(conn, name)
        require(actor, RECEIPTS, biller if actor.role == "partner" else asn)
        return json_answer(receipt_of(conn, name))


async def reverse_receipt(served: Served, request: Request) -> Response:
    """Give the money of a receipt back."""
    from citycard.web import actor_of, city_of, read_json

    body, name = await read_json(request, ReversalToMake), request.path_params["receipt"]
    return await _answered(
        reverse,
        city_of(request),
        served.settings,
        body.id,
        name,
        reason=body.reason,
        approved_by=body.approved_by,
        actor=actor_of(request).name,
    )


async def assign_bill(served: Served, request: Request) -> Response:
    """Let money without a bill pay one."""
    from citycard.web import city_of, json_answer, read_json

    body, name = await read_json(request, BillToAssign), request.path_params["receipt"]
    applied = await run_in_threadpool(assign, city_of(request), served.settings, name, body.bill)
    return json_answer(Assigned(receipt=name, bill=body.bill, applied_fen=applied))


async def make(served: Served, request: Request) -> Response:
    """Make a direct-debit mandate."""
    from citycard.web import city_of, read_json

    body = await read_json(request, MandateToMake)
    actor = await _require_account(request, MANDATES, body.account)
    return await _answered(
        make_mandate,
        city_of(request),
        served.settings,
        body.id,
        body.account,
        body.biller,
        body.household,
        most_fen=body.most_fen,
        actor=actor,
    )


def mandates(request: Request) -> Response:
    """List the mandates of a card."""
    from citycard.web import actor_of, city_of, json_answer, read_query, require

    asked: MandateQuery = read_query(request, MandateQuery)
    require(actor_of(request), MANDATES, asked.card)
    with reading(city_of(request).engine) as conn:
        return json_answer(CardMandates(mandates=tuple(mandates_of(conn, asked.card))))


def end(request: Request) -> Response:
    """End a mandate: nothing more is collected."""
    from citycard.web import actor_of, city_of, json_answer, require

    city = city_of(request)
    identity = uuid_in(request.path_params, "mandate", "the id of a mandate, a UUID")
    with reading(city.engine) as conn:
        require(actor_of(request), MANDATES, mandate_owner(conn, identity))
    return json_answer(end_mandate(city, identity, actor=actor_of(request).name))


def files(served: Served, request: Request) -> Response:
    """List what came of a biller's files."""
    from citycard.web import city_of, json_answer

    biller = _own_biller(served, request, SEND)
    with reading(city_of(request).engine) as conn:
        return json_answer(BillerFiles(files=tuple(files_of(conn, biller))))


async def send(served: Served, request: Request) -> Response:
    """Take a file of bills; the same file again gets the same answer."""
    from citycard.web import actor_of, city_of
    from citycard.web.bodies import read_bytes

    biller = _own_biller(served, request, SEND)
    data = await read_bytes(request, limit=served.settings.most_file_mib * _MIB)
    name = request.path_params["name"][:_NAME_MOST]
    return await _answered(
        take_file, city_of(request), served.settings, biller, data, file=name, actor=actor_of(request).name
    )


def settlement(served: Served, request: Request) -> Response:
    """Say what a run settled with a biller."""
    from citycard.web import json_answer

    return json_answer(_settled(served, request))


def file(served: Served, request: Request) -> Response:
    """Give the file of what a run settled with a biller."""
    from starlette.responses import Response

    from citycard.web import city_of

    settled = _settled(served, request)
    name = f"{settled.biller}-{settled.run}.csv"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    data = dayfile_of(city_of(request), served.settings, settled.biller, settled.run)
    return Response(data, media_type="text/csv; charset=utf-8", headers=headers)


def totals(request: Request) -> Response:
    """Say where bills stand."""
    from citycard.web import city_of, json_answer

    return json_answer(overview(city_of(request)))


def _settled(served: Served, request: Request) -> Settlement:
    from citycard.web import city_of

    biller, city = _own_biller(served, request, SETTLEMENTS), city_of(request)
    # What was cleared a moment ago belongs into it.
    after_run(city, served.settings)
    return settlement_of(city, served.settings, biller, request.path_params.get("run"))


def _own_biller(served: Served, request: Request, permission: str) -> str:
    from citycard.web import actor_of, require

    biller: str = request.path_params["biller"]
    require(actor_of(request), permission, biller)
    return served.settings.biller(biller).id


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
