"""The pages about the bank: everything at a glance, and one exception to be worked on."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import UUID

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from citycard.bank.cases import CaseStep, take
from citycard.bank.codes import How
from citycard.bank.reconciling import ITEM_TITLES, Reconciliation
from citycard.bank.resolving import resolve
from citycard.errors import CaseUnknown
from citycard.ids import new_id, uuid_in
from citycard.web import sources
from citycard.web.bankapi import ResolutionBody, actor_name
from citycard.web.context import city_of
from citycard.web.endpoints import Endpoint, endpoint
from citycard.web.forms import read_form
from citycard.web.languages import Language, mark
from citycard.web.rendering import language_of, render
from citycard.web.sources.bank import CaseView, OrderedPayment
from citycard.web.words import bank_code, bank_state

__all__ = ["ENDPOINTS"]

_READ, _KEEP = "city.read-bank", "city.keep-bank"
_ITEMS_MOST = 100

# How an exception about a line can be resolved, and one about a payment that is missing.
_HOWS = {
    How.MATCHED: mark("it is a payment of ours"),
    How.POSTED: mark("it belongs to an account of the ledger"),
    How.PAID_BACK: mark("it goes back to who sent it"),
    How.NOT_PAID: mark("the bank never executed it"),
}
_STEPS = {"opened": mark("opened"), "taken": mark("taken"), "resolved": mark("resolved")}


async def bank(request: Request) -> Response:
    say = language_of(request)
    shown = await run_in_threadpool(sources.read_bank, city_of(request))
    more = len(shown.reconciliation.items) - _ITEMS_MOST
    return render(
        request,
        "bank.html",
        sums=shown.reconciliation,
        items=_items(shown.reconciliation, say),
        more=say.count("{number} line more", "{number} lines more", more) if more > 0 else "",
        cases=[_case(each, say) for each in shown.cases],
        payments=[_payment(each, say) for each in shown.payments],
        statements=shown.statements,
        holes=shown.holes,
        years=", ".join(map(str, shown.unknown_years)),
    )


async def case(request: Request) -> Response:
    say = language_of(request)
    shown = await run_in_threadpool(sources.read_case, city_of(request), _case_id(request))
    missing = shown.case.code == "M01"
    return render(
        request,
        "bankcase.html",
        case=_case(shown.case, say),
        steps=[_step(each, say, city_of(request)) for each in shown.steps],
        hows=[(how.value, say(title)) for how, title in _HOWS.items() if (how is How.NOT_PAID) is missing],
        missing=missing,
        others=shown.case.taken_by not in {"", actor_name(request)},
        ids=(new_id(), new_id()),
    )


async def take_case(request: Request) -> Response:
    form, city, name = await read_form(request), city_of(request), _case_id(request)
    others = form.get("from_other") == "yes"
    step = uuid_in(form, "id")
    await run_in_threadpool(take, city, name, actor=actor_name(request), step=step, from_other=others)
    return RedirectResponse(f"/bank/exceptions/{name}", HTTPStatus.SEE_OTHER)


async def resolve_case(request: Request) -> Response:
    form, city, name = await read_form(request), city_of(request), _case_id(request)
    fields = ("how", "reason", "payment", "account", "to_name", "to_account")
    body = ResolutionBody(id=uuid_in(form, "id"), **{field: form.get(field, "").strip() for field in fields})
    await run_in_threadpool(resolve, city, name, body.resolution(), actor=actor_name(request), step=body.id)
    return RedirectResponse(f"/bank/exceptions/{name}", HTTPStatus.SEE_OTHER)


def _case_id(request: Request) -> UUID:
    text = request.path_params["case"]
    try:
        return UUID(text)
    except ValueError:
        raise CaseUnknown(case=text[:40]) from None


def _items(found: Reconciliation, say: Language) -> list[dict[str, Any]]:
    return [
        {
            "title": say(ITEM_TITLES[item.kind]),
            "text": item.text,
            "day": item.day or "",
            "amount": say.money(item.amount_fen),
            "reference": item.reference,
        }
        for item in found.items[:_ITEMS_MOST]
    ]


def _case(item: CaseView, say: Language) -> dict[str, Any]:
    return {
        "id": item.id,
        "code": item.code,
        "meaning": bank_code(item.code, say),
        "state": bank_state(item.state.value, say),
        "closed": item.state.value == "resolved",
        "since": item.since,
        "age": say.count("{number} business day", "{number} business days", item.age),
        "amount": say.money(item.amount_fen),
        "party": item.party,
        "text": item.text,
        "line": item.line,
        "end_to_end": item.end_to_end,
        "taken_by": item.taken_by,
        "resolution": item.resolution,
    }


def _payment(item: OrderedPayment, say: Language) -> dict[str, Any]:
    return {
        "end_to_end": item.end_to_end,
        "to": item.name,
        "account": item.account,
        "amount": say.money(item.amount_fen),
        "state": bank_state(item.state, say),
        "text": item.text,
    }


def _step(step: CaseStep, say: Language, city: Any) -> dict[str, Any]:
    return {
        "at": say.moment(step.at.astimezone(city.timezone)),
        "what": say(_STEPS.get(step.what, step.what)),
        "actor": step.actor,
        "detail": step.detail,
    }


ENDPOINTS: tuple[Endpoint, ...] = (
    endpoint(
        "/bank",
        bank,
        permission=_READ,
        page=True,
        summary="The bank: reconciliation, exceptions, payments, statements.",
    ),
    endpoint(
        "/bank/exceptions/{case}",
        case,
        permission=_READ,
        page=True,
        summary="One exception at the bank, to be worked on.",
    ),
    endpoint(
        "/bank/exceptions/{case}/take",
        take_case,
        permission=_KEEP,
        methods=("POST",),
        page=True,
        summary="Take an exception from its page.",
    ),
    endpoint(
        "/bank/exceptions/{case}/resolve",
        resolve_case,
        permission=_KEEP,
        methods=("POST",),
        page=True,
        summary="Resolve an exception from its page.",
    ),
)
