"""The online account on a card's page: its kinds of money, what is held, and its limits, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from citycard import registry
from citycard.city.accountview import AccountView, LimitsView, SubsidyView, read_account
from citycard.errors import OnlineAccountUnknown
from citycard.store import reading
from citycard.web.languages import Language, mark
from citycard.web.words import partner_kind

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["account_panel"]

_STATUS = {
    "open": (mark("in use"), "good"),
    "frozen": (mark("frozen"), "warn"),
    "closed": (mark("closed"), ""),
}
_HOLDS = {
    "pending": (mark("held"), "warn"),
    "posted": (mark("captured"), "good"),
    "voided": (mark("released"), ""),
    "expired": (mark("expired"), ""),
}
_ACTS = {"pay": mark("Paying"), "hold": mark("Holds"), "top-up": mark("Topping up")}
_AMOUNTS = {
    "single_fen": mark("{amount} at once"),
    "day_fen": mark("{amount} a day"),
    "week_fen": mark("{amount} a week"),
    "month_fen": mark("{amount} a month"),
}
_COUNTS = {
    "day_count": mark("{times} times a day"),
    "week_count": mark("{times} times a week"),
    "month_count": mark("{times} times a month"),
}


def account_panel(city: City, asn: str, say: Language) -> dict[str, Any] | None:
    """Give what the page of a card shows of its online account; None when the card has none."""
    try:
        view = read_account(city, asn)
    except OnlineAccountUnknown:
        return None
    with reading(city.engine) as conn:
        names = {partner.id: partner.name for partner in registry.partners(conn)}
    title, tone = _STATUS[view.status]
    return {
        "status": {"title": say(title), "tone": tone},
        "balance": say.money(view.balance_fen),
        "available": say.money(view.available_fen),
        "owed": say.money(view.owed_fen) if view.owed_fen else "",
        "subsidies": [_subsidy(one, names, say) for one in view.subsidies],
        "points": [
            {
                "title": _spoken(one.title, one.title_zh, say),
                "points": f"{one.points:,}",
                "next": say("{points} until {day}", points=f"{one.next_points:,}", day=one.next_expiry),
            }
            for one in view.points
        ],
        "holds": _holds(city, view, names, say),
        "payments": [
            {
                "at": say.moment(one.at),
                "partner": names.get(one.partner, one.partner),
                "note": say.noted(one.note),
                "amount": say.money(one.amount_fen),
                "returned": say.money(one.returned_fen) if one.returned_fen else "",
            }
            for one in view.payments[:10]
        ],
        "limits": [words for one in view.limits for words in [_limit(one, say)] if words["words"]],
    }


def _subsidy(one: SubsidyView, names: dict[str, str], say: Language) -> dict[str, Any]:
    places = [names.get(partner, partner) for partner in one.partners]
    places += [partner_kind(kind, say) for kind in one.partner_kinds]
    return {
        "title": _spoken(one.title, one.title_zh, say),
        "purpose": ("、" if say.code == "zh" else ", ").join(places),
        "ends_on": one.ends_on,
        "available": say.money(one.available_fen),
    }


def _holds(city: City, view: AccountView, names: dict[str, str], say: Language) -> list[dict[str, Any]]:
    found = []
    for one in view.holds[:10]:
        title, tone = _HOLDS[str(one.state)]
        found.append(
            {
                "at": say.moment(one.at),
                "partner": names.get(one.partner, one.partner),
                "amount": say.money(one.amount_fen),
                "captured": say.money(one.captured_fen) if one.captured_fen else "",
                "until": say.moment(one.expires_at.astimezone(city.timezone)),
                "state": {"title": say(title), "tone": tone},
            }
        )
    return found


def _limit(one: LimitsView, say: Language) -> dict[str, Any]:
    words = []
    for name, template in {**_AMOUNTS, **_COUNTS}.items():
        value, own = getattr(one.together, name), getattr(one.own, name)
        if value is None:
            continue
        said = say(template, amount=say.money(value), times=value)
        words.append(say("{limit} (your own)", limit=said) if own == value else said)
    return {"act": say(_ACTS[one.act]), "words": words}


def _spoken(title: str, title_zh: str, say: Language) -> str:
    return title_zh if say.code == "zh" and title_zh else title
