"""The pages for people: the city's day, partners, plugins, cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from citycard.clearing.statements import CodeLine
from citycard.errors import QueryInvalid
from citycard.kernel.services import CitizenLine
from citycard.web import sources
from citycard.web.accountpanel import account_panel
from citycard.web.api import DayQuery
from citycard.web.charts import STATES, balance_chart, draw_day, fare_name, hours_of
from citycard.web.context import actor_of, web_of
from citycard.web.endpoints import Endpoint, endpoint, read_query
from citycard.web.languages import Language, mark
from citycard.web.permissions import Role
from citycard.web.rendering import language_of, render, role_name
from citycard.web.sessions import require
from citycard.web.views import CardLine, CodeCount, DayView, Domain, JourneyView, PluginView
from citycard.web.words import (
    adjustment_meaning,
    card_status,
    claim_kind,
    code_meaning,
    day_headline,
    file_meaning,
    file_state,
    partner_kind,
    plugin_state,
    stage_name,
    tap_kind,
)

__all__ = ["ENDPOINTS", "state_of"]

_LINES = 40


@attrs.frozen(kw_only=True)
class CardQuery:
    """Digits to look for at either end of a card's number."""

    q: str = attrs.field(default="", metadata={"expected": "1 to 20 digits", "range": (0, 40)})


async def day(request: Request) -> Response:
    query: DayQuery = read_query(request, DayQuery)
    city, say = web_of(request).city, language_of(request)
    shown = await run_in_threadpool(web_of(request).days.read, query.day)
    running = await run_in_threadpool(sources.read_domains, city)
    charts, legends = draw_day(shown, say)
    return render(
        request,
        "day.html",
        day=shown,
        charts=charts,
        legends=legends,
        headline=day_headline(shown, say),
        facts=_facts(shown, say),
        hours=hours_of(shown.periods),
        fare_rows=[{"name": fare_name(band, say), "words": f"{band.rides:,}"} for band in shown.fares],
        codes=_codes(shown.codes, say),
        files=[
            {
                "state": file_state(item.state, say),
                "code": item.code,
                "meaning": file_meaning(item.code, say),
                "files": f"{item.files:,}",
            }
            for item in shown.files
        ],
        days=[
            {"title": say.day(item), "path": f"/?day={item}", "current": item == shown.day}
            for item in shown.days[:14]
        ],
        domains=[_domain(item, say) for item in running],
    )


async def partners(request: Request) -> Response:
    found = await run_in_threadpool(sources.read_partners, web_of(request).city)
    return render(
        request,
        "partners.html",
        partners=found,
        kind_of=lambda kind: partner_kind(kind, language_of(request)),
    )


async def statement(request: Request) -> Response:
    name = request.path_params["partner"]
    require(actor_of(request), "city.read-statements", name)
    say = language_of(request)
    partner, found = await run_in_threadpool(sources.read_statement, web_of(request).city, name)
    return render(
        request,
        "statement.html",
        partner=partner,
        statements=[
            {
                "run": item.run,
                "records": f"{item.records:,}",
                "gross": say.money(item.gross_fen),
                "fee": say.money(item.fee_fen),
                "net": say.money(item.net_fen),
                "carried": say.money(item.carried_fen) if item.carried_fen else "",
                "held": say.money(item.held_fen) if item.held_fen else "",
                "together": say.money(item.net_fen + item.carried_fen - item.held_fen),
                "adjustments": [
                    {
                        "code": line.code.value,
                        "meaning": adjustment_meaning(line.code, say),
                        "about": line.about,
                        "amount": say.money(line.change_fen),
                    }
                    for line in item.adjustments
                ],
                "reference": item.end_to_end,
                "days": [
                    {
                        "day": line.business_date,
                        "records": f"{line.records:,}",
                        "gross": say.money(line.gross_fen),
                    }
                    for line in item.days
                ],
                "codes": _codes(item.codes, say),
            }
            for item in found
        ],
    )


async def plugins(request: Request) -> Response:
    say = language_of(request)
    city = web_of(request).city
    found = await run_in_threadpool(sources.read_plugins, city)
    domains = await run_in_threadpool(sources.read_domains, city)
    services = {item.plugin: _domain(item, say)["words"] for item in domains}
    spoken = "name_zh" if say.code == "zh" else "name"
    districts = {one.id: getattr(one, spoken) or one.name for one in city.config.districts}
    shown = [_plugin(item, say, districts) | {"services": services.get(item.name, "")} for item in found]
    return render(request, "plugins.html", plugins=shown)


async def cards(request: Request) -> Response:
    """Search cards; a citizen goes straight to the one card that is theirs."""
    query: CardQuery = read_query(request, CardQuery)
    say, actor, wish = language_of(request), actor_of(request), "".join(query.q.split())
    if wish and not (wish.isascii() and wish.isdigit() and len(wish) <= sources.ASN_DIGITS):
        raise QueryInvalid(field="q", text=wish, expected="1 to 20 digits")
    owner = actor.subject if actor.role is Role.CITIZEN else None
    found, count = await run_in_threadpool(sources.find_cards, web_of(request).city, wish, owner)
    words = say.count("{number} card", "{number} cards", count)
    if count > len(found):
        words += " · " + say("the first {shown} are shown", shown=len(found))
    return render(request, "cards.html", q=wish, found=words, cards=[_card_line(item, say) for item in found])


async def record(request: Request) -> Response:
    web, say, asn = web_of(request), language_of(request), request.path_params["asn"]
    require(actor_of(request), "city.read-cards", asn)
    shown = await run_in_threadpool(
        sources.open_record,
        web.city,
        asn,
        request.path_params["record"],
        actor_of(request),
        page="record",
        at=web.clock.now(),
    )
    return render(
        request,
        "record.html",
        asn=asn,
        record=shown,
        journey=_journey(shown.journey, say),
        meaning=code_meaning(shown.journey.code, say),
        steps=[{"step": step, "stage": stage_name(step.stage, say)} for step in shown.steps],
        differs=shown.price_fen is not None and shown.price_fen != shown.journey.amount_fen,
    )


async def card(request: Request) -> Response:
    web, say, asn = web_of(request), language_of(request), request.path_params["asn"]
    require(actor_of(request), "city.read-cards", asn)
    shown, looks = await run_in_threadpool(
        sources.open_card, web.city, asn, actor_of(request), page="card", at=web.clock.now()
    )
    account = None
    if actor_of(request).may("city.read-accounts", asn):
        account = await run_in_threadpool(account_panel, web.city, asn, say)
    # What happened in the domains is the holder's alone: a role that may see cards may not see all of it.
    mine = actor_of(request).role is Role.CITIZEN
    lines = await run_in_threadpool(web.city.plugins.citizen_lines, asn) if mine else []
    return render(
        request,
        "card.html",
        card=shown,
        account=account,
        lines=[_line(owned.record, say) for owned in lines[:_LINES]],
        product=shown.product_title_zh
        if say.code == "zh" and shown.product_title_zh
        else shown.product_title,
        asn_words=" ".join(asn[place : place + 4] for place in range(0, len(asn), 4)),
        standing=card_status(shown.status, say),
        journeys=[_journey(item, say) for item in reversed(shown.journeys)],
        chart=balance_chart(shown.journeys, say),
        readings=[
            {
                "at": say.moment(item.at.astimezone(web.city.timezone)),
                "role": role_name(item.role, say),
                "token": item.token,
                "page": say(item.page),
            }
            for item in looks
        ],
    )


def _line(item: CitizenLine, say: Language) -> dict[str, str]:
    return {
        "at": say.moment(item.at),
        "title": item.title_zh if say.code == "zh" and item.title_zh else say(item.title),
        "amount": "" if item.amount_fen is None else say.money(item.amount_fen),
        "path": item.path,
    }


def _facts(shown: DayView, say: Language) -> list[dict[str, str]]:
    average_fen = shown.charged_fen // shown.paid_uses if shown.paid_uses else 0
    return [
        {
            "name": say("Taps"),
            "words": f"{shown.taps:,}",
            "note": say.count("{number} card issued", "{number} cards issued", shown.cards),
        },
        {
            "name": say("Paid uses"),
            "words": f"{shown.paid_uses:,}",
            "note": say("{amount} on average", amount=say.money(average_fen)),
        },
        {
            "name": say("Charged"),
            "words": say.money(shown.charged_fen),
            "note": say.count("by {number} partner", "by {number} partners", len(shown.operators)),
        },
        {
            "name": say("Records cleared"),
            "words": f"{sum(item.records for item in shown.states):,}",
            "note": say("each with one end and one reason"),
        },
    ]


def _codes(codes: Sequence[CodeCount | CodeLine], say: Language) -> list[dict[str, Any]]:
    order = list(STATES)
    rows = sorted(codes, key=lambda item: (order.index(item.state), item.code))
    return [
        {
            "state": state_of(item.state, say),
            "code": item.code,
            "meaning": code_meaning(item.code, say),
            "records": f"{item.records:,}",
            "amount": say.money(item.amount_fen),
        }
        for item in rows
    ]


def state_of(state: str, say: Language) -> dict[str, str]:
    """Give a record's state its title and tone."""
    title, tone, _ = STATES.get(state, (mark("waiting"), "warn", ""))
    return {"title": say(title), "tone": tone}


def _domain(item: Domain, say: Language) -> dict[str, str]:
    chinese = say.code == "zh"
    services = [title_zh if chinese and title_zh else say(title) for title, title_zh in item.services]
    return {
        "title": item.title_zh if chinese and item.title_zh else say(item.title),
        "words": (", " if not chinese else "、").join(services),
    }


def _plugin(item: PluginView, say: Language, districts: Mapping[str, str]) -> dict[str, Any]:
    where = ("、" if say.code == "zh" else ", ").join(districts.get(one, one) for one in item.off_in)
    kinds = sorted({part.kind for part in item.claims})
    return {
        "name": item.name,
        "title": item.title_zh if say.code == "zh" and item.title_zh else say(item.title),
        "state": plugin_state(item.state, say),
        "off_in": say("off in {where}", where=where) if where else "",
        "reason": item.reason,
        "description": item.description,
        "distribution": item.distribution,
        "version": item.version,
        "failures": item.failures,
        "claims": [
            (claim_kind(kind, say), [part.name for part in item.claims if part.kind == kind])
            for kind in kinds
        ],
    }


def _card_line(item: CardLine, say: Language) -> dict[str, Any]:
    title = item.product_title_zh if say.code == "zh" and item.product_title_zh else item.product_title
    return {
        "asn": item.asn,
        "product": title,
        "status": card_status(item.status, say)["title"],
        "issued_on": item.issued_on,
        "expires_on": item.expires_on,
    }


def _journey(item: JourneyView, say: Language) -> dict[str, Any]:
    return {
        "id": item.id,
        "at": say.moment(item.at),
        "service": item.service_zh if say.code == "zh" and item.service_zh else say(item.service),
        "kind": tap_kind(item.kind, say),
        "place": item.place,
        "partner": item.partner,
        "list_price": say.money(item.list_price_fen) if item.list_price_fen else "",
        "amount": say.money(item.amount_fen) if item.amount_fen or item.kind != "entry" else "",
        "balance": say.money(item.balance_after_fen),
        "state": state_of(item.state, say),
        "code": item.code,
    }


ENDPOINTS: tuple[Endpoint, ...] = (
    endpoint("/", day, query=DayQuery, page=True, summary="The city's day, drawn."),
    endpoint(
        "/partners",
        partners,
        permission="city.read-partners",
        page=True,
        summary="The partners and their sums.",
    ),
    endpoint(
        "/partners/{partner}",
        statement,
        permission="city.read-statements",
        page=True,
        summary="A partner's statement.",
    ),
    endpoint(
        "/plugins",
        plugins,
        permission="city.read-plugins",
        page=True,
        summary="The plugins and their states.",
    ),
    endpoint(
        "/cards",
        cards,
        permission="city.read-cards",
        query=CardQuery,
        page=True,
        summary="Search for a card.",
    ),
    endpoint(
        "/cards/{asn}",
        card,
        permission="city.read-cards",
        page=True,
        summary="A card's page; the look is recorded.",
    ),
    endpoint(
        "/cards/{asn}/records/{record}",
        record,
        permission="city.read-cards",
        page=True,
        summary="One tap explained, from the file to the bank; the look is recorded.",
    ),
)
