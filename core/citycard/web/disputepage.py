"""The pages about what happens after clearing: exceptions and disputes at a glance, and one of each."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import attrs
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from citycard.clearing.adjusting import PostedAdjustment
from citycard.clearing.casecodes import Bearer, Party, Ruling, Verdict
from citycard.clearing.deciding import decide, take
from citycard.clearing.disputes import Dispute, DisputeState, add_evidence
from citycard.clearing.exceptions import ExceptionCase, today
from citycard.clearing.late import late_files
from citycard.clearing.upholding import decide_dispute
from citycard.ids import new_id, uuid_in
from citycard.money import parse_yuan
from citycard.store.steps import CaseStep
from citycard.web import sources
from citycard.web.bankapi import actor_name
from citycard.web.context import actor_of, city_of
from citycard.web.disputeapi import PAGE, ClaimBody, JudgementBody, dispute_id, may_see
from citycard.web.endpoints import Endpoint, endpoint, read_query
from citycard.web.exceptionapi import DecisionBody, ExceptionQuery, only_own
from citycard.web.forms import read_form
from citycard.web.languages import Language, mark
from citycard.web.rendering import language_of, render
from citycard.web.sessions import require
from citycard.web.words import adjustment_meaning, bank_state, code_meaning, dispute_state

__all__ = ["ENDPOINTS"]

_READ, _OPEN, _DECIDE = "city.read-disputes", "city.open-disputes", "city.decide-disputes"
_EXCEPTIONS, _RULE = "city.read-exceptions", "city.decide-exceptions"
_RULINGS = {
    Ruling.ACCEPTED: mark("pay it as charged"),
    Ruling.REJECTED: mark("reject it for good"),
    Ruling.LEFT: mark("leave it to the partner"),
}
_VERDICTS = {
    Verdict.UPHELD: mark("uphold it in full"),
    Verdict.PART: mark("uphold it in part"),
    Verdict.REFUSED: mark("refuse it"),
}
_BEARERS = {
    Bearer.ISSUER: mark("the city"),
    Bearer.CARD: mark("the card"),
    Bearer.PARTNER: mark("another partner"),
    Bearer.PARTNERS: mark("the partners that were paid"),
}
_PAYS = {
    Party.PARTNER: (Bearer.ISSUER, Bearer.CARD, Bearer.PARTNER),
    Party.HOLDER: (Bearer.PARTNERS, Bearer.ISSUER),
}
_STEPS = {"taken": mark("taken"), "proposed": mark("proposed"), "decided": mark("decided")}


@attrs.frozen(kw_only=True)
class ExceptionPageQuery(ExceptionQuery):
    """Which exceptions, and which page of the disputes."""

    page: int = attrs.field(default=1, metadata=PAGE)


async def disputes(request: Request) -> Response:
    say, actor, city = language_of(request), actor_of(request), city_of(request)
    query: ExceptionPageQuery = read_query(request, ExceptionPageQuery)
    partner = only_own(actor, _READ, "")
    wish: dict[str, Any] = {"partner": partner, "page": query.page}
    waiting = await run_in_threadpool(
        sources.read_disputes, city, actor, state=DisputeState.OPEN.value, **wish
    )
    decided = await run_in_threadpool(sources.read_disputes, city, actor, state="", decided=True, **wish)
    cases: tuple[ExceptionCase, ...] = ()
    if actor.may(_EXCEPTIONS):
        wanted = ExceptionQuery(partner=partner or query.partner, code=query.code)
        cases = await run_in_threadpool(sources.read_exceptions, city, wanted, actor)
    waits = len(await run_in_threadpool(late_files, city)) if actor.may(_EXCEPTIONS, "") else 0
    return render(
        request,
        "disputes.html",
        disputes=[_dispute(one, say, city) for one in waiting],
        decided=[_dispute(one, say, city) for one in decided],
        newer=_page_link(query, -1) if query.page > 1 else "",
        older=_page_link(query, 1) if sources.DISPUTES_A_PAGE in {len(waiting), len(decided)} else "",
        cases=[_case(one, say, city) for one in cases],
        late=say.count("{number} late file waits", "{number} late files wait", waits) if waits else "",
        partner=partner,
        id=new_id(),
    )


async def dispute(request: Request) -> Response:
    say, city = language_of(request), city_of(request)
    found = await may_see(request)
    one = found.dispute
    return render(
        request,
        "dispute.html",
        dispute=_dispute(one, say, city),
        evidence=[
            {
                "at": say.moment(each.at.astimezone(city.timezone)),
                "actor": each.actor,
                "name": each.name,
                "note": each.note,
                "digest": each.digest,
                "link": f"/api/disputes/{one.id}/files/{each.id}" if each.name else "",
            }
            for each in found.evidence
        ],
        steps=[_step(each, say, city) for each in found.steps],
        adjustments=[_moved(each, say) for each in found.adjustments],
        verdicts=[(how.value, say(title)) for how, title in _VERDICTS.items()],
        bearers=[(who.value, say(_BEARERS[who])) for who in _PAYS[one.party]],
        open=one.decision is None,
        by_rule=one.about_record,
        owner=one.partner,
        ids=(new_id(), new_id()),
    )


async def exception(request: Request) -> Response:
    say, city, actor = language_of(request), city_of(request), actor_of(request)
    record = request.path_params["record"]
    case, steps, moved = await run_in_threadpool(sources.read_exception, city, record, actor)
    require(actor, _EXCEPTIONS, case.partner)
    return render(
        request,
        "exception.html",
        case=_case(case, say, city),
        others=case.taken_by not in {"", actor_name(request)},
        steps=[_step(each, say, city) for each in steps],
        adjustments=[_moved(each, say) for each in moved],
        rulings=[(how.value, say(title)) for how, title in _RULINGS.items()],
        bearers=[(who.value, say(_BEARERS[who])) for who in (Bearer.ISSUER, Bearer.CARD)],
        ids=(new_id(), new_id(), new_id()),
    )


async def open_one(request: Request) -> Response:
    form, actor = await read_form(request), actor_of(request)
    partner = only_own(actor, _OPEN, form.get("partner", "").strip())
    body = ClaimBody(
        id=uuid_in(form, "id"),
        about=form.get("about", "").strip(),
        amount_fen=parse_yuan(form.get("amount", "").strip()),
        reason=form.get("reason", ""),
        partner=partner,
    )
    require(actor, _OPEN, body.partner)
    await run_in_threadpool(
        sources.open_for, city_of(request), body.id, body.claim(), actor, actor_name(request)
    )
    return RedirectResponse(f"/disputes/{body.id}", HTTPStatus.SEE_OTHER)


async def note_evidence(request: Request) -> Response:
    await may_see(request, _OPEN)
    form, identity = await read_form(request), dispute_id(request)
    await run_in_threadpool(
        add_evidence,
        city_of(request),
        identity,
        uuid_in(form, "id"),
        actor=actor_name(request),
        note=form.get("note", ""),
    )
    return RedirectResponse(f"/disputes/{identity}", HTTPStatus.SEE_OTHER)


async def decide_one(request: Request) -> Response:
    form, identity = await read_form(request), dispute_id(request)
    amount = form.get("amount", "").strip()
    outcome = form.get("outcome", "")
    body = JudgementBody(
        id=uuid_in(form, "id"),
        outcome=outcome,
        reason=form.get("reason", ""),
        amount_fen=parse_yuan(amount) if amount and outcome == Verdict.PART else 0,
        bearer="" if outcome == Verdict.REFUSED else form.get("bearer", ""),
        payer=form.get("payer", "").strip() if form.get("bearer") == Bearer.PARTNER else "",
    )
    await run_in_threadpool(
        decide_dispute,
        city_of(request),
        identity,
        body.judgement(),
        actor=actor_name(request),
        step=body.id,
    )
    return RedirectResponse(f"/disputes/{identity}", HTTPStatus.SEE_OTHER)


async def take_exception(request: Request) -> Response:
    form, record = await read_form(request), request.path_params["record"]
    others = form.get("from_other") == "yes"
    await run_in_threadpool(
        take,
        city_of(request),
        record,
        actor=actor_name(request),
        step=uuid_in(form, "id"),
        from_other=others,
    )
    return RedirectResponse(f"/exceptions/{record}", HTTPStatus.SEE_OTHER)


async def decide_exception(request: Request) -> Response:
    form, record = await read_form(request), request.path_params["record"]
    how = form.get("how", "")
    body = DecisionBody(
        id=uuid_in(form, "id"),
        how=how,
        reason=form.get("reason", ""),
        bearer=form.get("bearer", "") if how == Ruling.ACCEPTED else "",
        evidence=form.get("evidence", ""),
    )
    await run_in_threadpool(
        decide, city_of(request), record, body.decision(), actor=actor_name(request), step=body.id
    )
    return RedirectResponse(f"/exceptions/{record}", HTTPStatus.SEE_OTHER)


def _page_link(query: ExceptionPageQuery, step: int) -> str:
    chosen = {"partner": query.partner, "code": query.code, "page": query.page + step}
    return f"/disputes?{urlencode({name: value for name, value in chosen.items() if value})}"


def _dispute(one: Dispute, say: Language, city: Any) -> dict[str, Any]:
    decision = one.decision
    late = one.overdue(today(city))
    return {
        "id": one.id,
        "who": one.partner or say("the holder"),
        "about": one.about,
        "amount": say.money(one.amount_fen),
        "reason": one.reason,
        "opened": say.moment(one.opened_at.astimezone(city.timezone)),
        "opened_by": one.opened_by,
        "evidence_until": one.evidence_until,
        "decide_until": one.decide_until,
        "pieces": one.pieces,
        "proposed_by": one.proposed_by,
        "proposal": one.proposal,
        "state": dispute_state("overdue" if late else one.state.value, say),
        "upheld": say.money(decision.amount_fen) if decision is not None and decision.amount_fen else "",
        "decision": decision.reason if decision is not None else "",
    }


def _case(one: ExceptionCase, say: Language, city: Any) -> dict[str, Any]:
    decision = one.decision
    age = one.age(city.calendar, today(city))
    return {
        "id": one.id,
        "code": one.code,
        "meaning": code_meaning(one.code, say),
        "partner": one.partner,
        "card": one.card,
        "counter": one.counter,
        "at": say.moment(one.at),
        "run": one.run,
        "amount": say.money(one.amount_fen),
        "age": say.count("{number} business day", "{number} business days", age),
        "state": bank_state(one.state.value, say),
        "taken_by": one.taken_by,
        "proposed_by": one.proposed_by,
        "proposal": one.proposal,
        "closed": decision is not None,
        "decision": f"{say(_RULINGS[decision.how])}: {decision.reason}" if decision is not None else "",
        "evidence": decision.evidence if decision is not None else "",
    }


def _step(step: CaseStep, say: Language, city: Any) -> dict[str, Any]:
    return {
        "at": say.moment(step.at.astimezone(city.timezone)),
        "what": say(_STEPS.get(step.what, step.what)),
        "actor": step.actor,
        "detail": step.detail,
    }


def _moved(one: PostedAdjustment, say: Language) -> dict[str, Any]:
    return {
        "code": one.code.value,
        "meaning": adjustment_meaning(one.code, say),
        "debit": one.debit,
        "credit": one.credit,
        "amount": say.money(one.amount_fen),
        "run": one.run or "",
        "id": one.id,
    }


def _form(path: str, handler: Any, permission: str, summary: str) -> Endpoint:
    return endpoint(path, handler, permission=permission, methods=("POST",), page=True, summary=summary)


ENDPOINTS: tuple[Endpoint, ...] = (
    endpoint(
        "/disputes",
        disputes,
        permission=_READ,
        query=ExceptionPageQuery,
        page=True,
        summary="Disputes, and records that clearing did not accept.",
    ),
    _form("/disputes", open_one, _OPEN, "Open a dispute from the page."),
    endpoint(
        "/disputes/{dispute}", dispute, permission=_READ, page=True, summary="One dispute, to be worked on."
    ),
    _form("/disputes/{dispute}/evidence", note_evidence, _OPEN, "Add evidence from the page of a dispute."),
    _form("/disputes/{dispute}/decide", decide_one, _DECIDE, "Decide a dispute from its page."),
    endpoint(
        "/exceptions/{record}",
        exception,
        permission=_EXCEPTIONS,
        page=True,
        summary="One record that clearing did not accept, to be worked on.",
    ),
    _form(
        "/exceptions/{record}/take",
        take_exception,
        _RULE,
        "Take a record that clearing did not accept from its page.",
    ),
    _form(
        "/exceptions/{record}/decide",
        decide_exception,
        _RULE,
        "Decide a record that clearing did not accept from its page.",
    ),
)
